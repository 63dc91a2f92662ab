import { formatBase64, formatHex, ParseError, parseUtf8, utf8 } from "@bootproof/bytes";
import { beforeAll, describe, expect, it } from "vitest";
import { formatCheckpoint, openCheckpoint, type SignedCheckpoint } from "./checkpoint.ts";
import { verifyConsistency } from "./consistency.ts";
import { expectOneSpelling, expectParserToSurvive } from "./hostile.testing.ts";
import {
  EVIDENCE_FIRST_LINE,
  formatLogEvidence,
  judgeLogEvidence,
  parseLogEvidence,
  type LogEvidence,
} from "./log-evidence.ts";
import { LogError } from "./log-error.ts";
import { LogReader } from "./log-reader.ts";
import { Log } from "./log.ts";
import { entriesFrom, logOn, MemoryDisk } from "./memory-store.testing.ts";
import { leafHash } from "./merkle.ts";
import { addSignatures, signNote } from "./note.ts";
import { makePrefixProof, provenPrefixRoot } from "./prefix-proof.ts";
import { sourceOf, treeHash } from "./reference-tree.testing.ts";
import {
  formatSeenLog,
  MAX_APART,
  openSeenLog,
  proveGrowth,
  rememberApart,
  rememberProven,
  type Contradiction,
  type SeenLog,
} from "./seen-log.ts";
import { ed25519Signer } from "./signer.ts";
import type { FetchObject } from "./storage.ts";
import { noteVerifiers } from "./verifier.ts";

interface Shown {
  readonly head: SignedCheckpoint;
  readonly fetch: FetchObject;
  readonly open: () => Promise<LogReader>;
}

const { signer, origin } = logOn(new MemoryDisk());
const { vkey } = signer;
const open = (note: Uint8Array): SignedCheckpoint => openCheckpoint(note, noteVerifiers([vkey]), origin);

/** A log of so many entries as it is shown; those from `fork` on are of another tree. */
async function shownAt(size: number, fork = size): Promise<Shown> {
  const disk = new MemoryDisk();
  const log = await Log.create(logOn(disk));
  await log.append([...entriesFrom(0, fork), ...entriesFrom(0, size - fork, "forked")]);
  const head = open(log.checkpoint.note);
  const fetch: FetchObject = (file) => Promise.resolve(disk.objects.get(file));
  return { head, fetch, open: () => LogReader.open(fetch, head) };
}

const nothing: SeenLog = { vkey, origin, apart: [] };
const growth = (seen: SeenLog, { head, fetch, open }: Shown): Promise<Contradiction | undefined> =>
  proveGrowth(seen, head, open, fetch);
const reopened = (seen: SeenLog): SeenLog => openSeenLog(formatSeenLog(seen), vkey, origin);
function apart(seen: SeenLog, head: SignedCheckpoint): SeenLog {
  const next = rememberApart(seen, head);
  if ("evidence" in next) throw new Error(next.kind);
  return next;
}

