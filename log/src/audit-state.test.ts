import { formatHex, ParseError, parseUtf8, utf8 } from "@bootproof/bytes";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { formatAuditState, parseAuditState } from "./audit-state.ts";
import { audit, type AuditReport } from "./audit.ts";
import { expectOneSpelling, expectParserToSurvive } from "./hostile.testing.ts";
import { Log } from "./log.ts";
import { entriesFrom, logOn, MemoryDisk } from "./memory-store.testing.ts";
import { RightEdge } from "./right-edge.ts";
import type { FetchObject } from "./storage.ts";

/** A log of so many entries; those from `fork` on are of another tree. */
async function logOf(size: number, fork = size): Promise<{ disk: MemoryDisk; log: Log }> {
  const disk = new MemoryDisk();
  const log = await Log.create(logOn(disk));
  await log.append([...entriesFrom(0, fork), ...entriesFrom(0, size - fork, "forked")]);
  return { disk, log };
}

const reads =
  (files: ReadonlyMap<string, Uint8Array>): FetchObject =>
  (path) =>
    Promise.resolve(files.get(path));

/** Audits and returns also what a later audit goes on with, read back from its text. */
async function auditor(
  { disk, log }: { disk: MemoryDisk; log: Log },
  after?: Uint8Array,
  fetch = reads(disk.objects),
): Promise<{ report: AuditReport; state: Uint8Array | undefined }> {
  let state: Uint8Array | undefined;
  const { note } = log.checkpoint;
  const save = (edge: RightEdge): Promise<void> => {
    state = formatAuditState({ note, edge });
    return Promise.resolve();
  };
  const before = after === undefined ? undefined : parseAuditState(after);
  const seen = before === undefined ? undefined : treeOf(before.note);
  const options = { save, ...(before && seen ? { after: { seen, edge: before.edge } } : {}) };
  const report = await audit(fetch, log.reader.head, options);
  return { report, state };
}

const heads = new Map<string, { size: bigint; root: Log["reader"]["head"]["root"] }>();
const treeOf = (note: Uint8Array): { size: bigint; root: Log["reader"]["head"]["root"] } | undefined =>
  heads.get(parseUtf8(note, "note"));
async function remembered(size: number, fork?: number): Promise<{ disk: MemoryDisk; log: Log }> {
  const made = await logOf(size, fork);
  heads.set(parseUtf8(made.log.checkpoint.note, "note"), made.log.reader.head);
  return made;
}

describe("an auditor that comes back: a log that changed what it had shown before", () => {
  let small: { disk: MemoryDisk; log: Log };
  let state: Uint8Array;
  beforeAll(async () => {
    small = await remembered(700);
    ({ state } = (await auditor(small)) as { state: Uint8Array });
  });

  it("reads only what is new, and proves on the way that the log has grown", async () => {
    const large = await remembered(1500);
    const { report, state: next } = await auditor(large, state);
    expect(report).toEqual({ size: 1500n, from: 512n, entries: 988n, bundles: 4, tiles: 5 });
    expect((await auditor(large, next)).report).toMatchObject({ from: 1280n, entries: 220n });
    const whole = await remembered(1536);
    const { state: last } = await auditor(whole, next);
    expect((await auditor(whole, last)).report).toEqual({
      size: 1536n,
      from: 1536n,
      entries: 0n,
      bundles: 0,
      tiles: 0,
    });
  });

  it.each([
    [700, 699, "another last entry at the same size"],
    [1500, 699, "more entries behind another one that was there before"],
    [1500, 3, "more entries behind a history that is another one altogether"],
  ])("says that the log of %i forked at %i: %s", async (size, fork) => {
    const { report, state: next } = await auditor(await remembered(size, fork), state);
    expect(report.fault).toMatchObject({
      file: "checkpoint",
      expected: formatHex(small.log.reader.head.root),
      reason: expect.stringMatching(/fork|checkpoint/) as string,
    });
    expect(next).toBeUndefined();
  });

  it("says that the log shrank", async () => {
    const { report } = await auditor(await remembered(699), state);
    expect(report.fault).toMatchObject({
      file: "checkpoint",
      found: "699",
      reason: expect.stringMatching(/shrank/) as string,
    });
  });

  it("names the damaged file below the size it saw, and does not call it a fork", async () => {
    const large = await remembered(1500);
    const at = 100;
    for (const file of ["tile/entries/002", "tile/0/002", "tile/entries/005.p/220", "tile/1/000.p/5"]) {
      const files = new Map(large.disk.objects);
      files.set(file, files.get(file)!.with(at, files.get(file)![at]! ^ 1));
      const { report, state: next } = await auditor(large, state, reads(files));
      expect(report.fault).toMatchObject({ file });
      expect(next).toBeUndefined();
    }
  });

  it("goes on where it was interrupted", async () => {
    const huge = await remembered(70_000);
    let left = 530;
    const fetch = reads(huge.disk.objects);
    let interrupted: Uint8Array | undefined;
    const save = (edge: RightEdge): Promise<void> => {
      interrupted = formatAuditState({ note: huge.log.checkpoint.note, edge });
      return Promise.resolve();
    };
    const broken: FetchObject = (path) => (left-- > 0 ? fetch(path) : Promise.reject(new Error("cut off")));
    await expect(audit(broken, huge.log.reader.head, { save })).rejects.toThrow("cut off");
    const { report } = await auditor(huge, interrupted);
    expect(report).toMatchObject({ from: 65_536n, entries: 4464n });
    expect(report.fault).toBeUndefined();
  }, 60_000);
});

