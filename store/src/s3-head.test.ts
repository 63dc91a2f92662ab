import { utf8 } from "@bootproof/bytes";
import { describe, expect, it } from "vitest";
import { S3Head } from "./s3-head.ts";
import { TestS3, type Fault } from "./s3-server.testing.ts";

const SLOW = 60_000;

async function moved(server: TestS3, to: number): Promise<S3Head> {
  const head = new S3Head(await server.open({ timeout: 2000 }));
  for (let at = 0; at < to; at++) await head.compareAndSwap(at, utf8(`${at + 1}`));
  return head;
}

describe("a head in a bucket: two writers must never both believe that they committed", () => {
  it("moves only from the generation its writer has seen", async () => {
    const head = new S3Head(await (await TestS3.start()).open(), "head");
    expect(await head.read()).toBeUndefined();
    expect(await head.compareAndSwap(1, utf8("x"))).toBe("conflict");
    expect(await head.compareAndSwap(0, utf8("first"))).toBe("committed");
    expect(await head.compareAndSwap(0, utf8("rival"))).toBe("conflict");
    expect(await head.compareAndSwap(1, utf8("second"))).toBe("committed");
    expect(await head.compareAndSwap(1, utf8("rival"))).toBe("conflict");
    expect(await head.compareAndSwap(3, utf8("ahead"))).toBe("conflict");
    expect(await head.read()).toEqual({ generation: 2, bytes: utf8("second") });
    for (const bad of [-1, 0.5, Number.NaN, 2 ** 53])
      await expect(head.compareAndSwap(bad, utf8(""))).rejects.toMatchObject({ code: "BP-STORE-008" });
  });

  it("gives each of 100 generations to exactly one of four writers", { timeout: SLOW }, async () => {
    const server = await TestS3.start();
    const advance = async (name: number): Promise<number[]> => {
      const head = new S3Head(await server.open());
      const won: number[] = [];
      for (;;) {
        const generation = (await head.read())?.generation ?? 0;
        if (generation >= 100) return won;
        if ((await head.compareAndSwap(generation, utf8(`${name}`))) === "committed")
          won.push(generation + 1);
      }
    };
    const all = (await Promise.all([1, 2, 3, 4].map(advance))).flat().sort((a, b) => a - b);
    expect(all).toEqual(Array.from({ length: 100 }, (_, index) => index + 1));
  });

  it("does not take a head that vanished for one that never was", async () => {
    const server = await TestS3.start();
    const head = await moved(server, 2);
    server.objects.clear();
    expect(await head.compareAndSwap(2, utf8("3"))).toBe("conflict");
    expect(await head.read()).toBeUndefined();
  });

  it.each([0, 2])("tries again after 409, which did nothing, and hears who won (from %i)", async (from) => {
    const server = await TestS3.start();
    const head = await moved(server, from);
    server.once({ method: "PUT" }, { status: 409, code: "ConditionalRequestConflict" }, 3);
    expect(await head.compareAndSwap(from, utf8("ours"))).toBe("committed");
    const rival = new S3Head(await server.open());
    let decided = false;
    server.fault = ({ body }) => (body.includes("slow") && !decided ? { status: 409 } : undefined);
    const slow = head.compareAndSwap(from + 1, utf8("slow"));
    expect(await rival.compareAndSwap(from + 1, utf8("rival"))).toBe("committed");
    decided = true;
    expect(await slow).toBe("conflict");
  });

  it("is an error, and no conflict, when 409 does not end", { timeout: SLOW }, async () => {
    const server = await TestS3.start();
    const head = await moved(server, 1);
    server.fault = ({ method }) => (method === "PUT" ? { status: 409 } : undefined);
    await expect(head.compareAndSwap(1, utf8("2"))).rejects.toMatchObject({ code: "BP-STORE-023" });
  });

  it.each<[Fault, number]>([
    ["drop", 1],
    ["lose", 2],
    ["hang", 2],
    ["late", 1],
    [{ status: 500, code: "InternalError" }, 1],
    [{ status: 503, code: "SlowDown" }, 1],
    [{ status: 202 }, 1],
  ])("says that it cannot tell after %j, and sends nothing twice", async (fault, generation) => {
    const server = await TestS3.start();
    const head = await moved(server, 1);
    server.once({ method: "PUT" }, fault);
    const puts = (): number => server.asked.filter(({ method }) => method === "PUT").length;
    const before = puts();
    await expect(head.compareAndSwap(1, utf8("2"))).rejects.toMatchObject({ code: "BP-STORE-024" });
    expect(puts()).toBe(before + 1);
    expect((await head.read())?.generation).toBe(generation);
  });

  it.each([0, 1])("is not moved by a write that lands after another writer's (from %i)", async (from) => {
    const server = await TestS3.start();
    const early = await moved(server, from);
    server.once({ method: "PUT" }, "late");
    await expect(early.compareAndSwap(from, utf8("late"))).rejects.toMatchObject({ code: "BP-STORE-024" });
    const next = new S3Head(await server.open());
    expect(await next.compareAndSwap(from, utf8("next"))).toBe("committed");
    server.landLate();
    expect(await next.read()).toEqual({ generation: from + 1, bytes: utf8("next") });
  });

  it("stops the writer that went on when a late write of the one before lands first", async () => {
    const server = await TestS3.start();
    const early = await moved(server, 1);
    server.once({ method: "PUT" }, "late");
    await expect(early.compareAndSwap(1, utf8("late"))).rejects.toMatchObject({ code: "BP-STORE-024" });
    const next = new S3Head(await server.open());
    expect((await next.read())?.generation).toBe(1);
    server.landLate();
    expect(await next.compareAndSwap(1, utf8("next"))).toBe("conflict");
    expect(await next.read()).toEqual({ generation: 2, bytes: utf8("late") });
  });

  it.each([
    ["", "not a head"],
    ["something else\n", "not a head"],
    ["bootproof.store/head@v1 1", "not a head"],
    ["bootproof.store/head@v1 01\nx", "decimal"],
    ["bootproof.store/head@v1 0\nx", "generation"],
    ["bootproof.store/head@v1 9007199254740992\nx", "generation"],
    ["bootproof.store/head@v1 99999999999999999999\nx", "not a head"],
  ])("refuses %j", async (text, why) => {
    const server = await TestS3.start();
    const bucket = await server.open();
    await bucket.put("head", utf8(text), "new");
    const read = new S3Head(bucket).read();
    await expect(read).rejects.toMatchObject({ code: "BP-STORE-025" });
    await expect(read).rejects.toThrow(why);
  });
});
