import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { formatHex, sha256 } from "@bootproof/bytes";
import { afterEach, beforeEach, expect, it } from "vitest";
import { download, type DownloadResult } from "./download.ts";
import { TestMirror, type Misbehaviour } from "./mirror-server.testing.ts";

const BYTES = Uint8Array.from({ length: 300_000 }, (_, index) => (index * 31) ^ (index >> 8));
const WANTED = { sha256: formatHex(sha256(BYTES)), size: BYTES.length };

let folder: string;
let partial: string;
let mirror: TestMirror;
let base: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "bootproof-download-"));
  partial = join(folder, "partial");
  mirror = new TestMirror(new Map([["file", BYTES]]));
  base = await mirror.start();
});
afterEach(async () => {
  await mirror.stop();
  await rm(folder, { recursive: true });
});

async function fetchWith(...how: Misbehaviour[]): Promise<DownloadResult> {
  mirror.misbehave.set("file", how);
  return download(`${base}/file`, WANTED, partial, { idleMs: 300 });
}
const ranges = () => mirror.seen.map(({ range }) => range);
const held = async () => (await stat(partial)).size;

it("a file is there in full and only then called complete", async () => {
  expect(await fetchWith()).toEqual({ kind: "complete" });
  expect(new Uint8Array(await readFile(partial))).toEqual(BYTES);
});

it("a broken connection is continued where it broke", async () => {
  expect(await fetchWith("break", "break")).toEqual({ kind: "complete" });
  expect(new Uint8Array(await readFile(partial))).toEqual(BYTES);
  expect(ranges()).toEqual([
    undefined,
    expect.stringMatching(/^bytes=[1-9][0-9]*-$/),
    expect.stringMatching(/^bytes=[1-9][0-9]*-$/),
  ]);
});

it("what an earlier process left is continued, and nothing is fetched when all is there", async () => {
  await writeFile(partial, BYTES.subarray(0, 1000));
  expect(await fetchWith()).toEqual({ kind: "complete" });
  expect(ranges()).toEqual(["bytes=1000-"]);
  expect(await fetchWith()).toEqual({ kind: "complete" });
  expect(ranges()).toHaveLength(1);
});

it("a server without ranges sends the whole file again", async () => {
  await writeFile(partial, BYTES.subarray(0, 1000));
  expect(await fetchWith("whole")).toEqual({ kind: "complete" });
  expect(new Uint8Array(await readFile(partial))).toEqual(BYTES);
});

it.each([
  ["a beginning that another server made up", BYTES.subarray(0, 1000).map((byte) => byte ^ 1)],
  ["a full length of other bytes", BYTES.map((byte) => byte ^ 1)],
  ["more than the file has", new Uint8Array(BYTES.length + 1)],
])("%s is thrown away and the file fetched afresh", async (_, left) => {
  await writeFile(partial, left);
  expect(await fetchWith()).toEqual({ kind: "complete" });
  expect(new Uint8Array(await readFile(partial))).toEqual(BYTES);
});

it("other bytes are never kept", async () => {
  expect(await fetchWith("lie")).toEqual({
    kind: "different",
    answer: expect.stringMatching(/^sent other bytes, sha256 [0-9a-f]{64}$/) as string,
    found: formatHex(sha256(BYTES.map((byte) => byte ^ 1))),
  });
  expect(await held()).toBe(0);
});

it("more bytes than the file has are cut off at once", async () => {
  expect(await fetchWith("more")).toMatchObject({
    kind: "different",
    answer: `sent more than ${BYTES.length} bytes`,
  });
  expect(await held()).toBe(0);
});

it("a server that always breaks, stalls or is overloaded is given up with its answer", async () => {
  expect(await fetchWith(503, 503, 503, 503)).toEqual({
    kind: "unreachable",
    answer: "answered 503 (4 tries)",
  });
  expect(await fetchWith("silent", "silent", "silent", "silent")).toEqual({
    kind: "unreachable",
    answer: "sent nothing for 0.3 s (4 tries)",
  });
});

it("what came before a server broke for good is kept for the next one", async () => {
  expect(await fetchWith("break", 503, 503, 503)).toMatchObject({ kind: "unreachable" });
  expect(await held()).toBeGreaterThan(0);
});

it.each([403, 404] as const)("an answer of %i is not asked again", async (status) => {
  expect(await fetchWith(status)).toEqual({ kind: "absent", answer: `answered ${status}` });
  expect(mirror.seen).toHaveLength(1);
});

it("a range that cannot be had, or another than was asked, does not spoil the file", async () => {
  await writeFile(partial, BYTES.subarray(0, 1000));
  expect(await fetchWith(416)).toEqual({ kind: "complete" });
  await writeFile(partial, BYTES.subarray(0, 1000));
  expect(await fetchWith("other-range")).toEqual({ kind: "complete" });
  expect(new Uint8Array(await readFile(partial))).toEqual(BYTES);
});

it("a server that is not there is one answer, at once", async () => {
  const gone = new TestMirror(new Map());
  const url = await gone.start();
  await gone.stop();
  const started = performance.now();
  expect(await download(`${url}/file`, WANTED, partial)).toEqual({
    kind: "unreachable",
    answer: "unreachable (ECONNREFUSED)",
  });
  expect(performance.now() - started).toBeLessThan(2000);
});

it("the caller's signal ends it with the caller's reason", async () => {
  const stop = new AbortController();
  mirror.always("file", "silent");
  const running = download(`${base}/file`, WANTED, partial, { signal: stop.signal });
  setTimeout(() => stop.abort(new Error("enough")), 50);
  await expect(running).rejects.toThrow("enough");
});

it("a file of unknown size is known by its hash alone", async () => {
  const wanted = { sha256: WANTED.sha256, size: undefined };
  expect(await download(`${base}/file`, wanted, partial)).toEqual({ kind: "complete" });
  mirror.misbehave.set("file", ["lie"]);
  expect(await download(`${base}/file`, wanted, partial)).toMatchObject({ kind: "different" });
});

it("an empty file needs no server", async () => {
  const empty = { sha256: formatHex(sha256(new Uint8Array())), size: 0 };
  expect(await download(`${base}/none`, empty, partial)).toEqual({ kind: "complete" });
});
