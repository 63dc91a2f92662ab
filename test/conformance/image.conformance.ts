/**
 * Images before umoci: what it unpacks from an OCI layout, as root, is what GNU cpio unpacks from our ramdisk: types,
 * modes, owners, contents, targets, device numbers, and which names are one file. umoci is built once with the machine's
 * `go`; without it, without `cpio` or without root the tests are skipped and say so.
 *
 *     vitest run --config test/conformance/vitest.config.ts image
 * @module
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { access, lstat, mkdir, mkdtemp, readdir, readFile, readlink, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { execa } from "execa";
import { pack, type Pack } from "tar-stream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readCpio } from "@bootproof/boot";
import { imageRamdisk, openFolder, openImage } from "@bootproof/builder/image";

const UMOCI = "github.com/opencontainers/umoci";
const VERSION = "v0.6.0";
const CACHE = path.resolve(import.meta.dirname, "../../node_modules/.cache/bootproof-image");
const umoci = path.join(CACHE, `umoci-${VERSION}`);

let folder = "";
let missing: string | undefined;

/** umoci's module replaces others, so `go install` refuses it; a module that needs it does not mind. */
async function buildUmoci(): Promise<void> {
  if (
    await access(umoci).then(
      () => true,
      () => false,
    )
  )
    return;
  const cwd = path.join(CACHE, "module");
  await mkdir(cwd, { recursive: true });
  await writeFile(path.join(cwd, "go.mod"), "module peer\n\ngo 1.24\n");
  await execa("go", ["get", `${UMOCI}/cmd/umoci@${VERSION}`], { cwd });
  await execa("go", ["build", "-o", umoci, `${UMOCI}/cmd/umoci`], { cwd });
}

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "bootproof-umoci-"));
  try {
    if (process.getuid?.() !== 0) throw new Error("owners and devices need root");
    await execa("cpio", ["--version"]);
    await buildUmoci();
  } catch (error) {
    missing = error instanceof Error ? error.message : String(error);
    console.log(`skipped: ${missing}`);
  }
});

afterAll(() => rm(folder, { recursive: true, force: true }));

/** Every name below `root`; Node's own recursive listing follows links. */
async function namesBelow(root: string, above = ""): Promise<string[]> {
  const entries = await readdir(path.join(root, above), { withFileTypes: true });
  const names: string[] = [];
  for (const entry of entries) {
    const name = path.join(above, entry.name);
    names.push(name);
    if (entry.isDirectory()) names.push(...(await namesBelow(root, name)));
  }
  return names;
}

/** A tree on disk as lines; files with several names say which is the first. */
async function onDisk(root: string): Promise<string[]> {
  const names = (await namesBelow(root)).sort();
  const first = new Map<string, string>();
  const lines: string[] = [];
  for (const name of names) {
    const place = path.join(root, name);
    const found = await lstat(place);
    const key = `${found.dev} ${found.ino}`;
    if (!found.isDirectory() && !found.isSymbolicLink() && !first.has(key)) first.set(key, name);
    const same = found.nlink > 1 && first.has(key) ? ` =${first.get(key) ?? ""}` : "";
    const type = (found.mode >> 12).toString(8);
    const mode = found.isSymbolicLink() ? "link" : (found.mode & 0o7777).toString(8);
    const what = found.isSymbolicLink()
      ? await readlink(place)
      : found.isFile()
        ? createHash("sha256")
            .update(await readFile(place))
            .digest("hex")
        : found.isDirectory()
          ? ""
          : String(found.rdev);
    lines.push(`${name} ${type} ${mode} ${found.uid}:${found.gid} ${what}${same}`);
  }
  return lines;
}

/** An entry of a layer, as tar-stream writes it. */
type Header = Parameters<Pack["entry"]>[0];
type Entry = Header & { readonly content: string };

const dir = (name: string, more: Partial<Header> = {}): Entry => ({
  name,
  type: "directory",
  content: "",
  ...more,
});
const file = (name: string, content = name, more: Partial<Header> = {}): Entry => ({
  name,
  content,
  ...more,
});
const hard = (name: string, linkname: string): Entry => ({ name, type: "link", linkname, content: "" });
const soft = (name: string, linkname: string): Entry => ({ name, type: "symlink", linkname, content: "" });
const gone = (name: string): Entry => ({ name, content: "" });

async function tar(entries: readonly Entry[]): Promise<Buffer> {
  const packed = pack();
  for (const { content, ...header } of entries) packed.entry({ mtime: new Date(0), ...header }, content);
  packed.finalize();
  const chunks: Uint8Array[] = [];
  for await (const chunk of packed) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks);
}

/** Writes an OCI layout with one image, tagged `it`. */
async function writeLayout(layout: string, layers: readonly Buffer[]): Promise<void> {
  const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
  await mkdir(path.join(layout, "blobs/sha256"), { recursive: true });
  const put = async (type: string, bytes: Buffer) => {
    await writeFile(path.join(layout, "blobs/sha256", sha256(bytes)), bytes);
    return {
      mediaType: `application/vnd.oci.image.${type}`,
      digest: `sha256:${sha256(bytes)}`,
      size: bytes.length,
    };
  };
  const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
  const diffIds = layers.map((layer) => `sha256:${sha256(layer)}`);
  const rootfs = { type: "layers", diff_ids: diffIds };
  const config = json({ os: "linux", architecture: "amd64", rootfs, config: { Cmd: ["/bin/su"] } });
  const manifest = json({
    schemaVersion: 2,
    config: await put("config.v1+json", config),
    layers: await Promise.all(layers.map((layer) => put("layer.v1.tar+gzip", gzipSync(layer)))),
  });
  const annotations = { "org.opencontainers.image.ref.name": "it" };
  const named = { ...(await put("manifest.v1+json", manifest)), annotations };
  await writeFile(path.join(layout, "index.json"), json({ schemaVersion: 2, manifests: [named] }));
  await writeFile(path.join(layout, "oci-layout"), json({ imageLayoutVersion: "1.0.0" }));
}

