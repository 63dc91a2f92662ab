import { describe, expect, it } from "vitest";
import type { LogError } from "./log-error.ts";
import { Log } from "./log.ts";
import { entriesFrom, logOn, MemoryDisk, TEST_SIGNER } from "./memory-store.testing.ts";
import { failure, Village } from "./witness-village.testing.ts";

describe("an older copy of a log that is written to", () => {
  const copies = async (village: Village): Promise<{ old: MemoryDisk; forked: MemoryDisk }> => {
    const disk = new MemoryDisk();
    const { log, panel } = await village.open(disk);
    await log.append(entriesFrom(0, 4));
    await panel.settle();
    const old = disk.copy();
    await log.append(entriesFrom(4, 4));
    await panel.settle();
    const forked = old.copy();
    await (await Log.open(logOn(forked))).append(entriesFrom(0, 4, "other")); // without asking anybody
    return { old, forked };
  };

  it.each([
    ["older", "old", "ROLLBACK", "8"],
    ["another one", "forked", "FORK", undefined],
  ] as const)("is refused when it is opened, before it signs anything: %s", async (_, copy, kind, found) => {
    const village = new Village();
    const disk = (await copies(village))[copy];
    village.asked.length = 0;
    const signed: Uint8Array[] = [];
    const sign = (text: Uint8Array): Uint8Array | Promise<Uint8Array> => (
      signed.push(text),
      TEST_SIGNER.sign(text)
    );
    const options = { ...logOn(disk), signer: { ...TEST_SIGNER, sign } };
    const before = disk.copy();
    const error = await failure(kind, () =>
      Log.open({ ...options, witnesses: village.panel(options.staging) }),
    );
    if (found !== undefined) expect(error.found).toBe(found);
    expect([signed, village.asked]).toEqual([[], []]);
    expect([disk.objects, disk.head]).toEqual([before.objects, before.head]);
  });

  it.each([0, 1, 2])("is refused whichever one witness shows what it has seen: %i", async (at) => {
    const village = new Village();
    const { old } = await copies(village);
    village.blind = new Set([0, 1, 2].filter((other) => other !== at));
    await failure("ROLLBACK", () => village.open(old));
  });

  it("signs nothing new while too few witnesses can be asked, and says which", async () => {
    const village = new Village();
    const { old } = await copies(village);
    village.unreachable = new Set([0, 1]);
    village.blind = new Set([2]);
    const { log } = await village.open(old);
    const error = await failure("UNWITNESSED", () => log.append(entriesFrom(0, 2, "other")));
    expect(error.found).toBe("w1: connection refused; w2: connection refused; w3: it was asked");
    expect([log.size, old.head!.generation]).toEqual([4n, 2]);
    village.unreachable.clear();
    await failure("ROLLBACK", () => log.append(entriesFrom(0, 2, "other")));
    expect(log.size).toBe(4n);
    await failure("STOPPED", () => log.append(entriesFrom(0, 2, "other")));
  });

  it.each([
    ["all", [0], "goes on"], // the third and second could publish nothing without the first
    ["all", [], "waits"],
    ["2", [0, 1], "goes on"],
    ["2", [2], "waits"], // the first and second could have published without it
    ["any", [1], "goes on"],
    ["any", [], "waits"],
  ] as const)("with a quorum of %s, reaching %j, it %s", async (threshold, reached, outcome) => {
    const village = new Village(threshold);
    village.unreachable = new Set([0, 1, 2].filter((at) => !(reached as readonly number[]).includes(at)));
    const { log } = await village.open(new MemoryDisk());
    const append = log.append(entriesFrom(0, 1)).then(
      () => "goes on",
      (error: unknown) => (error as LogError).kind,
    );
    expect(await append).toBe(outcome === "goes on" ? outcome : "UNWITNESSED");
    expect(log.size).toBe(outcome === "goes on" ? 1n : 0n);
  });

  it("is stopped when a witness shows late what it has seen", async () => {
    const village = new Village();
    const { old } = await copies(village);
    const gate = Promise.withResolvers<undefined>();
    village.blind = new Set([1, 2]);
    village.look = (at) => (at === 0 ? gate.promise : Promise.resolve());
    const { log } = await village.open(old);
    gate.resolve(undefined);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await failure("ROLLBACK", () => log.append(entriesFrom(0, 2, "other")));
    expect(old.head!.generation).toBe(2);
  });

  it("is not taken for one because a witness answers late, when it has cosigned more of ours", async () => {
    const village = new Village();
    const disk = new MemoryDisk();
    const gate = Promise.withResolvers<undefined>();
    village.look = (at) => (at === 0 ? gate.promise : Promise.resolve());
    const { log, panel } = await village.open(disk);
    await log.append(entriesFrom(0, 4));
    await panel.settle();
    gate.resolve(undefined);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await log.append(entriesFrom(4, 4));
    expect(log.checkpoint.size).toBe(8n);
  });
});
