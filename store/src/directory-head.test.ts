import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { utf8 } from "@bootproof/bytes";
import { describe, expect, it } from "vitest";
import { DirectoryHead } from "./directory-head.ts";
import { scratch, work } from "./processes.testing.ts";

describe("the head: two writers must never both believe that they committed", () => {
  it("moves only from the generation its writer has seen", async () => {
    const head = await DirectoryHead.open(await scratch());
    expect(await head.read()).toBeUndefined();
    expect(await head.compareAndSwap(1, utf8("x"))).toBe("conflict");
    expect(await head.compareAndSwap(0, utf8("first"))).toBe("committed");
    expect(await head.compareAndSwap(0, utf8("rival"))).toBe("conflict");
    expect(await head.compareAndSwap(1, utf8("second"))).toBe("committed");
    expect(await head.read()).toEqual({ generation: 2, bytes: utf8("second") });
    for (const bad of [-1, 0.5, Number.NaN, 2 ** 53])
      await expect(head.compareAndSwap(bad, utf8(""))).rejects.toThrow();
  });

  it("gives each of 200 generations to exactly one of three processes", async () => {
    const root = await scratch();
    const wins = await Promise.all([1, 2, 3].map(() => work<{ won: number[] }>("advance-head", root, "200")));
    const all = wins.flatMap(({ won }) => won).sort((a, b) => a - b);
    expect(all).toEqual(Array.from({ length: 200 }, (_, index) => index + 1));
    const left = (await readdir(root)).filter((name) => !name.startsWith("."));
    expect(left.length).toBeLessThan(140);
  });

  it("refuses a writer who slept until its generation was pruned", async () => {
    const root = await scratch();
    const head = await DirectoryHead.open(root);
    // What such a writer meets after it has looked: the floor, and its own name free.
    await writeFile(join(root, `floor-${"16".padStart(20, "0")}`), "");
    expect(await head.compareAndSwap(0, utf8("late"))).toBe("conflict");
  });

  it("ignores what is not a generation", async () => {
    const root = await scratch();
    const head = await DirectoryHead.open(root);
    await writeFile(join(root, "99999999999999999999x"), "");
    await writeFile(join(root, ".tmp-1-00000000000000000009"), "");
    expect(await head.read()).toBeUndefined();
  });
});
