import { formatHex } from "@bootproof/bytes";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { audit, type AuditFault } from "./audit.ts";
import type { TreeHead } from "./consistency.ts";
import { Log } from "./log.ts";
import { entriesFrom, logOn, MemoryDisk } from "./memory-store.testing.ts";
import { leafHash } from "./merkle.ts";

const disk = new MemoryDisk();
let head: TreeHead;

async function faultAfter(
  change: (files: Map<string, Uint8Array>) => unknown,
): Promise<AuditFault | undefined> {
  const files = new Map(disk.objects);
  await change(files);
  return (await audit((path) => Promise.resolve(files.get(path)), head)).fault;
}

const flip = (bytes: Uint8Array, at: number): Uint8Array => bytes.with(at, bytes[at]! ^ 0x10);

beforeAll(async () => {
  const log = await Log.create(logOn(disk));
  await log.append(entriesFrom(0, 700));
  head = log.reader.head;
});

describe("audit: damage that stays unnoticed until the day the entry is needed", () => {
  it("finds no fault in a whole log and says what it read", async () => {
    const report = await audit((path) => Promise.resolve(disk.objects.get(path)), head);
    expect(report).toEqual({ size: 700n, from: 0n, entries: 700n, tiles: 4, bundles: 3 });
  });

  it.each(["tile/0/001", "tile/0/002.p/188", "tile/1/000.p/2"])(
    "names the flipped byte of %s",
    async (file) => {
      const fault = await faultAfter((files) => files.set(file, flip(files.get(file)!, 37)));
      expect(fault).toMatchObject({
        file,
        offset: 37,
        reason: "a hash of the tile is not that of what lies below it",
      });
    },
  );

  it("names the flipped entry, with the leaf hash it should have", async () => {
    const file = "tile/entries/001";
    const at = 12 + 10 * 3 + 4; // entries of 8 bytes, each after its length
    const fault = await faultAfter((files) => files.set(file, flip(files.get(file)!, at)));
    expect(fault).toMatchObject({ file, offset: 42, expected: formatHex(leafHash(entriesFrom(260, 1)[0]!)) });
  });

  it("names the tile when bundle and tile were changed to agree", async () => {
    const other = new MemoryDisk();
    await (await Log.create(logOn(other))).append([...entriesFrom(0, 260), ...entriesFrom(9000, 440)]);
    const fault = await faultAfter((files) => {
      for (const file of ["tile/0/001", "tile/entries/001"]) files.set(file, other.objects.get(file)!);
    });
    expect(fault).toMatchObject({ file: "tile/0/001" });
  });

  it("names the checkpoint when everything else agrees", async () => {
    const other = new MemoryDisk();
    await (await Log.create(logOn(other))).append(entriesFrom(9000, 700));
    const fault = await faultAfter((files) => other.objects.forEach((bytes, file) => files.set(file, bytes)));
    expect(fault).toMatchObject({ file: "checkpoint", found: formatHex(head.root) });
  });

  it("finds any missing file and any flipped bit, and blames the file it is in", async () => {
    const files = [...disk.objects].filter(([file]) => file !== "checkpoint");
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...files), fc.nat(), fc.nat(7), async ([file, bytes], at, bit) => {
        const changed = bytes.slice();
        changed[at % bytes.length]! ^= 1 << bit;
        expect((await faultAfter((all) => all.set(file, changed)))?.file).toBe(file);
        expect((await faultAfter((all) => all.delete(file)))?.file).toBe(file);
        expect((await faultAfter((all) => all.set(file, bytes.slice(0, -1))))?.file).toBe(file);
      }),
      { numRuns: 60 },
    );
  });
});
