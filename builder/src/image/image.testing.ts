/**
 * Builds images by hand: tars whose every header field can be set, and images of them in each of their packings.
 * @module
 */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { FILE_TYPE, FILE_TYPE_MASK, readCpio, type CpioEntry } from "@bootproof/boot";
import { concatBytes, formatHex, sha256, utf8 } from "@bootproof/bytes";
import { afterAll } from "vitest";
import type { Folder, Image, LayerCompression, RamdiskOptions } from "./image.ts";
import { planRamdisk } from "./ramdisk.ts";

/** An entry of a tar; what is absent has the usual value. */
export interface Entry {
  readonly name: string | Uint8Array;
  /** `0` file, `1` hard link, `2` symbolic link, `3` and `4` devices, `5` directory, `6` pipe, others as they are. */
  readonly type?: string;
  readonly content?: string | Uint8Array;
  readonly link?: string;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly size?: number;
  readonly device?: readonly [major: number, minor: number];
  readonly pax?: Readonly<Record<string, string | Uint8Array>>;
  /** Bytes written over the header before its sum is made. */
  readonly patch?: readonly (readonly [offset: number, bytes: string | Uint8Array])[];
}

const bytesFrom = (value: string | Uint8Array): Uint8Array =>
  typeof value === "string" ? utf8(value) : value;
const octal = (value: number, length: number): string => value.toString(8).padStart(length - 1, "0") + "\0";
const filled = (bytes: Uint8Array): Uint8Array =>
  concatBytes(bytes, new Uint8Array((512 - (bytes.length % 512)) % 512));

function header(entry: Entry, size: number): Uint8Array {
  const block = new Uint8Array(512);
  const put = (offset: number, value: string | Uint8Array): void => block.set(bytesFrom(value), offset);
  const { type = "0", mode = type === "5" ? 0o755 : 0o644, uid = 0, gid = 0, device, link = "" } = entry;
  put(0, bytesFrom(entry.name).subarray(0, 100));
  put(100, octal(mode, 8));
  put(108, octal(uid, 8));
  put(116, octal(gid, 8));
  put(124, octal(entry.size ?? size, 12));
  put(136, octal(1_700_000_000, 12));
  put(156, type);
  put(157, utf8(link).subarray(0, 100));
  put(257, "ustar\0" + "00");
  if (device !== undefined) {
    put(329, octal(device[0], 8));
    put(337, octal(device[1], 8));
  }
  for (const [offset, value] of entry.patch ?? []) put(offset, value);
  put(148, " ".repeat(8));
  put(
    148,
    octal(
      block.reduce((sum, byte) => sum + byte, 0),
      7,
    ) + " ",
  );
  return block;
}

/** The bytes of extended header records. */
export function paxRecords(pax: Readonly<Record<string, string | Uint8Array>>): Uint8Array {
  return concatBytes(
    ...Object.entries(pax).map(([key, value]) => {
      const rest = concatBytes(utf8(` ${key}=`), bytesFrom(value), utf8("\n"));
      let length = rest.length + 1;
      while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
      return concatBytes(utf8(String(length)), rest);
    }),
  );
}

/** A tar of `entries`; `end` is what stands behind the last one. */
export function tar(entries: readonly Entry[], end: Uint8Array = new Uint8Array(1024)): Uint8Array {
  const parts = entries.flatMap((entry) => {
    const content = bytesFrom(entry.content ?? "");
    const announced =
      entry.pax === undefined ? [] : [tarEntry({ name: "pax", type: "x", content: paxRecords(entry.pax) })];
    return [...announced, header(entry, content.length), filled(content)];
  });
  return Buffer.concat([...parts, end]);
}

const tarEntry = (entry: Entry): Uint8Array => tar([entry], new Uint8Array());

/** An image: its layers as tars, and its configuration. */
export interface ImageInput {
  readonly layers: readonly Uint8Array[];
  readonly config?: Readonly<Record<string, unknown>>;
  readonly os?: string;
  readonly architecture?: string;
  readonly compression?: LayerCompression;
}

/** A file of a layout or archive. */
export type Files = Record<string, Uint8Array>;

const hex = (bytes: Uint8Array): string => formatHex(sha256(bytes));
const json = (value: unknown): Uint8Array => utf8(JSON.stringify(value));
const MEDIA = { none: "", gzip: "+gzip", zstd: "+zstd" } as const;
const OCI = "application/vnd.oci.image";

/** The bytes of an image's configuration. */
export const configOf = ({ layers, config, os = "linux", architecture = "amd64" }: ImageInput): Uint8Array =>
  json({
    os,
    architecture,
    rootfs: { type: "layers", diff_ids: layers.map((layer) => `sha256:${hex(layer)}`) },
    config: { Cmd: ["/bin/app"], ...config },
  });

/** A descriptor of a blob that is put into `files`. */
export function putBlob(files: Files, mediaType: string, bytes: Uint8Array): Record<string, unknown> {
  files[`blobs/sha256/${hex(bytes)}`] = bytes;
  return { mediaType, digest: `sha256:${hex(bytes)}`, size: bytes.length };
}

