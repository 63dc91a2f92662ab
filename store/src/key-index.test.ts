import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { sha256, utf8 } from "@bootproof/bytes";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { IdentityFile } from "./identities.ts";
import { KeyIndex } from "./key-index.ts";
import { StoreError } from "./store-error.ts";

const folder = mkdtempSync(join(tmpdir(), "key-index-"));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;
const newFile = (): string => join(folder, `${files++}.sqlite`);
const key = (text: string): Uint8Array => sha256(utf8(text));

describe("index of keys: an entry that carries a digest and is not found by it", () => {
  it("finds what was put in, in order, also after it was closed", () => {
    const path = newFile();
    const index = KeyIndex.open(path);
    index.append([[key("a")], [key("a"), key("b")], []]);
    index.append([[key("b")]]);
    for (const open of [index, KeyIndex.open(path)]) {
      expect(open.entries).toBe(4n);
      expect([open.find(key("a")), open.find(key("b")), open.find(key("c"))]).toEqual([
        [0n, 1n],
        [1n, 3n],
        [],
      ]);
      expect(open.pairs).toBe(4n);
    }
    index.close();
    expect(KeyIndex.open(path).find(key("b"))).toEqual([1n, 3n]);
    expect(readdirSync(folder).filter((name) => name.startsWith("0."))).toContain("0.sqlite");
  });

  it("finds page by page, tells single pairs, and counts the keys of each entry", async () => {
    const index = KeyIndex.open(newFile());
    index.append([[key("a")], [key("a"), key("b")], [], [key("a")]]);
    expect([index.find(key("a"), 1n), index.find(key("a"), 0n, 2)]).toEqual([
      [1n, 3n],
      [0n, 1n],
    ]);
    expect([index.has(key("b"), 1n), index.has(key("b"), 0n), index.has(key("c"), 1n)]).toEqual([
      true,
      false,
      false,
    ]);
    const other = KeyIndex.open(join(folder, `${files - 1}.sqlite`));
    await other.snapshot(async () => {
      index.append([[key("a")]]);
      expect([other.entries, other.find(key("a")).length, [...other.keyCounts()].length]).toEqual([4n, 3, 3]);
      await Promise.resolve();
    });
    expect(other.find(key("a"))).toHaveLength(4);
    other.close();
    expect([...index.keyCounts()].slice(0, 3)).toEqual([
      { entry: 0n, keys: 1n },
      { entry: 1n, keys: 2n },
      { entry: 3n, keys: 1n },
    ]);
    index.close();
  });

  it("tells its own files from others, also when they are only half made", () => {
    const path = newFile();
    expect(KeyIndex.isForeign(path)).toBe(false);
    writeFileSync(path, "");
    expect(KeyIndex.isForeign(path)).toBe(false);
    const index = KeyIndex.open(path);
    expect(KeyIndex.isForeign(path)).toBe(false);
    index.close();
    expect(KeyIndex.isForeign(path)).toBe(false);
    const other = newFile();
    new DatabaseSync(other).exec("CREATE TABLE bookmarks (url TEXT)");
    expect(KeyIndex.isForeign(other)).toBe(true);
    writeFileSync(other, "notes");
    expect(KeyIndex.isForeign(other)).toBe(true);
  });

  it("answers as a list would, whatever is put in and however often it is opened", () => {
    const step = fc.oneof(
      fc.array(fc.array(fc.nat(20), { maxLength: 4 }), { maxLength: 6 }),
      fc.constantFrom("reopen" as const, "clear" as const),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        const path = newFile();
        let index = KeyIndex.open(path);
        let entries: number[][] = [];
        for (const next of steps)
          if (next === "reopen") {
            index.close();
            index = KeyIndex.open(path);
          } else if (next === "clear") {
            index.clear();
            entries = [];
          } else {
            index.append(next.map((keys) => keys.map((name) => key(String(name)))));
            entries.push(...next);
          }
        expect(index.entries).toBe(BigInt(entries.length));
        for (let name = 0; name <= 20; name++)
          expect(index.find(key(String(name)))).toEqual(
            entries.flatMap((keys, at) => (keys.includes(name) ? [BigInt(at)] : [])),
          );
        index.close();
      }),
      { numRuns: 40 },
    );
  });

  it("takes the entries of one call or none of them", () => {
    const index = KeyIndex.open(newFile());
    const poor = [[key("a")], [undefined as unknown as Uint8Array]];
    expect(() => index.append(poor)).toThrow(StoreError);
    expect([index.entries, index.find(key("a"))]).toEqual([0n, []]);
    index.append([[key("b")]]);
    expect(index.find(key("b"))).toEqual([0n]);
  });
});