const BASE = [
  dir("./", { mode: 0o755 }),
  dir("bin", { mode: 0o755 }),
  file("bin/su", "su", { mode: 0o4755 }),
  file("bin/wall", "wall", { mode: 0o2755, gid: 5 }),
  hard("bin/su2", "bin/su"),
  soft("sbin", "bin"),
  soft("lib", "/usr/lib"),
  dir("usr/lib", { mode: 0o750, uid: 3, gid: 4 }),
  file("usr/lib/a.so", "a", { uid: 1, gid: 2 }),
  dir("tmp", { mode: 0o1777 }),
  dir("etc/d"),
  file("etc/d/x", "x"),
  file("etc/d/y", "y"),
  dir("var/log"),
  file("var/log/old", "old"),
];

const IMAGES: Record<string, readonly (readonly Entry[])[]> = {
  "one layer": [BASE],
  "whiteouts of files, links and directories": [
    BASE,
    [gone("etc/.wh.d"), gone("bin/.wh.su2"), gone(".wh.lib"), gone("var/.wh.nothing")],
  ],
  "an opaque directory, before its own files": [BASE, [gone("etc/d/.wh..wh..opq"), file("etc/d/z", "z")]],
  "an opaque directory, behind its own files": [
    BASE,
    [dir("etc/d"), file("etc/d/z", "z"), gone("etc/d/.wh..wh..opq")],
  ],
  "a whiteout and the same name again": [
    BASE,
    [gone("etc/.wh.d"), dir("etc/d", { mode: 0o700 }), file("etc/d/n", "n")],
  ],
  "a file where a directory was, and the reverse": [
    BASE,
    [file("etc/d", "file"), dir("bin/su"), file("bin/su/x", "x")],
  ],
  "files below links": [BASE, [file("sbin/new", "new"), file("lib/b.so", "b"), gone("sbin/.wh.wall")]],
  "a directory where a link was": [BASE, [dir("sbin", { mode: 0o700 }), file("sbin/own", "own")]],
  "new modes and owners of directories": [
    BASE,
    [dir("usr/lib", { mode: 0o711, uid: 9, gid: 9 }), dir("tmp", { mode: 0o700 })],
  ],
  "hard links to lower layers": [
    BASE,
    [hard("bin/su3", "bin/su"), hard("su4", "/bin/su2")],
    [file("bin/su", "new")],
  ],
  "hard links and a whiteout of one name": [BASE, [gone("bin/.wh.su")]],
  "devices and pipes": [
    BASE,
    [
      { name: "null", type: "character-device", devmajor: 1, devminor: 3, mode: 0o666, content: "" },
      { name: "disk", type: "block-device", devmajor: 259, devminor: 300, mode: 0o660, gid: 6, content: "" },
      { name: "pipe", type: "fifo", mode: 0o600, uid: 7, content: "" },
    ],
  ],
  "absolute names and ./": [BASE, [file("/etc/abs", "abs"), file("./etc/dot", "dot")]],
  "a link to nowhere, and a file below it": [BASE, [soft("data", "/srv/data"), file("data/f", "f")]],
  "many layers": [
    BASE,
    ...Array.from({ length: 40 }, (_, at) => [file(`l/${at}`, `${at}`), gone(`l/.wh.${at - 3}`)]),
  ],
  "many files": [
    Array.from({ length: 2_000 }, (_, at) => file(`f/${at % 30}/${at}`, at % 7 === 0 ? "" : `${at}`)),
  ],
};

describe("a ramdisk holds what umoci unpacks", () => {
  it.each(Object.keys(IMAGES))("%s", async (name) => {
    if (missing !== undefined) return;
    const work = await mkdtemp(path.join(folder, "image-"));
    const layout = path.join(work, "layout");
    await writeLayout(layout, await Promise.all((IMAGES[name] ?? []).map(tar)));
    await execa(umoci, ["unpack", "--image", `${layout}:it`, path.join(work, "umoci")]);
    const ramdisk = path.join(work, "ramdisk");
    const { entries } = await imageRamdisk(await openImage(layout), ramdisk, { prefix: "" });
    const ours = path.join(work, "ours");
    await mkdir(ours);
    await execa("cpio", ["-id", "--quiet"], { cwd: ours, input: createReadStream(ramdisk) });
    const found = await onDisk(ours);
    expect(found).toHaveLength(entries);
    expect(found).toEqual(await onDisk(path.join(work, "umoci/rootfs")));
    // What is on disk now, taken as a folder, differs in nothing but owners.
    const again = path.join(work, "again");
    await imageRamdisk(await openFolder(ours), again, { prefix: "" });
    const members = async (from: string): Promise<unknown[]> =>
      readCpio(await readFile(from)).entries.map((entry) => ({ ...entry, uid: 0, gid: 0 }));
    expect(await members(again)).toEqual(await members(ramdisk));
  });
});
