import {
  formatHex,
  formatVkey,
  KEY_TYPE,
  makeVkey,
  parseHex,
  parseUtf8,
  utf8,
  type Sha256,
} from "@bootproof/bytes";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatCheckpoint, openCheckpoint } from "./checkpoint.ts";
import { expectOneSpelling, expectParserToSurvive, readVectors } from "./hostile.testing.ts";
import { LogError } from "./log-error.ts";
import { Killed, MemoryDisk, MemoryProcess, TEST_SIGNER, type KillPoint } from "./memory-store.testing.ts";
import { leafHash } from "./merkle.ts";
import { addSignatures, checkSignatures, parseNote, parseSignatureLines, signNote } from "./note.ts";
import { proof, treeHash } from "./reference-tree.testing.ts";
import { cosignatureSigner, ed25519Signer, mlDsa44Signer } from "./signer.ts";
import { noteVerifiers } from "./verifier.ts";
import { formatAddCheckpoint, parseAddCheckpoint } from "./witness-request.ts";
import { Witness, type WitnessOptions } from "./witness.ts";

interface Step {
  readonly name: string;
  readonly body: string;
  readonly status: number;
  readonly response_contains?: string;
  readonly response_equals?: string;
}
const ours = readVectors<{ log_vkey: string; steps: Step[] }>("witness/add-checkpoint-sequence-2.json");
const theirs = readVectors<{ origin: string; log_pub_hex: string; steps: Step[] }>(
  "witness/add-checkpoint-sequence.json",
);

const ed25519 = cosignatureSigner("witness.test/w", new Uint8Array(32).fill(2));
const mlDsa = mlDsa44Signer("witness.test/w", new Uint8Array(32).fill(3));
const signers = [ed25519, mlDsa];

function witnessOn(process: MemoryProcess, options: Partial<WitnessOptions> = {}): Witness {
  return new Witness({
    signers,
    logKeys: (origin) => (origin === TEST_SIGNER.name ? [TEST_SIGNER.vkey] : undefined),
    memory: () => Promise.resolve(process.head),
    now: () => 1_700_000_000n,
    ...options,
  });
}

/** Leaves of a tree that may share its beginning with others. */
const leaves = (count: number, fork = count, name = ""): Sha256[] =>
  Array.from({ length: count }, (_, at) => leafHash(utf8(at < fork ? `leaf ${at}` : `${name} ${at}`)));

const notes = new Map<string, Promise<Uint8Array>>();

async function requestFor(tree: readonly Sha256[], oldSize: number, size: number): Promise<Uint8Array> {
  const root = treeHash(tree.slice(0, size));
  const text = formatCheckpoint({ origin: TEST_SIGNER.name, size: BigInt(size), root });
  const signed = notes.get(formatHex(text)) ?? signNote(text, [TEST_SIGNER]);
  notes.set(formatHex(text), signed);
  const note = await signed;
  const hashes = oldSize > 0 && oldSize < size ? proof(oldSize, tree.slice(0, size)) : [];
  return formatAddCheckpoint({ oldSize: BigInt(oldSize), proof: hashes, note });
}

