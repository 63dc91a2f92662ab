import { execFileSync } from "node:child_process";
import { lstat, open, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { scratchFolder } from "../scratch.testing.ts";
import { writeAnswer } from "./files.ts";

describe("writing an answer: whole, or not at all and said so", () => {
  it("replaces what was there, makes the folder, and leaves nothing else", async () => {
    const folder = join(await scratchFolder(), "new/deep");
    await writeAnswer(join(folder, "answer"), "first");
    await writeAnswer(join(folder, "answer"), "second");
    expect(await readFile(join(folder, "answer"), "utf8")).toBe("second");
    expect(await readdir(folder)).toEqual(["answer"]);
  });

  it("writes to a pipe or a link of the system's, and never puts a file in its place", async () => {
    const folder = await scratchFolder();
    const pipe = join(folder, "pipe");
    execFileSync("mkfifo", [pipe]);
    const read = readFile(pipe, "utf8");
    await writeAnswer(pipe, "through");
    expect(await read).toBe("through");
    expect((await lstat(pipe)).isFIFO()).toBe(true);
    const kept = await open(join(folder, "kept"), "w");
    await writeAnswer(`/proc/self/fd/${kept.fd}`, "kept");
    await kept.close();
    expect(await readFile(join(folder, "kept"), "utf8")).toBe("kept");
  });

  it("gives up on a folder that its file system will never make, and names the file asked for", async () => {
    await expect(writeAnswer("/proc/nope/answer", "x")).rejects.toMatchObject({
      code: expect.stringMatching(/^BP-FILE-01/) as string,
      detail: { file: "/proc/nope/answer" },
    });
  });
});