describe("what a client remembers: a log that shows each of its readers another tree", () => {
  let at300: Shown;
  let at700: Shown;
  let seen300: SeenLog;
  beforeAll(async () => {
    [at300, at700] = [await shownAt(300), await shownAt(700)];
    seen300 = reopened(rememberProven(nothing, at300.head));
  });

  it("takes the first checkpoint as it is, the same again, and one that continues it", async () => {
    expect(await growth(nothing, at300)).toBeUndefined();
    expect(await growth(seen300, at300)).toBeUndefined();
    expect(await growth(seen300, at700)).toBeUndefined();
    expect(reopened(rememberProven(seen300, at700.head)).proven).toMatchObject({ size: 700n });
  });

  it("reads no tile when nothing smaller was seen", async () => {
    const broken = { ...at300, open: () => Promise.reject(new Error("read")) };
    expect(await growth(nothing, broken)).toBeUndefined();
    expect(await growth(seen300, broken)).toBeUndefined();
  });

  it.each([
    ["another last entry", 700, 699],
    ["another history altogether", 700, 0],
    ["another entry just below the size seen", 700, 299],
    ["another tree of the very size seen", 300, 200],
  ])("says no to %s, with evidence that anyone can check", async (_what, size, fork) => {
    const found = await growth(
      fork < 300 ? seen300 : rememberProven(nothing, at700.head),
      await shownAt(size, fork),
    );
    const { outcome, seen, shown } = judgeLogEvidence(parseLogEvidence(found?.evidence ?? new Uint8Array()));
    expect(found?.kind).toBe(outcome);
    expect([seen.size, shown.size]).toEqual([found?.seen.size, found?.shown.size]);
    expect(outcome).not.toBe("no contradiction");
  });

  it("says no to a log that shrank, and does not call that a fork", async () => {
    const found = await growth(rememberProven(nothing, at700.head), at300);
    expect(found).toMatchObject({ kind: "shrank", seen: { size: 700n }, shown: { size: 300n } });
    expect(judgeLogEvidence(parseLogEvidence(found!.evidence)).outcome).toBe("no contradiction");
  });

  it("tells a fork from mere shrinking while the tree seen before is still served", async () => {
    const fork = await shownAt(300, 10);
    const both = { ...fork, fetch: at700.fetch };
    const found = await growth(rememberProven(nothing, at700.head), both);
    expect(found).toMatchObject({ kind: "another beginning", seen: { size: 700n }, shown: { size: 300n } });
    const verdict = judgeLogEvidence(parseLogEvidence(found!.evidence));
    expect(verdict).toMatchObject({ outcome: "another beginning", prefixRoot: at300.head.root });
  });

  it("throws for files that are missing, which is no reason to call the log a liar", async () => {
    const fetch: FetchObject = (file) =>
      file.startsWith("tile/0/001") ? Promise.resolve(undefined) : at700.fetch(file);
    const damaged = { ...at700, fetch, open: () => LogReader.open(fetch, at700.head) };
    await expect(growth(seen300, damaged)).rejects.toMatchObject({ kind: "MISSING_OBJECT" });
  });

  it("holds the log to what offline proofs showed, once it is read again", async () => {
    const [at400, forked] = [await shownAt(400), await shownAt(400, 399)];
    const seen = reopened(apart(apart(seen300, at400.head), (await shownAt(100)).head));
    expect(seen.apart.map(({ size }) => size)).toEqual([100n, 400n]);
    expect(await growth(seen, at700)).toBeUndefined();
    expect(await growth(apart(seen300, forked.head), at700)).toMatchObject({ kind: "another beginning" });
    expect(await growth(seen, at300)).toMatchObject({ kind: "shrank", seen: { size: 400n } });
    expect(rememberProven(seen, at700.head).apart).toEqual([]);
  });

  it("sees two roots for one size without any network", async () => {
    const forked = await shownAt(300, 1);
    for (const seen of [seen300, apart(nothing, at300.head)]) {
      expect(rememberApart(seen, at300.head)).toBe(seen);
      const found = rememberApart(seen, forked.head);
      expect(found).toMatchObject({ kind: "two roots" });
      const { evidence } = found as Contradiction;
      expect(judgeLogEvidence(parseLogEvidence(evidence)).outcome).toBe("two roots");
    }
  });

  it("keeps the log's signature only, and a bounded number of checkpoints", async () => {
    const other = ed25519Signer("other.example", new Uint8Array(32).fill(9));
    const line = { name: other.name, keyId: other.keyId, signature: await other.sign(utf8("x")) };
    const cosigned = addSignatures(
      at300.head.note,
      Array.from({ length: 50 }, () => line),
    );
    const kept = rememberProven(nothing, open(cosigned)).proven?.note;
    expect(parseUtf8(kept!, "note")).toBe(parseUtf8(at300.head.note, "note"));
    let seen = nothing;
    for (let size = 1n; size < MAX_APART + 10; size++) {
      const text = formatCheckpoint({ origin, size, root: at300.head.root });
      seen = apart(seen, open(await signNote(text, [signer])));
    }
    expect(seen.apart).toHaveLength(MAX_APART);
    expect(seen.apart.at(-1)?.size).toBe(BigInt(MAX_APART) + 9n);
    expect(formatSeenLog(reopened(seen))).toEqual(formatSeenLog(seen));
  });

  it("refuses to remember through an extension text that would fill the disk", async () => {
    const text = formatCheckpoint({
      origin,
      size: 5n,
      root: at300.head.root,
      extensions: ["x".repeat(20_000)],
    });
    expect(rememberApart(nothing, open(await signNote(text, [signer])))).toBe(nothing);
  });
});

