import { createHmac } from "node:crypto";

import { utf8 } from "@bootproof/bytes";
import { beforeAll, describe, expect, it } from "vitest";

import { startReceiver, type Receiver } from "./receiver.testing.ts";
import { alertAbout } from "./watched.testing.ts";
import { postAlert, signWebhook } from "./webhook.ts";

describe("a webhook", () => {
  let receiver: Receiver;
  const alert = alertAbout("acme-os 1");
  const never = new AbortController().signal;
  const secret = utf8("a secret of sixteen bytes or more");
  const post = (timeout = 5): Promise<string | undefined> =>
    postAlert({ url: receiver.url, secret, timeout }, alert, never);

  beforeAll(async () => {
    receiver = await startReceiver();
  });

  it("brings the alert with a signature over ID, time and body", async () => {
    expect(await post()).toBeUndefined();
    const { headers, body } = receiver.received.at(-1)!;
    expect(JSON.parse(body)).toEqual(alert);
    const signed = `${alert.id}.${String(headers["webhook-timestamp"])}.${body}`;
    const expected = createHmac("sha256", secret).update(signed).digest("base64");
    expect(headers["webhook-signature"]).toBe(`v1,${expected}`);
    expect(headers["webhook-id"]).toBe(alert.id);
    expect(Math.abs(Number(headers["webhook-timestamp"]) - Date.now() / 1000)).toBeLessThan(60);
  });

  it("is signed as the example of Standard Webhooks is", () => {
    const example = Buffer.from("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "base64");
    expect(signWebhook(example, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, '{"test": 2432232314}')).toBe(
      "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    );
  });

  it("was not taken when the receiver fails", async () => {
    receiver.answer = (response) => void response.writeHead(500).end("x".repeat(10_000));
    expect(await post()).toBe("it answers 500");
  });

  it("does not follow redirects, or an alert goes where nobody sent it", async () => {
    const other = await startReceiver();
    receiver.answer = (response) => void response.writeHead(307, { location: other.url }).end();
    expect(await post()).toBe("it answers 307, a redirect, which is not followed");
    expect(other.received).toEqual([]);
  });

  it("does not wait for ever", async () => {
    receiver.answer = () => undefined;
    const before = Date.now();
    expect(await post(1)).toBe("no answer within 1 s");
    expect(Date.now() - before).toBeLessThan(4000);
  });

  it("says why nobody could be reached", async () => {
    const nobody = { url: "http://127.0.0.1:1/", secret: undefined, timeout: 5 };
    expect(await postAlert(nobody, alert, never)).toMatch(/ECONNREFUSED|bad port/);
  });
});
