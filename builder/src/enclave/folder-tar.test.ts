import { execFileSync } from "node:child_process";
import { chmod, link, mkdir, mkdtemp, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { concatBytes, formatHex, sha256 } from "@bootproof/bytes";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readTar } from "../archive.ts";
import { folderTar } from "./folder-tar.ts";
import { writeTar } from "./tar-write.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "bootproof-folder-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function collect(source: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return concatBytes(...chunks);
}

async function makeRoot(root: string, order: readonly string[]): Promise<void> {
  await mkdir(join(root, "bin"), { recursive: true });
  for (const name of order) await writeFile(join(root, "bin", name), `program ${name}`);
  await chmod(join(root, "bin/su"), 0o4755);
  await chmod(join(root, "bin/readme"), 0o640);
  await symlink("../bin/su", join(root, "bin/link"));
}

describe("a folder as a canonical tar: its lock must hold on another machine", () => {
  it("is the same whatever the order of making, the umask, the times and hard links", async () => {
    const [one, two] = [join(folder, "one"), join(folder, "two")];
    await makeRoot(one, ["su", "readme", "copy"]);
    await makeRoot(two, ["copy", "readme"]).catch(() => undefined);
    await rm(two, { recursive: true });
    await mkdir(join(two, "bin"), { recursive: true, mode: 0o700 });
    await writeFile(join(two, "bin/readme"), "program readme", { mode: 0o600 });
    await writeFile(join(two, "bin/copy"), "program copy", { mode: 0o664 });
    await writeFile(join(two, "bin/su"), "program su");
    await chmod(join(two, "bin/su"), 0o4711);
    await symlink("../bin/su", join(two, "bin/link"));
    await utimes(join(two, "bin/su"), 1, 2);
    expect(formatHex(sha256(await collect(folderTar(two))))).toBe(
      formatHex(sha256(await collect(folderTar(one)))),
    );
  });

  it("is read by GNU tar as what was written: names, modes, owners, long and foreign names", async () => {
    const deep = `${"d".repeat(90)}/${"e".repeat(90)}`;
    await mkdir(join(folder, deep), { recursive: true });
    await writeFile(join(folder, deep, "größe"), "x".repeat(1500));
    await writeFile(join(folder, "tool"), "#!", { mode: 0o755 });
    await chmod(join(folder, "tool"), 0o6755);
    await symlink(`/${"t".repeat(150)}`, join(folder, "far"));
    const tar = await collect(folderTar(folder));
    const listed = execFileSync("tar", ["--numeric-owner", "-tvf", "-"], {
      input: tar,
      env: { LC_ALL: "C.UTF-8", TZ: "UTC", PATH: process.env["PATH"] ?? "" },
    }).toString();
    expect(listed.split("\n")).toEqual([
      `drwxr-xr-x 0/0               0 1970-01-01 00:00 ${"d".repeat(90)}/`,
      `drwxr-xr-x 0/0               0 1970-01-01 00:00 ${deep}/`,
      `-rw-r--r-- 0/0            1500 1970-01-01 00:00 ${deep}/größe`,
      `lrwxrwxrwx 0/0               0 1970-01-01 00:00 far -> /${"t".repeat(150)}`,
      "-rwsr-sr-x 0/0               2 1970-01-01 00:00 tool",
      "",
    ]);
  });

  it("keeps a hard link as a file of its own, since a checkout would", async () => {
    await writeFile(join(folder, "a"), "same");
    await link(join(folder, "a"), join(folder, "b"));
    const linked = await collect(folderTar(folder));
    await rm(join(folder, "b"));
    await writeFile(join(folder, "b"), "same");
    expect(formatHex(sha256(await collect(folderTar(folder))))).toBe(formatHex(sha256(linked)));
  });

  it("refuses what it cannot hold, by name: a pipe, a name that is no text", async () => {
    execFileSync("mkfifo", [join(folder, "pipe")]);
    await expect(collect(folderTar(folder))).rejects.toMatchObject({
      code: "BP-ENCLAVE-001",
      file: join(folder, "pipe"),
    });
    await rm(join(folder, "pipe"));
    await writeFile(Buffer.concat([Buffer.from(`${folder}/bad`), Buffer.from([0xff])]), "x");
    await expect(collect(folderTar(folder))).rejects.toMatchObject({ code: "BP-ENCLAVE-001" });
  });

  it("refuses a file that is longer or shorter than it was when it was listed", async () => {
    await writeFile(join(folder, "f"), "12345");
    for (const size of [4, 6, 600])
      await expect(
        collect(
          writeTar([{ name: "f", mode: 0o644, content: { type: "file", path: join(folder, "f"), size } }]),
        ),
      ).rejects.toMatchObject({ code: "BP-ENCLAVE-001" });
  });
});

it("every name comes back from the tar as it went in", async () => {
  const name = fc
    .string({ unit: "binary", minLength: 1, maxLength: 200 })
    .map((text) => text.replaceAll(/[\0/]/g, "_"))
    .filter((text) => text !== "." && text !== "..");
  await fc.assert(
    fc.asyncProperty(fc.array(name, { minLength: 1, maxLength: 3 }), name, async (segments, target) => {
      const entry = {
        name: segments.join("/"),
        mode: 0o777,
        content: { type: "symlink" as const, target },
      };
      const seen: string[] = [];
      await readTar(Readable.from(writeTar([entry])), ({ name: found, linkname }) => {
        seen.push(found, linkname);
      });
      expect(seen).toEqual([entry.name, target]);
    }),
  );
});
