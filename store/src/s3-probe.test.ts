import { describe, expect, it } from "vitest";
import { TestS3, type Lie } from "./s3-server.testing.ts";

const SLOW = 60_000;

describe("the probe: on a store that lies a log forks", () => {
  it(
    "lets an honest store pass, leaves nothing there, and may run often at once",
    { timeout: SLOW },
    async () => {
      const server = await TestS3.start();
      const bucket = await server.open();
      await Promise.all([1, 2, 3, 4].map(() => bucket.probe()));
      expect([...server.objects.keys()]).toEqual([]);
    },
  );

  it.each<[Lie, RegExp]>([
    ["ignores If-None-Match", /overwrites an object that was to be created/],
    ["ignores If-Match", /overwrites another object than was named/],
    ["checks first and writes later", /several writers win/],
    ["shows old bytes", /shows old bytes/],
    ["gives weak ETags", /no strong ETag/],
    ["gives one ETag to all", /overwrites an object that changed meanwhile/],
    ["lists nothing", /does not list/],
    ["refuses every condition", /refuses to create/],
  ])("refuses a store that %s", { timeout: SLOW }, async (lie, why) => {
    const server = await TestS3.start();
    server.lie = lie;
    const probing = (await server.open()).probe();
    await expect(probing).rejects.toMatchObject({ code: "BP-STORE-021" });
    await expect(probing).rejects.toThrow(why);
    expect([...server.objects.keys()]).toEqual([]);
  });

  it("does not call a store that has trouble, or that refuses us, a liar", { timeout: SLOW }, async () => {
    const server = await TestS3.start();
    const bucket = await server.open();
    server.fault = () => ({ status: 403, code: "AccessDenied" });
    await expect(bucket.probe()).rejects.toMatchObject({ code: "BP-STORE-023" });
    server.fault = ({ method }) => (method === "PUT" ? { status: 503, code: "SlowDown" } : undefined);
    await expect(bucket.probe()).rejects.toMatchObject({ code: "BP-STORE-024" });
  });
});