describe("a witness that says yes to what it must refuse", () => {
  it("answers each step of the sequence for our log as the specification says", async () => {
    const [name] = ours.log_vkey.split("+");
    const witness = witnessOn(new MemoryProcess(new MemoryDisk()), {
      logKeys: (origin) => (origin === name ? [ours.log_vkey] : undefined),
    });
    for (const step of ours.steps) {
      const { status, body } = await witness.addCheckpoint(utf8(step.body));
      expect([step.name, status]).toEqual([step.name, step.status]);
      if (step.response_equals !== undefined) expect(parseUtf8(body, "answer")).toBe(step.response_equals);
    }
  });

  it("answers each step of torchwood's own sequence as the specification says", async () => {
    const publicKey = parseHex(theirs.log_pub_hex, "public key");
    const key = formatVkey(makeVkey(theirs.origin, KEY_TYPE.ed25519, publicKey));
    const witness = witnessOn(new MemoryProcess(new MemoryDisk()), {
      logKeys: (origin) => (origin === theirs.origin ? [key] : undefined),
    });
    for (const step of theirs.steps) {
      // Its forged signature has pad bits that are not zero: no base64 that RFC 4648 lets anyone write.
      if (step.name === "invalid signature")
        expect((await witness.addCheckpoint(utf8(step.body))).status).toBe(400);
      const { status, contentType, body } = await witness.addCheckpoint(
        utf8(step.body.replace("x6gx=\n", "x6gw=\n")),
      );
      expect([step.name, status]).toEqual([step.name, step.status]);
      if (status === 409) {
        expect(contentType).toBe("text/x.tlog.size");
        expect(parseUtf8(body, "answer")).toBe(step.response_contains);
      }
    }
  });

  it("gives a line for each of its keys, which verify and carry the time", async () => {
    const witness = witnessOn(new MemoryProcess(new MemoryDisk()));
    const request = await requestFor(leaves(5), 0, 5);
    const answer = await witness.addCheckpoint(request);
    expect(answer).toMatchObject({ status: 200, about: { origin: TEST_SIGNER.name, size: 5n } });
    const { note } = parseAddCheckpoint(request);
    const whole = parseNote(addSignatures(note, parseSignatureLines(answer.body)));
    const { verified } = checkSignatures(whole, noteVerifiers(signers.map(({ vkey }) => vkey)));
    expect(verified.map(({ timestamp }) => timestamp)).toEqual([1_700_000_000n, 1_700_000_000n]);
    expect(formatHex((await witness.latest(TEST_SIGNER.name))!)).toBe(
      formatHex(addSignatures(note, parseSignatureLines(answer.body))),
    );
    expect(await witness.latest("another.example")).toBeUndefined();
  });

  it("answers 409 to another root at the same size when asked to follow the older text", async () => {
    const older = witnessOn(new MemoryProcess(new MemoryDisk()), { otherRootStatus: 409 });
    expect((await older.addCheckpoint(await requestFor(leaves(3), 0, 3))).status).toBe(200);
    const fork = await requestFor(leaves(3, 1, "fork"), 3, 3);
    const answer = await older.addCheckpoint(fork);
    expect([answer.status, answer.contentType]).toEqual([409, "text/plain; charset=utf-8"]);
  });

  it("ignores signatures of unknown keys, and refuses a known key's line that does not verify", async () => {
    const witness = witnessOn(new MemoryProcess(new MemoryDisk()));
    const { note, ...rest } = parseAddCheckpoint(await requestFor(leaves(2), 0, 2));
    const [line] = parseNote(note).signatures;
    const stranger = { ...line!, keyId: "00000000" };
    const forged = { ...line!, signature: line!.signature.with(3, 1 ^ line!.signature[3]!) };
    const ask = async (more: typeof line): Promise<number> =>
      (await witness.addCheckpoint(formatAddCheckpoint({ ...rest, note: addSignatures(note, [more!]) })))
        .status;
    expect(await ask(stranger)).toBe(200);
    const rogue = ed25519Signer(TEST_SIGNER.name, new Uint8Array(32).fill(9));
    const text = parseNote(note).unverifiedText;
    const alien = await signNote(text, [rogue]);
    expect((await witness.addCheckpoint(formatAddCheckpoint({ ...rest, note: alien }))).status).toBe(403);
    expect(await ask(forged)).toBe(403);
    const flood = addSignatures(
      note,
      Array.from({ length: 90 }, () => line!),
    );
    expect((await witness.addCheckpoint(formatAddCheckpoint({ ...rest, note: flood }))).status).toBe(403);
    const kept = parseNote((await witness.latest(TEST_SIGNER.name))!);
    expect(kept.signatures.map(({ keyId }) => keyId)).not.toContain("00000000");
  });

  it("refuses to go on from a memory that is not what it cosigned", async () => {
    const disk = new MemoryDisk();
    const witness = witnessOn(new MemoryProcess(disk));
    await witness.addCheckpoint(await requestFor(leaves(4), 0, 4));
    const { generation, bytes } = disk.head!;
    for (const broken of [bytes.slice(0, 30), bytes.with(TEST_SIGNER.name.length + 1, 0x39)]) {
      disk.head = { generation, bytes: broken };
      await expect(witness.addCheckpoint(await requestFor(leaves(9), 4, 9))).rejects.toThrow(LogError);
    }
  });

  it("says no time before 1970, and is not made without a key", async () => {
    const witness = witnessOn(new MemoryProcess(new MemoryDisk()), { now: () => 0n });
    await expect(witness.addCheckpoint(await requestFor(leaves(1), 0, 1))).rejects.toThrow(RangeError);
    expect(() => witnessOn(new MemoryProcess(new MemoryDisk()), { signers: [] })).toThrow(RangeError);
  });
});

