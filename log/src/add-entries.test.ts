import { readFileSync } from "node:fs";
import { formatHex, parseBase64, ParseError, sha256, utf8 } from "@bootproof/bytes";
import { beforeAll, describe, expect, it } from "vitest";
import { encodeAddEntries, makeAddEntries, parseAddEntries, verifyEntryPackage } from "./add-entries.ts";
import { expectOneSpelling, expectParserToSurvive, readVectors, vectorPath } from "./hostile.testing.ts";
import { Log } from "./log.ts";
import { logOn, MemoryDisk } from "./memory-store.testing.ts";
import { leafHash } from "./merkle.ts";
import { formatMirrorInfo, parseMirrorInfo } from "./mirror-info.ts";

interface Described {
  readonly len: number;
  readonly sha256: string;
  readonly packages: readonly { start: number; end: number; hashes: readonly string[] }[];
}
const body = new Uint8Array(readFileSync(vectorPath("mirror/add-entries-513.bin")));
const described = readVectors<Described>("mirror/add-entries-513.json");
const leaves = (from: number, to: number): Uint8Array[] =>
  Array.from({ length: to - from }, (_, at) => utf8(`leaf ${from + at}`));
const ORIGIN = "log.example.test/bootchain";

let log: Log;
beforeAll(async () => {
  log = await Log.create(logOn(new MemoryDisk()));
  await log.append(leaves(0, 513));
});

describe("add-entries: entries that a mirror would store and could not prove", () => {
  it("reads the request of the vectors, and makes the same one from the log", async () => {
    expect([body.length, formatHex(sha256(body))]).toEqual([described.len, described.sha256]);
    const request = parseAddEntries(body);
    expect(request).toMatchObject({ origin: ORIGIN, uploadStart: 0n, uploadEnd: 513n });
    expect(
      request.packages.map(({ start, entries, proof }) => ({
        start: Number(start),
        end: Number(start) + entries.length,
        hashes: proof.map((hash) => Buffer.from(hash).toString("base64")),
      })),
    ).toEqual(described.packages.map(({ start, end, hashes }) => ({ start, end, hashes })));
    expect(encodeAddEntries(request)).toEqual(body);
    expect(encodeAddEntries(await makeAddEntries(log.reader, ORIGIN, { start: 0n }))).toEqual(body);
  });

  it("verifies each package against the checkpoint, also one that starts within a window", async () => {
    const { head } = log.reader;
    for (const start of [0n, 1n, 255n, 300n, 512n]) {
      const { packages } = await makeAddEntries(log.reader, ORIGIN, { start });
      expect(packages[0]?.start).toBe(start);
      for (const one of packages) {
        const at = Number(one.start);
        const before = leaves(at - (at % 256), at).map(leafHash);
        expect(verifyEntryPackage(one, before, head)).toBe(true);
        expect(verifyEntryPackage(one, [...before, leafHash(utf8("x"))], head)).toBe(false);
        const entries = one.entries.with(0, utf8("another"));
        expect(verifyEntryPackage({ ...one, entries }, before, head)).toBe(false);
        expect(verifyEntryPackage({ ...one, proof: one.proof.slice(1) }, before, head)).toBe(false);
        if (at % 256 > 0) expect(verifyEntryPackage(one, before.toReversed(), head)).toBe(at % 256 === 1);
      }
    }
    expect(verifyEntryPackage({ start: 0n, entries: [], proof: [] }, [], head)).toBe(false);
  });

  it("sends at most 32 packages at once, and goes on with the ticket that it was given", async () => {
    const large = await Log.create(logOn(new MemoryDisk()));
    await large.append(leaves(0, 9000));
    const first = await makeAddEntries(large.reader, ORIGIN, { start: 10n });
    expect(first.packages).toHaveLength(32);
    const { start, entries } = first.packages.at(-1)!;
    const ticket = utf8("opaque");
    const rest = await makeAddEntries(large.reader, ORIGIN, {
      start: start + BigInt(entries.length),
      ticket,
    });
    expect(rest).toMatchObject({ uploadStart: 8192n, uploadEnd: 9000n, ticket });
    expect(parseAddEntries(encodeAddEntries(rest))).toEqual(rest);
    expect(parseAddEntries(encodeAddEntries(first))).toEqual(first);
  });

  it("takes a request without packages, as a client sends one that knows nothing yet", () => {
    const empty = { origin: ORIGIN, uploadStart: 0n, uploadEnd: 0n, ticket: new Uint8Array(), packages: [] };
    expect(parseAddEntries(encodeAddEntries(empty))).toEqual(empty);
  });

  it.each([
    ["an empty origin", (bytes: Uint8Array) => new Uint8Array([0, 0, ...bytes.subarray(28)])],
    ["a line end in the origin", (bytes: Uint8Array) => bytes.with(5, 0x0a)],
    ["an origin that is no UTF-8", (bytes: Uint8Array) => bytes.with(5, 0xff)],
    ["a start beyond the end", (bytes: Uint8Array) => bytes.with(34, 3)],
    ["a size beyond 2^63", (bytes: Uint8Array) => bytes.with(36, 0x80)],
    ["a ticket longer than the rest", (bytes: Uint8Array) => bytes.with(44, 0xff)],
    ["a cut package", (bytes: Uint8Array) => bytes.subarray(0, -1)],
    ["a byte after the last package", (bytes: Uint8Array) => new Uint8Array([...bytes, 0])],
    ["64 proof hashes", (bytes: Uint8Array) => bytes.with(bytes.length - 33, 64)],
  ])("refuses %s", (_what, change) => {
    expect(() => parseAddEntries(change(body))).toThrow(ParseError);
  });

  it("writes no package that is not the next, whole one", () => {
    const request = parseAddEntries(body);
    const [first, second] = request.packages;
    for (const packages of [[second!], [{ ...first!, entries: first!.entries.slice(1) }], [first!, first!]])
      expect(() => encodeAddEntries({ ...request, packages })).toThrow(ParseError);
    expect(() => encodeAddEntries({ ...request, origin: "two\nlines" })).toThrow(ParseError);
  });

  it("survives any bytes and has one spelling", () => {
    const small = encodeAddEntries({
      origin: "o",
      uploadStart: 510n,
      uploadEnd: 513n,
      ticket: utf8("t"),
      packages: [{ start: 510n, entries: [utf8("a"), utf8("")], proof: [leafHash(utf8("x"))] }],
    });
    expectParserToSurvive(parseAddEntries, small);
    expectOneSpelling((bytes) => encodeAddEntries(parseAddEntries(bytes)), small);
  });
});

