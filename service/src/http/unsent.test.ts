import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { Wire } from "../served-log.testing.ts";
import { UnsentBytes } from "./unsent.ts";

const BIG = 16 * 2 ** 20;

describe("answers that nobody reads: a crowd of slow readers takes all memory", () => {
  let server: Server;
  let url: string;
  let unsent: UnsentBytes;

  beforeEach(async () => {
    server = createServer((request, response) => {
      const length = Number(request.url?.slice(1));
      response.writeHead(200, { "content-length": String(length) });
      response.end(Buffer.alloc(length));
      unsent.watch(response, length);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/`;
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  const ask = (length: number): Wire =>
    new Wire(url).send(`GET /${String(length)} HTTP/1.1\r\nHost: x\r\n\r\n`).pause();

  it("lets the oldest go when too many bytes wait, and serves who reads", async () => {
    unsent = new UnsentBytes(2.5 * BIG);
    const slow: Wire[] = [];
    for (let at = 0; at < 4; at++) {
      slow.push(ask(BIG));
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect((await (await fetch(`${url}${String(BIG)}`)).arrayBuffer()).byteLength).toBe(BIG);
    for (const wire of slow) wire.resume();
    const lengths = await Promise.all(
      slow.map((wire) => wire.until(({ answer, closed }) => closed || answer.length > BIG)),
    );
    const whole = lengths.map((text) => text.length > BIG);
    expect(whole.slice(0, 2)).toEqual([false, false]);
    expect(whole.at(-1)).toBe(true);
  });

  it("lets go of whoever does not read within the time", async () => {
    unsent = new UnsentBytes(10 * BIG, 200);
    const slow = ask(BIG);
    await new Promise((resolve) => setTimeout(resolve, 600));
    const text = await slow.resume().until(({ closed }) => closed);
    expect(text.length).toBeLessThan(BIG);
  });
});