describe("two heads cosigned that contradict each other", () => {
  const SIZE = 12;
  const trees = [leaves(SIZE), leaves(SIZE, 3, "a"), leaves(SIZE, 7, "b")];
  const ask = fc.record({ tree: fc.nat(2), old: fc.nat(SIZE), size: fc.nat(SIZE), wave: fc.nat(2) });
  const delays: fc.Arbitrary<Iterator<number, unknown>> = fc.infiniteStream(fc.nat(3));
  const kill = fc.option(fc.record({ after: fc.nat(40), coin: fc.infiniteStream(fc.boolean()) }));

  /** A life of the witness: requests of one wave arrive together; a log that lies asks for any of its trees. */
  async function live(
    disk: MemoryDisk,
    asked: readonly { tree: number; old: number; size: number; wave: number }[],
    seen: string[],
    point: KillPoint | undefined,
    delay: () => number,
  ): Promise<void> {
    const { head } = new MemoryProcess(disk, point);
    const late = async <T>(operation: () => Promise<T>): Promise<T> => {
      for (let turns = delay(); turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve));
      return operation();
    };
    const slow = {
      read: () => late(() => head.read()),
      compareAndSwap: (expected: number, bytes: Uint8Array) =>
        late(() => head.compareAndSwap(expected, bytes)),
    };
    const witness = witnessOn(new MemoryProcess(disk), {
      signers: [ed25519],
      memory: () => Promise.resolve(slow),
    });
    for (const wave of new Set(asked.map(({ wave }) => wave).sort())) {
      const together = asked.filter((one) => one.wave === wave);
      await Promise.all(
        together.map(async ({ tree, old, size }) => {
          try {
            // The liar knows where the witness stands, half of the time.
            const stands = disk.head === undefined ? 0 : sizeOf(disk.head.bytes);
            const from = (old + size) % 2 === 0 ? stands : old;
            const request = await requestFor(trees[tree]!, Math.min(from, size), size);
            const { status } = await witness.addCheckpoint(request);
            if (status === 200) seen.push(`${size} ${formatHex(treeHash(trees[tree]!.slice(0, size)))}`);
          } catch (error) {
            if (!(error instanceof Killed)) throw error;
          }
        }),
      );
    }
  }

  const sizeOf = (note: Uint8Array): number =>
    Number(openCheckpoint(note, noteVerifiers([TEST_SIGNER.vkey]), TEST_SIGNER.name).size);

  it("are never given, in whatever order requests come and wherever the process dies", async () => {
    let granted = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.array(ask, { minLength: 1, maxLength: 12 }), kill), { maxLength: 4 }),
        delays,
        async (lives, late) => {
          const disk = new MemoryDisk();
          const seen: string[] = [];
          for (const [asked, point] of lives) {
            const coins = point?.coin[Symbol.iterator]();
            await live(
              disk,
              asked,
              seen,
              point === null ? undefined : { after: point.after, coin: () => coins?.next().value === true },
              () => Number(late.next().value),
            );
          }
          granted += seen.length;
          // Some one tree has every head that was cosigned as a beginning.
          const heads = trees.map(
            (tree) =>
              new Set(
                tree.concat(tree[0]!).map((_, at) => `${at} ${formatHex(treeHash(tree.slice(0, at)))}`),
              ),
          );
          expect(heads.some((known) => seen.every((head) => known.has(head)))).toBe(true);
          // And none is larger than what is remembered.
          const stands = disk.head === undefined ? 0 : sizeOf(disk.head.bytes);
          expect(Math.max(0, ...seen.map((head) => Number(head.split(" ")[0])))).toBeLessThanOrEqual(stands);
        },
      ),
      { numRuns: 50 },
    );
    expect(granted).toBeGreaterThan(50);
  });
});

describe("add-checkpoint requests", () => {
  const sample = utf8(ours.steps[8]!.body);

  it("survive any bytes and have one spelling", () => {
    expectParserToSurvive(parseAddCheckpoint, sample);
    expectOneSpelling((bytes) => formatAddCheckpoint(parseAddCheckpoint(bytes)), sample);
    expect(formatAddCheckpoint(parseAddCheckpoint(sample))).toEqual(sample);
  });

  it("carry 63 hashes and no more", async () => {
    const whole = parseAddCheckpoint(await requestFor(leaves(3), 0, 3));
    const many = (count: number): Uint8Array =>
      formatAddCheckpoint({
        ...whole,
        oldSize: 2n ** 63n - 1n,
        proof: Array<Sha256>(count).fill(leaves(1)[0]!),
      });
    expect(parseAddCheckpoint(many(63)).proof).toHaveLength(63);
    expect(() => parseAddCheckpoint(many(64))).toThrow();
    expect(() => parseAddCheckpoint(new Uint8Array(65_537))).toThrow("at most 65536 bytes");
  });
});
