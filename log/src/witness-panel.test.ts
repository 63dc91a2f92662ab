import { parseUtf8 } from "@bootproof/bytes";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseCheckpoint } from "./checkpoint.ts";
import { verifyConsistency } from "./consistency.ts";
import { LogError } from "./log-error.ts";
import { parseLogPolicy } from "./log-policy.ts";
import { Log } from "./log.ts";
import {
  entriesFrom,
  Killed,
  logOn,
  MemoryDisk,
  MemoryProcess,
  TEST_SIGNER,
} from "./memory-store.testing.ts";
import { checkSignatures, parseNote } from "./note.ts";
import { mlDsa44Signer } from "./signer.ts";
import { noteVerifiers } from "./verifier.ts";
import { verifyTlogProof } from "./verify-tlog-proof.ts";
import { WitnessPanel } from "./witness-panel.ts";
import {
  down,
  failure,
  honest,
  NAMES,
  policy,
  published,
  says,
  silent,
  Village,
  witnessSigners,
} from "./witness-village.testing.ts";

describe("a checkpoint that is public before its witnesses have seen it", () => {
  it("is published with the lines of all who answer, and proofs made then satisfy the policy", async () => {
    const village = new Village();
    const disk = new MemoryDisk();
    const { log, panel } = await village.open(disk);
    expect(published(disk)).toEqual({ size: 0n, by: [] });
    await log.append(entriesFrom(0, 3));
    await panel.settle();
    expect(published(disk)).toEqual({ size: 3n, by: ["w1", "w2", "w3"] });
    await log.append(entriesFrom(3, 300));
    const verdict = verifyTlogProof({
      proof: await log.proof(17n),
      policy: { ...policy, logs: parseLogPolicy(`log ${TEST_SIGNER.vkey}\nquorum none\n`).logs },
    });
    expect(verdict.answer).toBe("yes");
    await panel.settle();
    expect(panel.outcomes.map(({ outcome }) => outcome)).toEqual(["cosigned", "cosigned", "cosigned"]);
    expect(village.asked.sort()).toEqual(
      ["old 0", "old 3"].flatMap((old) => NAMES.map((name) => `${name} ${old}`)).sort(),
    );
  });

  it.each([
    ["is down", down],
    ["never answers", silent],
    ["answers another size", says(409, "2\n", "text/x.tlog.size")],
    ["answers a larger size that it cannot show", says(409, "9999\n", "text/x.tlog.size")],
    ["answers a conflict without a size", says(409, "")],
    ["says that the proof is wrong", says(422, "no")],
    ["does not know the log", says(404, "no")],
    ["cosigns another tree", says(200, "— w1.test AAAAAAAAAAAAAAAAAA==\n")],
    ["answers garbage", says(200, "<html>")],
    ["answers nothing", says(200, "")],
  ] as const)("is published by the other two when one %s", async (_, behaviour) => {
    const village = new Village();
    village.behaviour[0] = behaviour;
    const disk = new MemoryDisk();
    const { log, panel } = await village.open(disk);
    await log.append(entriesFrom(0, 5));
    await panel.settle();
    expect(published(disk)).toEqual({ size: 5n, by: ["w2", "w3"] });
  });

  it.each([
    ["are down", down],
    ["never answer", silent],
    ["lie", says(409, "4\n", "text/x.tlog.size")],
  ])("is not published when two %s; the entries are there once they are back", async (_, behaviour) => {
    const village = new Village();
    const disk = new MemoryDisk();
    const { log, panel } = await village.open(disk);
    await log.append(entriesFrom(0, 2));
    await panel.settle();
    village.behaviour[0] = village.behaviour[1] = behaviour;
    const { log: next } = await village.open(disk);
    const error = await failure("UNWITNESSED", () => next.append(entriesFrom(2, 3)));
    expect(error.found).toContain("1 cosignatures");
    expect(published(disk).size).toBe(2n);
    await failure("UNWITNESSED", () => next.append(entriesFrom(2, 1))); // it is there, and not public
    const { log: opened } = await village.open(disk);
    expect([opened.size, opened.checkpoint.size, opened.reader.head.size]).toEqual([5n, 2n, 2n]);
    expect(published(disk).size).toBe(2n);
    village.behaviour[0] = honest;
    expect(await next.append(entriesFrom(2, 3))).toEqual(
      [2n, 3n, 4n].map((index) => ({ index, duplicate: true })),
    );
    expect(published(disk).size).toBe(5n);
    expect([next.size, next.checkpoint.size]).toEqual([5n, 5n]);
    expect((await next.append(entriesFrom(5, 1)))[0]!.index).toBe(5n);
  });

  it("becomes public without growth when its witnesses are back and somebody asks", async () => {
    const village = new Village();
    const disk = new MemoryDisk();
    const { log } = await village.open(disk);
    village.behaviour.fill(down);
    await failure("UNWITNESSED", () => log.append(entriesFrom(0, 3)));
    await failure("UNWITNESSED", () => log.refresh());
    expect([log.size, log.checkpoint.size]).toEqual([3n, 0n]);
    village.behaviour.fill(honest);
    await log.refresh();
    expect(log.checkpoint.size).toBe(3n);
    expect(published(disk).size).toBe(3n);
  });

  it("gets fresh cosignatures, and keeps the earlier ones of those who are away", async () => {
    const village = new Village();
    const disk = new MemoryDisk();
    const { log, panel } = await village.open(disk);
    await log.append(entriesFrom(0, 3));
    await panel.settle();
    const times = (): (bigint | undefined)[] => {
      const note = parseNote(disk.objects.get("checkpoint")!);
      const verifiers = noteVerifiers(policy.witnesses.map(({ vkey }) => vkey));
      return checkSignatures(note, verifiers).verified.map(({ timestamp }) => timestamp);
    };
    expect(times()).toEqual([village.now, village.now, village.now]);
    const before = village.now;
    village.now += 600n;
    village.behaviour[1] = down;
    await log.refresh();
    await panel.settle();
    expect(times()).toEqual([village.now, before, village.now]);
    village.behaviour[0] = down;
    await failure("UNWITNESSED", () => log.refresh());
    expect(published(disk)).toEqual({ size: 3n, by: ["w1", "w2", "w3"] });
    expect(await log.append(entriesFrom(0, 1))).toEqual([{ index: 0n, duplicate: true }]);
  });

  it("is shown to witnesses with the log's own signatures alone, in a request that all of them read", async () => {
    const village = new Village();
    const seeds = Array.from({ length: 8 }, (_, at) => new Uint8Array(32).fill(100 + at));
    const cosigners = seeds.map((seed) => mlDsa44Signer(TEST_SIGNER.name, seed));
    const options = logOn(new MemoryDisk());
    const keys = [TEST_SIGNER, ...cosigners].map(({ vkey }) => vkey);
    const panel = new WitnessPanel({
      policy,
      logKeys: keys,
      network: village.network,
      staging: options.staging,
      patience: 20_000,
    });
    const sizes: number[] = [];
    village.behaviour.fill((body, answer) => (sizes.push(body.length), answer()));
    const log = await Log.create({ ...options, cosigners, witnesses: panel });
    await log.append(entriesFrom(0, 3));
    expect(log.checkpoint.opened.verified).toHaveLength(9);
    expect(Math.max(...sizes)).toBeLessThan(16_384);
    expect(Math.max(...sizes)).toBeGreaterThan(9000);
  }, 60_000);

  it("gets the lines that come late", async () => {
    const village = new Village();
    let letGo: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (letGo = resolve));
    village.behaviour[2] = async (_body, answer) => gate.then(answer);
    const disk = new MemoryDisk();
    const { log, panel } = await village.open(disk);
    await log.append(entriesFrom(0, 1));
    expect(published(disk).by).toEqual(["w1", "w2"]);
    letGo();
    await panel.settle();
    expect(published(disk)).toEqual({ size: 1n, by: ["w1", "w2", "w3"] });
  });

  it("does not go back to an older one because of a line that comes late", async () => {
    const village = new Village();
    let letGo: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (letGo = resolve));
    const disk = new MemoryDisk();
    village.behaviour[2] = async (_body, answer) => gate.then(answer);
    const { log, panel } = await village.open(disk);
    await log.append(entriesFrom(0, 1));
    village.behaviour[2] = down;
    await log.append(entriesFrom(1, 1));
    letGo();
    await new Promise((resolve) => setTimeout(resolve, 100));
    await panel.settle();
    expect(published(disk)).toEqual({ size: 2n, by: ["w1", "w2"] });
  });

  it("follows a witness that stands elsewhere than we remember", async () => {
    const village = new Village();
    const disk = new MemoryDisk();
    const { log, panel } = await village.open(disk);
    await log.append(entriesFrom(0, 300));
    await panel.settle();
    // One that was restored, one that is new, and a log that has forgotten where they stood.
    village.disks[1]!.head = undefined;
    disk.staging.delete("witnesses");
    const again = await village.open(disk);
    await again.log.append(entriesFrom(300, 300));
    await again.panel.settle();
    expect(published(disk)).toEqual({ size: 600n, by: ["w1", "w2", "w3"] });
    expect(village.asked.slice(3).sort()).toEqual([
      "w1 old 0",
      "w1 old 300",
      "w2 old 0",
      "w3 old 0",
      "w3 old 300",
    ]);
  });

  it("is asked for again when the policy asks for more than it did", async () => {
    const village = new Village();
    const disk = new MemoryDisk();
    const plain = await Log.create(logOn(disk));
    await plain.append(entriesFrom(0, 4));
    expect(published(disk).by).toEqual([]);
    const { panel } = await village.open(disk);
    await panel.settle();
    expect(published(disk)).toEqual({ size: 4n, by: ["w1", "w2", "w3"] });
    village.asked.length = 0;
    await village.open(disk);
    expect(village.asked).toEqual([]);
  });

  it("cannot be asked for where the policy has no addresses", () => {
    const [signer] = witnessSigners;
    const nowhere = parseLogPolicy(`witness w ${signer!.vkey}\nquorum w\n`);
    const { staging } = new MemoryProcess(new MemoryDisk());
    const { network } = new Village();
    expect(
      () => new WitnessPanel({ policy: nowhere, logKeys: [TEST_SIGNER.vkey], network, staging, patience: 1 }),
    ).toThrow(LogError);
  });
});