describe("the file of what is remembered: an edited one must not hide a fork", () => {
  let bytes: Uint8Array;
  beforeAll(async () => {
    const proven = rememberProven(nothing, (await shownAt(3)).head);
    bytes = formatSeenLog(apart(apart(proven, (await shownAt(5)).head), (await shownAt(4)).head));
  });
  const openIt = (text: Uint8Array): SeenLog => openSeenLog(text, vkey, origin);
  const changed = (from: string | RegExp, to: string): Uint8Array =>
    utf8(parseUtf8(bytes, "file").replace(from, to));

  it("is text that one can read", () => {
    expect(parseUtf8(bytes, "file").split("\n").slice(0, 5)).toEqual([
      "bootproof.log/seen@v1",
      `vkey ${vkey}`,
      expect.stringMatching(/^proven \d+$/),
      expect.stringMatching(/^apart \d+$/),
      expect.stringMatching(/^apart \d+$/),
    ]);
    expect(formatSeenLog(openIt(bytes))).toEqual(bytes);
  });

  it("refuses other keys and origins, lengths that lie, other orders and files that are too long", () => {
    expect(() => openSeenLog(bytes, ed25519Signer("x", new Uint8Array(32)).vkey, origin)).toThrow(ParseError);
    expect(() => openSeenLog(bytes, vkey, "other")).toThrow(LogError);
    for (const text of [
      changed("seen@v1", "seen@v2"),
      changed(/proven (\d+)/, "proven 0$1"),
      changed(/proven (\d+)/, "proven 9$1"),
      changed(/proven (\d+)/, "proven 1"),
      changed(/^vkey .*\n/m, ""),
      changed(/^apart /m, "proven "),
      changed(/^(proven|apart) \d+\n/gm, ""),
      changed("\n\n", "\nmore\n\n"),
      new Uint8Array(2 ** 22).fill(0x0a),
    ])
      expect(() => openIt(text)).toThrow(ParseError);
    expect(() => openIt(changed(/\n3\n/, "\n2\n"))).toThrow(LogError);
  });

  it("survives any bytes and has one spelling", () => {
    const parse = (text: Uint8Array): unknown => {
      try {
        return openIt(text);
      } catch (error) {
        if (error instanceof LogError) return undefined;
        throw error;
      }
    };
    expectParserToSurvive(parse, bytes);
    expectOneSpelling((text) => {
      try {
        return formatSeenLog(openIt(text));
      } catch (error) {
        throw error instanceof LogError ? new ParseError("NOT_CANONICAL", error.message) : error;
      }
    }, bytes);
  });
});

describe("a log that changes its key", () => {
  const next = ed25519Signer(signer.name, new Uint8Array(32).fill(78));
  const keys = noteVerifiers([vkey, next.vkey]);
  /** What is shown, signed by the new key alone. */
  async function bySuccessor(size: number, fork = size): Promise<Shown> {
    const { head, fetch } = await shownAt(size, fork);
    const signed = openCheckpoint(await signNote(formatCheckpoint(head), [next]), keys, origin);
    return { head: signed, fetch, open: () => LogReader.open(fetch, signed) };
  }
  let seen3: SeenLog;
  beforeAll(async () => {
    seen3 = rememberProven(nothing, (await shownAt(3)).head);
  });

  it("goes on with its tree", async () => {
    expect(await growth(seen3, await bySuccessor(3))).toBeUndefined();
    expect(await growth(seen3, await bySuccessor(7))).toBeUndefined();
    expect(rememberApart(seen3, (await bySuccessor(7)).head)).toBe(seen3);
  });

  it.each([
    ["of the same size", 3, "two roots"],
    ["that is larger", 7, "another beginning"],
  ] as const)("is not excused when the new key signs another tree %s", async (_, size, outcome) => {
    const found = await growth(seen3, await bySuccessor(size, 2));
    expect(found?.kind).toBe(outcome);
    const evidence = parseLogEvidence(found!.evidence);
    expect(evidence).toMatchObject({ vkey, otherVkey: next.vkey });
    expect(judgeLogEvidence(evidence).outcome).toBe(outcome);
    expectOneSpelling((text) => formatLogEvidence(parseLogEvidence(text)), found!.evidence);
    const { seen, shown, proof } = evidence;
    expect(() => judgeLogEvidence({ vkey, seen, shown, proof })).toThrow(LogError);
  });

  it("is not told from the tree that an offline proof by the new key is of", async () => {
    expect(rememberApart(seen3, (await bySuccessor(3, 2)).head)).toMatchObject({ kind: "two roots" });
  });

  it("convicts no key of another name", async () => {
    const found = await growth(seen3, await bySuccessor(3, 2));
    const stranger = ed25519Signer("elsewhere.example", new Uint8Array(32).fill(78)).vkey;
    const evidence = { ...parseLogEvidence(found!.evidence), otherVkey: stranger };
    expect(() => judgeLogEvidence(evidence)).toThrow(ParseError);
  });
});

