import { parseUtf8, utf8 } from "@bootproof/bytes";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { WitnessNetwork, WitnessResponse } from "./ask-witnesses.ts";
import { parseCheckpoint } from "./checkpoint.ts";
import { verifyConsistency } from "./consistency.ts";
import { LogError, type LogErrorKind } from "./log-error.ts";
import { parseLogPolicy } from "./log-policy.ts";
import { Log } from "./log.ts";
import {
  entriesFrom,
  Killed,
  logOn,
  MemoryDisk,
  MemoryProcess,
  TEST_SIGNER,
  type KillPoint,
} from "./memory-store.testing.ts";
import { checkSignatures, parseNote } from "./note.ts";
import { cosignatureSigner, mlDsa44Signer } from "./signer.ts";
import { noteVerifiers } from "./verifier.ts";
import { verifyTlogProof } from "./verify-tlog-proof.ts";
import { WitnessPanel } from "./witness-panel.ts";
import { originHash, Witness } from "./witness.ts";

/** How a witness behaves on the network: as it is, or as it pretends. */
type Behaviour = (body: Uint8Array, honest: () => Promise<WitnessResponse>) => Promise<WitnessResponse>;

const honest: Behaviour = (_body, answer) => answer();
const down: Behaviour = () => Promise.reject(new Error("connection refused"));
const silent: Behaviour = () => new Promise(() => undefined);
const says =
  (status: number, text: string, contentType = "text/plain"): Behaviour =>
  () =>
    Promise.resolve({ status, contentType, body: utf8(text) });

const NAMES = ["w1", "w2", "w3"] as const;
const witnessSigners = NAMES.map((name, at) =>
  at === 2
    ? mlDsa44Signer(`${name}.test`, new Uint8Array(32).fill(40 + at))
    : cosignatureSigner(`${name}.test`, new Uint8Array(32).fill(40 + at)),
);
const policy = parseLogPolicy(
  [
    ...NAMES.map((name, at) => `witness ${name} ${witnessSigners[at]!.vkey} https://${name}.test/`),
    "group two 2 w1 w2 w3",
    "quorum two",
    "",
  ].join("\n"),
);

/** Three real witnesses behind a network in memory. */
class Village {
  readonly disks = NAMES.map(() => new MemoryDisk());
  readonly behaviour: Behaviour[] = NAMES.map(() => honest);
  readonly #witnesses = this.disks.map(
    (disk, at) =>
      new Witness({
        signers: [witnessSigners[at]!],
        logKeys: (origin) => (origin === TEST_SIGNER.name ? [TEST_SIGNER.vkey] : undefined),
        memory: () => Promise.resolve(new MemoryProcess(disk).head),
        now: () => 1_700_000_000n,
      }),
  );
  readonly asked: string[] = [];

  readonly network: WitnessNetwork = {
    request: async (url, body) => {
      const at = NAMES.findIndex((name) => url.startsWith(`https://${name}.test/`));
      const path = url.slice(`https://${NAMES[at]!}.test/`.length);
      if (body === undefined) {
        const note = await this.#witnesses[at]!.latest(TEST_SIGNER.name);
        const found = path === `${originHash(TEST_SIGNER.name)}/checkpoint` ? note : undefined;
        return { status: found === undefined ? 404 : 200, contentType: "", body: found ?? new Uint8Array() };
      }
      expect(path).toBe("add-checkpoint");
      this.asked.push(`${NAMES[at]!} ${parseUtf8(body.subarray(0, body.indexOf(0x0a)), "old")}`);
      return this.behaviour[at]!(body, () => this.#witnesses[at]!.addCheckpoint(body));
    },
    after: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds).unref()),
  };

  panel(staging: MemoryProcess["staging"]): WitnessPanel {
    const patience = this.behaviour.includes(silent) ? 1500 : 20_000;
    return new WitnessPanel({ policy, logKey: TEST_SIGNER.vkey, network: this.network, staging, patience });
  }

  async open(disk: MemoryDisk, kill?: KillPoint): Promise<{ log: Log; panel: WitnessPanel }> {
    const options = logOn(disk, kill);
    const panel = this.panel(options.staging);
    const whole = { ...options, witnesses: panel };
    return { log: disk.head === undefined ? await Log.create(whole) : await Log.open(whole), panel };
  }
}