describe("an auditor's memory: a file that was edited must not hide a fault", () => {
  const edgeOf = (size: number): RightEdge => {
    const edge = new RightEdge();
    for (let at = 0; at < size; at++) edge.append(new Uint8Array(32).fill(at % 251) as never);
    return edge;
  };
  const text = formatAuditState({ note: utf8("a note"), edge: edgeOf(768) });

  it("reads what it writes, at every size", () => {
    for (const size of [0, 256, 65_536, 66_048]) {
      const bytes = formatAuditState({ note: utf8("x\n\ny"), edge: edgeOf(size) });
      const { note, edge } = parseAuditState(bytes);
      expect([note, edge.size, edge.root()]).toEqual([utf8("x\n\ny"), BigInt(size), edgeOf(size).root()]);
    }
  });

  it("refuses sizes within a bundle, edges of another size and files that are too long", () => {
    const changed = (from: string | RegExp, to: string): Uint8Array =>
      utf8(parseUtf8(text, "state").replace(from, to));
    for (const bytes of [
      changed("entries 768", "entries 767"),
      changed("entries 768", "entries 0"),
      changed("entries 768", "entries 1024"),
      changed("entries 768", "entries 0768"),
      changed(/edge 1 .*\n/, ""),
      changed("edge 1 ", "edge 0 "),
      changed("audit@v1", "audit@v2"),
      new Uint8Array(2 ** 21).fill(0x0a),
    ])
      expect(() => parseAuditState(bytes)).toThrow(ParseError);
  });

  it("survives any bytes and has one spelling", () => {
    expectParserToSurvive(parseAuditState, text);
    expectOneSpelling((bytes) => formatAuditState(parseAuditState(bytes)), text);
  });

  it("finds any changed hash of it", async () => {
    const small = await remembered(700);
    const { state } = (await auditor(small)) as { state: Uint8Array };
    const { note, edge } = parseAuditState(state);
    await fc.assert(
      fc.asyncProperty(fc.nat(63), async (at) => {
        const [tile] = edge.partials();
        const bytes = tile!.bytes.with(at, tile!.bytes[at]! ^ 1);
        const hashes = [bytes.subarray(0, 32), bytes.subarray(32)];
        const forged = new RightEdge(512n, [[], hashes as never]);
        const { report } = await auditor(small, formatAuditState({ note, edge: forged }));
        expect(report.fault).toBeDefined();
      }),
      { numRuns: 20 },
    );
  });
});