describe("a log with witnesses that is killed", () => {
  const step = fc.record({
    what: fc.oneof(
      { weight: 6, arbitrary: fc.integer({ min: 1, max: 4 }) },
      { weight: 2, arbitrary: fc.constant("refresh" as const) },
      { weight: 1, arbitrary: fc.constant("freeze" as const) },
    ),
    away: fc.subarray([0, 1, 2]),
  });
  const life = fc.record({
    steps: fc.array(step, { minLength: 1, maxLength: 3 }),
    kill: fc.option(fc.nat(40)),
  });

  it("never shows a checkpoint without its quorum, takes nothing back, and shows its witnesses one chain", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(life, { minLength: 1, maxLength: 5 }), async (lives) => {
        const village = new Village();
        const disk = new MemoryDisk();
        const told = new Map<bigint, string>();
        let number = 0;
        for (const { steps, kill } of lives)
          try {
            const fate = kill === null ? undefined : { after: kill, coin: (nth: number) => nth % 2 === 0 };
            const { log } = await village.open(disk, fate);
            for (const { what, away } of steps) {
              NAMES.forEach((_, at) => (village.behaviour[at] = away.includes(at) ? down : honest));
              number += 4;
              await take(log, what, entriesFrom(number, typeof what === "number" ? what : 1), told);
            }
          } catch (error) {
            if (!(error instanceof Killed)) throw error;
          }
        village.behaviour.fill(honest);
        const { log, panel } = await village.open(disk);
        await panel.settle();
        await expectWitnessed(disk, log, told);
        for (const { head } of village.disks) {
          if (head === undefined) continue;
          const { size, root } = parseCheckpoint(parseNote(head.bytes).unverifiedText);
          expect(await log.reader.rootAt(size)).toEqual(root);
        }
      }),
      { numRuns: 25 },
    );
  }, 120_000);

  async function take(
    log: Log,
    what: number | "refresh" | "freeze",
    entries: Uint8Array[],
    told: Map<bigint, string>,
  ): Promise<void> {
    try {
      const appended = typeof what === "number" ? await log.append(entries) : [];
      if (what === "refresh") await log.refresh();
      if (what === "freeze") await log.freeze();
      expect(log.checkpoint.size).toBe(log.size);
      appended.forEach(({ index }, at) => told.set(index, parseUtf8(entries[at]!, "entry")));
    } catch (error) {
      const goesOn = error instanceof LogError && ["UNWITNESSED", "FROZEN"].includes(error.kind);
      if (!goesOn) throw error;
      expect(log.size).toBeGreaterThanOrEqual(log.checkpoint.size);
    }
  }

  async function expectWitnessed(disk: MemoryDisk, log: Log, told: Map<bigint, string>): Promise<void> {
    expect(log.checkpoint.size).toBe(log.size);
    expect((await log.audit()).fault).toBeUndefined();
    for (const [index, text] of told) expect(parseUtf8(await log.reader.entry(index), "entry")).toBe(text);
    let last = 0n;
    for (const bytes of disk.published) {
      const note = parseNote(bytes);
      const { size, root } = parseCheckpoint(note.unverifiedText);
      const { verified } = checkSignatures(note, noteVerifiers(policy.witnesses.map(({ vkey }) => vkey)));
      expect(size === 0n || verified.length >= 2).toBe(true);
      expect(size).toBeGreaterThanOrEqual(last);
      last = size;
      const proof = await log.reader.consistencyProof(size);
      expect(verifyConsistency({ size, root }, log.checkpoint, proof)).toBe(true);
    }
  }
});
