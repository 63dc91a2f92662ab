/**
 * Root folders as tars through the maker of ramdisks: it ends with an archive in which every name is once and below its
 * root, or with a documented error; links lead nowhere else, and the size is the one that was announced.
 * @module
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { BuildError } from "@bootproof/builder";
import { openFolder, planRamdisk } from "@bootproof/builder/image";
import { mutateBytes } from "../mutate.ts";
import type { Random } from "../random.ts";
import { Complaint, type Target } from "../target.ts";

type Bytes = Uint8Array<ArrayBuffer>;

const FILE = path.join(mkdtempSync(path.join(tmpdir(), "bootproof-fuzz-rootfs-")), "root.tar");
process.once("exit", () => rmSync(path.dirname(FILE), { recursive: true }));
const BLOCK = 512;

/** Tars of a few entries with names and links that lead out, changed. */
export const rootfs: Target = {
  name: "rootfs",
  about: "tars through openFolder and planRamdisk",
  limit: 1000,
  makeCase(random) {
    let bytes = makeTar(random);
    for (let changes = random.below(3); changes > 0; changes--) bytes = mutateBytes(bytes, random, [bytes]);
    if (!random.oneIn(4)) bytes = sealed(bytes);
    return {
      bytes,
      given: "openFolder and planRamdisk",
      run: async () => {
        writeFileSync(FILE, bytes);
        try {
          return await ramdiskOf(FILE);
        } catch (error) {
          if (error instanceof BuildError && error.code.length > 0) return undefined;
          throw new Complaint(
            `threw ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
          );
        }
      },
      judge: (answer) => {
        if (answer === undefined) return "refused";
        const { size, archive } = answer as Made;
        if (archive.length !== size) throw new Complaint(`${archive.length} bytes, ${size} announced`);
        judgeArchive(archive);
        return "accepted";
      },
    };
  },
};

interface Made {
  readonly size: number;
  readonly archive: Buffer;
}

async function ramdiskOf(file: string): Promise<Made> {
  const ramdisk = await planRamdisk(await openFolder(file), { cmd: ["/bin/app"] });
  try {
    const chunks: Uint8Array[] = [];
    for await (const chunk of ramdisk.chunks()) chunks.push(chunk.slice());
    return { size: ramdisk.size, archive: Buffer.concat(chunks) };
  } finally {
    await ramdisk.close();
  }
}

const NAMES = [
  "bin/app",
  "bin",
  "etc/passwd",
  "a/b/c",
  "a",
  "a/b",
  "..",
  "../out",
  "/etc/x",
  "./bin/app",
  "bin//app",
  "link",
  "link/under",
];
const NAMES_MORE = ["etc/.wh.passwd", ".wh..wh..opq", "\u00e4", "x".repeat(99), "a/./b", "a/../..", ""];

function makeTar(random: Random): Bytes {
  const entries: Buffer[] = [];
  for (let left = 1 + random.below(8); left > 0; left--) {
    const type = random.pick(["0", "0", "0", "5", "5", "2", "1", "3", "4", "6", "x", "g", "L", "S", "7"]);
    const data = type === "0" || type === "L" || type === "x" ? dataOf(type, random) : Buffer.alloc(0);
    const name = random.pick(random.oneIn(4) ? NAMES_MORE : NAMES);
    const link = type === "1" || type === "2" ? random.pick([...NAMES, "/", "/proc/self", "../../x"]) : "";
    entries.push(header(name, type, data.length, link, random), padded(data));
  }
  return new Uint8Array(Buffer.concat([...entries, Buffer.alloc(random.pick([0, 512, 1024, 1024, 1024]))]));
}

function dataOf(type: string, random: Random): Buffer {
  if (type === "L") return Buffer.from(`${random.pick(NAMES)}/${"y".repeat(random.below(300))}\0`);
  if (type === "0") return Buffer.alloc(random.pick([0, 1, 511, 512, 513, 3000]), "data");
  const record = `${random.pick(["path", "linkpath", "size", "uid", "mtime", "SCHILY.xattr.user.x", "GNU.sparse.major"])}=${random.pick(["7", "../x", "-1", "a/b", "1e9", "99999999999999"])}\n`;
  return Buffer.from(`${record.length + 3} ${record}`);
}

function header(name: string, type: string, size: number, link: string, random: Random): Buffer {
  const block = Buffer.alloc(BLOCK);
  const octal = (value: number, at: number, width: number): void =>
    void block.write(value.toString(8).padStart(width - 1, "0"), at);
  block.write(name, 0, 100);
  octal(random.pick([0o644, 0o755, 0o4755, 0o1777, 0]), 100, 8);
  octal(random.pick([0, 1000, 0o7777777]), 108, 8);
  octal(0, 116, 8);
  octal(size, 124, 12);
  octal(random.pick([0, 1_700_000_000]), 136, 12);
  block.write(type, 156);
  block.write(link, 157, 100);
  block.write("ustar\x0000", 257);
  return Buffer.from(sealed(new Uint8Array(block)));
}

const padded = (data: Buffer): Buffer =>
  Buffer.concat([data, Buffer.alloc((BLOCK - (data.length % BLOCK)) % BLOCK)]);

/** Right checksums for whatever looks like a header. */
function sealed(tar: Bytes): Bytes {
  const bytes = Buffer.from(tar.buffer, tar.byteOffset, tar.length);
  for (let at = 0; at + BLOCK <= bytes.length; at += BLOCK) {
    if (bytes.toString("latin1", at + 257, at + 262) !== "ustar") continue;
    bytes.fill(" ", at + 148, at + 156);
    const sum = bytes.subarray(at, at + BLOCK).reduce((total, byte) => total + byte, 0);
    bytes.write(`${sum.toString(8).padStart(6, "0")}\0 `, at + 148);
  }
  return tar;
}

/** A cpio archive (newc) as the kernel unpacks it: in order, each name once, below its root, through no link. */
function judgeArchive(archive: Buffer): void {
  const seen = new Map<string, number>();
  for (let at = 0; ;) {
    if (archive.toString("latin1", at, at + 6) !== "070701") throw new Complaint(`no entry at ${at}`);
    const field = (index: number): number =>
      parseInt(archive.toString("latin1", at + 6 + 8 * index, at + 14 + 8 * index), 16);
    const [mode, size, length] = [field(1), field(6), field(11)];
    const name = archive.toString("utf8", at + 110, at + 110 + length - 1);
    const data = (at + 110 + length + 3) & ~3;
    if (name === "TRAILER!!!") return;
    if (name.startsWith("/") || name.split("/").some((part) => part === ".." || part === "." || part === ""))
      throw new Complaint(`an entry ${JSON.stringify(name)}`);
    if (!/^(rootfs(\/|$)|(cmd|env|cwd|user)$)/.test(name))
      throw new Complaint(`${JSON.stringify(name)} is outside`);
    if (seen.has(name)) throw new Complaint(`${JSON.stringify(name)} is there twice`);
    const parent = name.includes("/") ? name.slice(0, name.lastIndexOf("/")) : undefined;
    if (parent !== undefined && (seen.get(parent) ?? 0) >> 12 !== 4)
      throw new Complaint(`${JSON.stringify(name)} is below what is no folder`);
    seen.set(name, mode);
    at = (data + size + 3) & ~3;
  }
}