const published = (disk: MemoryDisk): { size: bigint; by: string[] } => {
  const note = parseNote(disk.objects.get("checkpoint")!);
  const { verified, failed } = checkSignatures(note, noteVerifiers(policy.witnesses.map(({ vkey }) => vkey)));
  expect(failed).toEqual([]);
  return {
    size: parseCheckpoint(note.unverifiedText).size,
    by: verified.map(({ verifier }) => verifier.vkey.name.slice(0, 2)).sort(),
  };
};

async function failure(kind: LogErrorKind, run: () => Promise<unknown>): Promise<LogError> {
  const error = await run().then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toMatchObject({ kind });
  return error as LogError;
}

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
    await failure("UNWITNESSED", () => village.open(disk));
    expect(published(disk).size).toBe(2n);
    village.behaviour[0] = honest;
    const again = await village.open(disk);
    expect(published(disk).size).toBe(5n);
    expect(await again.log.append(entriesFrom(2, 3))).toEqual(
      [2n, 3n, 4n].map((index) => ({ index, duplicate: true })),
    );
  });

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
      () => new WitnessPanel({ policy: nowhere, logKey: TEST_SIGNER.vkey, network, staging, patience: 1 }),
    ).toThrow(LogError);
  });
});

describe("an older copy of a log that is written to", () => {
  it.each(["rolled back", "forked"])("is stopped by the checkpoint that a witness shows: %s", async (how) => {
    const village = new Village();
    const disk = new MemoryDisk();
    const first = await village.open(disk);
    await first.log.append(entriesFrom(0, 4));
    await first.panel.settle();
    const old = disk.copy();
    await first.log.append(entriesFrom(4, 4));
    await first.panel.settle();
    const { log } = await village.open(old);
    const [kind, count] = how === "forked" ? (["FORK", 9] as const) : (["ROLLBACK", 2] as const);
    await failure(kind, () => log.append(entriesFrom(0, count, "other")));
    expect(published(old).size).toBe(4n);
  });
});

describe("a log with witnesses that is killed", () => {
  it("never shows a checkpoint without its quorum, and never two that contradict each other", async () => {
    const life = fc.record({
      count: fc.integer({ min: 1, max: 4 }),
      kill: fc.option(fc.nat(30)),
      down: fc.subarray([0, 1, 2]),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(life, { minLength: 1, maxLength: 5 }), async (lives) => {
        const village = new Village();
        const disk = new MemoryDisk();
        for (const { count, kill, down: away } of lives) {
          NAMES.forEach((_, at) => (village.behaviour[at] = away.includes(at) ? down : honest));
          try {
            const { log, panel } = await village.open(
              disk,
              kill === null ? undefined : { after: kill, coin: (nth) => nth % 2 === 0 },
            );
            await log.append(entriesFrom(disk.published.length * 10, count));
            await panel.settle();
          } catch (error) {
            if (!(error instanceof Killed) && !(error instanceof LogError && error.kind === "UNWITNESSED"))
              throw error;
          }
        }
        NAMES.forEach((_, at) => (village.behaviour[at] = honest));
        const { log } = await village.open(disk);
        let last = 0n;
        for (const note of disk.published) {
          const parsed = parseNote(note);
          const { size, root } = parseCheckpoint(parsed.unverifiedText);
          const { verified } = checkSignatures(
            parsed,
            noteVerifiers(policy.witnesses.map(({ vkey }) => vkey)),
          );
          expect(size === 0n || verified.length >= 2).toBe(true);
          expect(size).toBeGreaterThanOrEqual(last);
          last = size;
          const proof = await log.reader.consistencyProof(size);
          expect(verifyConsistency({ size, root }, log.checkpoint, proof)).toBe(true);
        }
      }),
      { numRuns: 12 },
    );
  });
});