describe("index of keys: a damaged file must neither stop the log nor be believed", () => {
  const filled = (): string => {
    const path = newFile();
    const index = KeyIndex.open(path);
    index.append(Array.from({ length: 2000 }, (_, at) => [key(`entry ${at}`)]));
    index.close();
    return path;
  };

  it.each([
    ["is no database", (path: string) => writeFileSync(path, "not a database, not a database")],
    ["is cut off", (path: string) => writeFileSync(path, readFileSync(path).subarray(0, 8192))],
    ["has another form", (path: string) => new DatabaseSync(path).exec("PRAGMA user_version = 2")],
    ["lacks its tables", (path: string) => new DatabaseSync(path).exec("DROP TABLE state")],
    [
      "was written to when the power failed",
      (path: string) => new DatabaseSync(path).exec("UPDATE state SET writer = 'an earlier run'"),
    ],
  ])("begins anew when the file %s", (_, damage) => {
    const path = filled();
    damage(path);
    const index = KeyIndex.open(path);
    expect([index.entries, index.find(key("entry 3"))]).toEqual([0n, []]);
    index.append([[key("again")]]);
    index.close();
    expect(KeyIndex.open(path).find(key("again"))).toEqual([0n]);
  });

  it("removes a file in which it finds damage later, says so, and begins anew when opened again", () => {
    const path = filled();
    const bytes = readFileSync(path);
    bytes.fill(0xff, 4096 * 4);
    writeFileSync(path, bytes);
    const index = KeyIndex.open(path);
    const search = (): void => {
      for (let at = 0; at < 2000; at++) index.find(key(`entry ${at}`));
    };
    expect(search).toThrow(expect.objectContaining({ code: "BP-STORE-040", file: path }));
    expect(KeyIndex.open(path).entries).toBe(0n);
  });

  it("answers with no number that is no entry's index, and counts what was planted where no entry is", () => {
    const path = newFile();
    const index = KeyIndex.open(path);
    index.append([[key("a")], [key("b")]]);
    index.close();
    const database = new DatabaseSync(path);
    for (const planted of [-7, 0.5, "word", Uint8Array.of(1)])
      database.prepare("INSERT INTO key_entry VALUES (?, ?)").run(key("b"), planted);
    database.close();
    const planted = KeyIndex.open(path);
    expect(planted.find(key("b"))).toEqual([1n]);
    expect(planted.firstOfEach([key("a"), key("b")])).toEqual([0n, 1n]);
    expect([...planted.keyCounts()]).toEqual([
      { entry: -1n, keys: 4n },
      { entry: 0n, keys: 1n },
      { entry: 1n, keys: 1n },
    ]);
    planted.close();
  });

  it("keeps what a process that was killed had written: only a power cut tears", () => {
    const path = newFile();
    KeyIndex.open(path).append([[key("a")]]); // and never closed
    expect(KeyIndex.open(path).find(key("a"))).toEqual([0n]);
  });

  it("says which file it cannot write", () => {
    expect(() => KeyIndex.open(join(folder, "nowhere/at/all.sqlite"))).toThrow(
      expect.objectContaining({ file: join(folder, "nowhere/at/all.sqlite") }),
    );
  });
});

describe("identities of a log: an entry that is logged twice", () => {
  it("finds the first entry of an identity", () => {
    const path = newFile();
    const identities = IdentityFile.open(path);
    identities.append([key("a"), key("b"), key("a")]);
    expect(identities.findAll([key("b"), key("c"), key("a")])).toEqual([1n, undefined, 0n]);
    expect([identities.entries, identities.find(key("a")), identities.find(key("c"))]).toEqual([
      3n,
      0n,
      undefined,
    ]);
    identities.close();
    expect(statSync(path).size).toBeGreaterThan(0);
    const again = IdentityFile.open(path);
    again.clear();
    expect([again.entries, again.find(key("a"))]).toEqual([0n, undefined]);
  });
});