describe("evidence: what would not convince a third party", () => {
  let evidence: LogEvidence;
  beforeAll(async () => {
    const seen = rememberProven(nothing, (await shownAt(3)).head);
    const found = await growth(seen, await shownAt(7, 2));
    evidence = parseLogEvidence(found!.evidence);
  });

  it("is read as it was written, and names what it shows", async () => {
    const bytes = formatLogEvidence(evidence);
    expect(parseUtf8(bytes, "file").startsWith(`${EVIDENCE_FIRST_LINE}\nvkey ${vkey}\nseen `)).toBe(true);
    expect(judgeLogEvidence(evidence)).toMatchObject({
      outcome: "another beginning",
      prefixRoot: (await shownAt(3, 2)).head.root,
    });
  });

  it("is none without its proof, with another tree's, or when one checkpoint is of another key", async () => {
    expect(judgeLogEvidence({ ...evidence, proof: [] }).outcome).toBe("no contradiction");
    const wrong = evidence.proof.map((hash) => leafHash(hash));
    expect(() => judgeLogEvidence({ ...evidence, proof: wrong })).toThrow(LogError);
    const stranger = ed25519Signer(signer.name, new Uint8Array(32).fill(77));
    const text = formatCheckpoint({ origin, size: 3n, root: leafHash(utf8("x")) });
    const forged = await signNote(text, [stranger]);
    expect(() => judgeLogEvidence({ ...evidence, seen: forged, proof: [] })).toThrow(LogError);
    const elsewhere = formatCheckpoint({ origin: "elsewhere", size: 3n, root: leafHash(utf8("x")) });
    const seen = await signNote(elsewhere, [signer]);
    expect(() => judgeLogEvidence({ ...evidence, seen, proof: [] })).toThrow(LogError);
  });

  it("is none when the larger tree does begin with the smaller one", async () => {
    const [small, large] = [await shownAt(3), await shownAt(7)];
    const proof = await makePrefixProof((await large.open()).tiles, 3n, 7n);
    const pair = { vkey, seen: small.head.note, shown: large.head.note, proof };
    expect(judgeLogEvidence(pair)).toMatchObject({
      outcome: "no contradiction",
      prefixRoot: small.head.root,
    });
  });

  it("refuses files with more, less or other lines", () => {
    const text = parseUtf8(formatLogEvidence(evidence), "file");
    for (const other of [
      text.replace("evidence@v1", "evidence@v2"),
      text.replace("seen ", "shown "),
      text.replace(/^seen \d+\n/m, ""),
      text.replace(/^vkey /m, "key "),
      text.replace(/^vkey .*\n/m, "$&$&"),
      text.replace("\n\n", `\n${formatBase64(new Uint8Array(31))}\n\n`),
      text.replace("\n\n", `\n${"A".repeat(43)}=\n`.repeat(70)),
      `${text}\n`,
      text.slice(0, -1),
    ])
      expect(() => parseLogEvidence(utf8(other))).toThrow(ParseError);
  });

  it("survives any bytes and has one spelling", () => {
    const bytes = formatLogEvidence(evidence);
    expectParserToSurvive(parseLogEvidence, bytes);
    expectOneSpelling((text) => formatLogEvidence(parseLogEvidence(text)), bytes);
  });
});

describe("prefix proofs: the root that a tree had before", () => {
  const leaves = Array.from({ length: 33 }, (_, at) => leafHash(utf8(`leaf ${at}`)));
  it("gives that root for every two sizes, and nothing for another tree or a changed proof", async () => {
    for (let size = 2; size <= 33; size++) {
      const newer = { size: BigInt(size), root: treeHash(leaves.slice(0, size)) };
      for (let old = 1; old < size; old++) {
        const proof = await makePrefixProof(sourceOf(leaves), BigInt(old), newer.size);
        const root = provenPrefixRoot(BigInt(old), newer, proof);
        expect(root && formatHex(root)).toBe(formatHex(treeHash(leaves.slice(0, old))));
        const isComplete = (old & (old - 1)) === 0;
        const older = { size: BigInt(old), root: root! };
        expect(verifyConsistency(older, newer, isComplete ? proof.slice(1) : proof)).toBe(true);
        expect(provenPrefixRoot(BigInt(old), { ...newer, root: leaves[0]! }, proof)).toBeUndefined();
        expect(provenPrefixRoot(BigInt(old), newer, [...proof, leaves[0]!])).toBeUndefined();
        for (const at of proof.keys())
          expect(provenPrefixRoot(BigInt(old), newer, proof.with(at, leafHash(proof[at]!)))).toBeUndefined();
      }
    }
    expect(provenPrefixRoot(0n, { size: 2n, root: leaves[0]! }, [leaves[0]!])).toBeUndefined();
    await expect(makePrefixProof(sourceOf(leaves), 5n, 5n)).rejects.toThrow(LogError);
  });
});
