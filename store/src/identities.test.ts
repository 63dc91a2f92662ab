import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sha256, utf8 } from "@bootproof/bytes";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { IdentityFile } from "./identities.ts";
import { KeyFilter } from "./key-filter.ts";
import { KeyIndex } from "./key-index.ts";

const folder = mkdtempSync(join(tmpdir(), "identities-"));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;
const newFile = (): string => join(folder, `${files++}.sqlite`);
const identity = (of: number): Uint8Array => sha256(utf8(String(of)));
const range = (from: number, to: number): Uint8Array[] =>
  Array.from({ length: to - from }, (_, at) => identity(from + at));

describe("identities of a log: an entry that is known and taken for new would be logged twice", () => {
  it("finds the first entry of each, as a list would, however it is filled, closed and opened", () => {
    const step = fc.oneof(
      fc.array(fc.nat(40), { maxLength: 12 }).map((append) => ({ append })),
      fc.constantFrom("reopen" as const, "clear" as const),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        const path = newFile();
        let file = IdentityFile.open(path);
        let list: number[] = [];
        for (const one of steps) {
          if (one === "reopen") {
            file.close();
            file = IdentityFile.open(path);
          } else if (one === "clear") {
            file.clear();
            list = [];
          } else {
            file.append(one.append.map(identity));
            list.push(...one.append);
          }
          const all = Array.from({ length: 41 }, (_, of) => of);
          const expected = all.map((of) => (list.includes(of) ? BigInt(list.indexOf(of)) : undefined));
          expect(file.findAll(all.map(identity))).toEqual(expected);
          expect(file.entries).toBe(BigInt(list.length));
        }
        file.close();
      }),
      { numRuns: 40 },
    );
  });

  it("finds entries of a large file while its filter still learns it, and after", () => {
    const path = newFile();
    const before = KeyIndex.open(path);
    before.append(range(0, 9000).map((one) => [one]));
    before.close();
    const file = IdentityFile.open(path);
    for (let from = 0; from < 9000; from += 500) {
      expect(file.find(identity(from))).toBe(BigInt(from));
      file.append(range(9000 + from, 9500 + from));
      expect(file.find(identity(9250 + from))).toBe(BigInt(9250 + from));
    }
    expect(file.findAll(range(0, 18_000))).toEqual(Array.from({ length: 18_000 }, (_, at) => BigInt(at)));
    expect(file.findAll(range(18_000, 19_000)).filter((found) => found !== undefined)).toEqual([]);
    file.close();
  });

  it("covers after a kill the entries whose identities are in the file, so that the log hands in the others", () => {
    const path = newFile();
    const killed = IdentityFile.open(path);
    killed.append(range(0, 5000));
    killed.append(range(5000, 5010));
    expect(killed.entries).toBe(5010n);
    const file = IdentityFile.open(path);
    expect(file.entries).toBe(5000n);
    expect(file.findAll(range(4998, 5002))).toEqual([4998n, 4999n, undefined, undefined]);
    file.append(range(5000, 5010));
    file.close();
    expect(IdentityFile.open(path).find(identity(5009))).toBe(5009n);
  });

  it("holds a bounded number of them in memory", () => {
    const path = newFile();
    const file = IdentityFile.open(path);
    for (let from = 0; from < 20_000; from += 100) file.append(range(from, from + 100));
    expect(20_000n - KeyIndex.open(path).entries).toBeLessThan(4096n);
    file.close();
  });
});

describe("filter of keys: a key that it denies is never looked for", () => {
  it("has every key that was added, and few others", () => {
    const filter = new KeyFilter();
    for (const one of range(0, 20_000)) filter.add(one);
    expect(range(0, 20_000).every((one) => filter.mayHave(one))).toBe(true);
    expect(range(20_000, 40_000).filter((one) => filter.mayHave(one)).length).toBeLessThan(20);
    filter.clear();
    expect(filter.mayHave(identity(1))).toBe(false);
  });

  it("has keys of any length that were added", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (one) => {
        const filter = new KeyFilter();
        filter.add(one);
        expect(filter.mayHave(one)).toBe(true);
      }),
      { numRuns: 30 },
    );
  });
});