describe("mirror info: where an upload goes on", () => {
  const info = { size: 513n, nextEntry: 300n, ticket: utf8("opaque") };

  it("reads what it writes, with and without a ticket", () => {
    expect(formatMirrorInfo(info)).toEqual(utf8("513\n300\nb3BhcXVl\n"));
    for (const one of [info, { ...info, ticket: new Uint8Array() }])
      expect(parseMirrorInfo(formatMirrorInfo(one))).toEqual(one);
    expect(() => parseBase64("b3BhcXV", "x")).toThrow(ParseError);
  });

  it.each([
    "",
    "\n\n\n",
    "513\n300\nb3BhcXVl",
    "513\n300\n",
    "513\n300\n\n\n",
    "513\n300\nb3BhcXVl\nmore\n",
    "0513\n300\n\n",
    "513\n-1\n\n",
    "513\n+3\n\n",
    "513\n 3\n\n",
    "513\r\n300\r\n\r\n",
    "9223372036854775808\n0\n\n",
    "1\n1\nb3BhcXV=\n",
    "1\n1\nYQ\n",
    "1\n1\nYR==\n",
    "1\n1\n_-8=\n",
    "\ufeff1\n1\n\n",
  ])("refuses %j", (text) => {
    expect(() => parseMirrorInfo(utf8(text))).toThrow(ParseError);
  });

  it("survives any bytes and has one spelling", () => {
    expectParserToSurvive(parseMirrorInfo, formatMirrorInfo(info));
    expectOneSpelling((bytes) => formatMirrorInfo(parseMirrorInfo(bytes)), formatMirrorInfo(info));
    expect(() => parseMirrorInfo(new Uint8Array(2 ** 20).fill(0x30))).toThrow(ParseError);
  });
});
