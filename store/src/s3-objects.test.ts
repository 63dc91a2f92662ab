import { utf8 } from "@bootproof/bytes";
import { describe, expect, it } from "vitest";
import { S3Objects } from "./s3-objects.ts";
import { TestS3, type Fault } from "./s3-server.testing.ts";

const SLOW = 60_000;
const ours = (): Promise<void> => Promise.resolve();

describe("objects in a bucket: a late or lost request must not change what is there", () => {
  it("never change when they are immutable", async () => {
    const objects = new S3Objects(await (await TestS3.start()).open(), "public");
    await objects.putImmutables([
      { key: "tile/0/000", bytes: utf8("tile") },
      { key: "tile/0/001", bytes: utf8("more") },
    ]);
    await objects.putImmutable("tile/0/000", utf8("tile"));
    await expect(objects.putImmutable("tile/0/000", utf8("tilt"))).rejects.toMatchObject({
      code: "BP-STORE-007",
      found: "4 bytes that differ at offset 3",
    });
    expect(await objects.get("tile/0/000")).toEqual(utf8("tile"));
    expect(await objects.list("tile/")).toEqual(["tile/0/000", "tile/0/001"]);
  });

  it.each<Fault>([
    "drop",
    "lose",
    "late",
    "hang",
    { status: 500 },
    { status: 503 },
    { status: 409 },
    { status: 429 },
  ])("are created all the same after %j", { timeout: SLOW }, async (fault) => {
    const server = await TestS3.start();
    // Whoever is not answered at all waits as long as this, twice.
    const objects = new S3Objects(await server.open({ timeout: 1000 }));
    server.once({ method: "PUT" }, fault, 2);
    await objects.putImmutable("tile", utf8("tile"));
    server.landLate();
    expect(await objects.get("tile")).toEqual(utf8("tile"));
    await expect(objects.putImmutable("tile", utf8("other"))).rejects.toMatchObject({ code: "BP-STORE-007" });
  });

  it("fail when the store never takes them", { timeout: SLOW }, async () => {
    const server = await TestS3.start();
    const objects = new S3Objects(await server.open());
    server.fault = () => ({ status: 409, code: "ConditionalRequestConflict" });
    await expect(objects.putImmutable("tile", utf8("tile"))).rejects.toMatchObject({ code: "BP-STORE-023" });
    server.fault = () => ({ status: 403, code: "AccessDenied" });
    await expect(objects.putImmutable("tile", utf8("tile"))).rejects.toMatchObject({
      found: "403 AccessDenied",
    });
    server.fault = () => "drop";
    await expect(objects.putImmutable("tile", utf8("tile"))).rejects.toMatchObject({ code: "BP-STORE-024" });
  });

  it("tell readers what they are and how long they last", async () => {
    const server = await TestS3.start();
    const objects = new S3Objects(await server.open());
    await objects.putImmutable("tile/0/000", utf8("tile"));
    await objects.putMutable("checkpoint", utf8("note"));
    expect(server.objects.get("log/tile/0/000")?.headers).toMatchObject({
      "content-type": "application/octet-stream",
      "cache-control": "public, max-age=31536000, immutable",
    });
    expect(server.objects.get("log/checkpoint")?.headers).toMatchObject({
      "content-type": "text/plain; charset=utf-8",
      "cache-control": "no-cache",
    });
    const own = new S3Objects(await server.open(), "own", {
      headers: (key) => ({ "content-type": `text/${key}` }),
    });
    await own.putMutable("x", utf8("x"), ours);
    expect(server.objects.get("log/own/x")?.headers["content-type"]).toBe("text/x");
  });

  it("are not replaced by a writer that was overtaken after it had made sure", async () => {
    const server = await TestS3.start();
    const [early, late] = [new S3Objects(await server.open()), new S3Objects(await server.open())];
    for (const before of [undefined, utf8("old")]) {
      await early.delete("checkpoint");
      if (before !== undefined) await early.putMutable("checkpoint", before);
      const overtake = (): Promise<void> => late.putMutable("checkpoint", utf8("new"), ours);
      await expect(early.putMutable("checkpoint", utf8("stale"), overtake)).rejects.toMatchObject({
        code: "BP-STORE-020",
      });
      expect(await early.get("checkpoint")).toEqual(utf8("new"));
    }
    const gone = (): Promise<void> => late.delete("checkpoint");
    await expect(early.putMutable("checkpoint", utf8("stale"), gone)).rejects.toMatchObject({
      code: "BP-STORE-020",
    });
    const unsure = (): Promise<void> => Promise.reject(new Error("not ours any more"));
    await expect(early.putMutable("checkpoint", utf8("stale"), unsure)).rejects.toThrow("not ours any more");
    expect(await early.get("checkpoint")).toBeUndefined();
  });

  it.each([undefined, "old"])(
    "are not replaced by a request that lands after another one (%s)",
    async (before) => {
      const server = await TestS3.start();
      const [early, late] = [new S3Objects(await server.open()), new S3Objects(await server.open())];
      if (before !== undefined) await early.putMutable("checkpoint", utf8(before), ours);
      server.once({ method: "PUT" }, "late");
      await expect(early.putMutable("checkpoint", utf8("stale"), ours)).rejects.toMatchObject({
        code: "BP-STORE-024",
      });
      await late.putMutable("checkpoint", utf8("new"), ours);
      server.landLate();
      expect(await early.get("checkpoint")).toEqual(utf8("new"));
    },
  );

  it("are not replaced when the store has no ETag that identifies them", async () => {
    const server = await TestS3.start();
    server.lie = "gives weak ETags";
    const objects = new S3Objects(await server.open());
    await objects.putMutable("checkpoint", utf8("old"));
    await expect(objects.putMutable("checkpoint", utf8("new"), ours)).rejects.toMatchObject({
      code: "BP-STORE-025",
    });
  });
});