/** Puts an image's manifest and blobs into `files`, and returns the manifest's descriptor. */
export function putImage(files: Files, image: ImageInput): Record<string, unknown> {
  const compression = image.compression ?? "gzip";
  const pack = { none: (bytes: Uint8Array) => bytes, gzip: gzipSync, zstd: zstdCompressSync }[compression];
  const layers = image.layers.map((layer) =>
    putBlob(files, `${OCI}.layer.v1.tar${MEDIA[compression]}`, pack(layer)),
  );
  const config = putBlob(files, `${OCI}.config.v1+json`, configOf(image));
  const mediaType = `${OCI}.manifest.v1+json`;
  return putBlob(files, mediaType, json({ schemaVersion: 2, mediaType, config, layers }));
}

/** The documents of a layout that names `manifests`. */
export const layoutDocuments = (manifests: readonly unknown[]): Files => ({
  "oci-layout": json({ imageLayoutVersion: "1.0.0" }),
  "index.json": json({ schemaVersion: 2, manifests }),
});

/** The files of a layout with one image. */
export function layoutFiles(image: ImageInput): Files {
  const files: Files = {};
  const manifest = putImage(files, image);
  return { ...files, ...layoutDocuments([manifest]) };
}

/** What docker save wrote before it wrote layouts. */
export function savedFiles(image: ImageInput): Files {
  const config = configOf(image);
  const files: Files = { [`${hex(config)}.json`]: config };
  const names = image.layers.map((layer, index) => {
    const name = `${hex(layer).slice(0, 60)}${String(index).padStart(4, "0")}/layer.tar`;
    files[name] = layer;
    return name;
  });
  files["manifest.json"] = json([{ Config: `${hex(config)}.json`, RepoTags: ["app:1"], Layers: names }]);
  return files;
}

/** What docker save writes since version 25: a layout, and manifest.json beside it. */
export function newSavedFiles(image: ImageInput): Files {
  const files = layoutFiles({ ...image, compression: "none" });
  const Layers = image.layers.map((layer) => `blobs/sha256/${hex(layer)}`);
  files["manifest.json"] = json([{ Config: `blobs/sha256/${hex(configOf(image))}`, RepoTags: null, Layers }]);
  return files;
}

/** Files as a tar. */
export const filesTar = (files: Files): Uint8Array =>
  tar(Object.entries(files).map(([name, content]) => ({ name, content })));

const folders: string[] = [];
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

/** A folder that is gone after the tests. */
export async function scratch(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "bootproof-image-"));
  folders.push(folder);
  return folder;
}

/** Writes files into a new folder. */
export async function writeFiles(files: Files): Promise<string> {
  const folder = await scratch();
  for (const [name, bytes] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), bytes);
  }
  return folder;
}

/** Writes bytes to a new file. */
export async function writeBytes(bytes: Uint8Array, name = "image.tar"): Promise<string> {
  const path = join(await scratch(), name);
  await writeFile(path, bytes);
  return path;
}

/** The bytes of a ramdisk. */
export async function ramdiskBytes(
  source: Image | Folder,
  options: RamdiskOptions = {},
): Promise<Uint8Array> {
  const ramdisk = await planRamdisk(source, options);
  try {
    const chunks: Uint8Array[] = [];
    for await (const chunk of ramdisk.chunks()) chunks.push(chunk);
    const bytes = Buffer.concat(chunks);
    if (bytes.length !== ramdisk.size) throw new Error(`planned ${ramdisk.size}, wrote ${bytes.length}`);
    return bytes;
  } finally {
    await ramdisk.close();
  }
}

const TYPES = new Map<number, string>(Object.entries(FILE_TYPE).map(([name, bits]) => [bits, name]));

/** A ramdisk's members as lines: `path type mode owner what`, hard links as `=first`. */
export function listing(bytes: Uint8Array): string[] {
  const names = new Map<number, CpioEntry[]>();
  const { entries } = readCpio(bytes);
  for (const entry of entries) names.set(entry.inode, [...(names.get(entry.inode) ?? []), entry]);
  return entries.map((entry) => {
    const { name, mode, uid, gid, device, inode } = entry;
    const type = TYPES.get(mode & FILE_TYPE_MASK) ?? "?";
    const linked = names.get(inode) ?? [];
    const data = linked.at(-1)?.data ?? new Uint8Array();
    const text = new TextDecoder().decode(data.length > 40 ? data.slice(0, 40) : data);
    const what =
      type === "file" || type === "symlink"
        ? ` ${JSON.stringify(text)}`
        : type.endsWith("Device")
          ? ` ${device.major}:${device.minor}`
          : "";
    const links = linked.length > 1 ? ` =${linked[0]?.name ?? ""}` : "";
    return `${name} ${type} ${(mode & 0o7777).toString(8)} ${uid}:${gid}${what}${links}`;
  });
}
