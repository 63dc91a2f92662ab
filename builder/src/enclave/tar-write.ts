/**
 * Writes a tar whose bytes depend on nothing but names, modes and contents: POSIX.1-2017 pax, in which a record is
 * written only where the ustar header has no room; owned by root, all times zero.
 * @module
 */
import { open } from "node:fs/promises";
import { utf8 } from "@bootproof/bytes";
import { BuildError } from "../build-error.ts";

/** One entry to write. */
export interface TarInput {
  /** Relative path without `.` or `..` segments; a directory has no slash at its end. */
  readonly name: string;
  readonly mode: number;
  readonly content:
    | { readonly type: "directory" }
    | { readonly type: "symlink"; readonly target: string }
    | { readonly type: "file"; readonly path: string; readonly size: number };
}

const BLOCK = 512;
const CHUNK = 1024 * 1024;
const TYPE_FLAGS = { file: "0", symlink: "2", directory: "5" } as const;
const MAX_NAME = 100;
/** What eleven octal digits hold. */
const MAX_OCTAL_SIZE = 0o77777777777;

/** The tar of `entries`, in their order; throws {@link BuildError} BP-ENCLAVE-001 when a file has not the size it had. */
export async function* writeTar(
  entries: Iterable<TarInput>,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  for (const entry of entries) {
    signal?.throwIfAborted();
    yield* headersOf(entry);
    const { content } = entry;
    if (content.type !== "file") continue;
    yield* contentOf(content.path, content.size, signal);
    yield new Uint8Array(padding(content.size));
  }
  yield new Uint8Array(2 * BLOCK);
}

const padding = (size: number): number => (BLOCK - (size % BLOCK)) % BLOCK;

async function* contentOf(
  path: string,
  size: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const file = await open(path, "r");
  try {
    let read = 0;
    for (;;) {
      signal?.throwIfAborted();
      const buffer = new Uint8Array(CHUNK);
      const { bytesRead } = await file.read(buffer, 0, CHUNK, read);
      if (bytesRead === 0) break;
      read += bytesRead;
      if (read > size) break;
      yield buffer.subarray(0, bytesRead);
    }
    if (read !== size)
      throw new BuildError("BP-ENCLAVE-001", `${path}: has changed while it was read`, {
        file: path,
        expected: `${size} bytes`,
        found: read > size ? "more" : `${read} bytes`,
      });
  } finally {
    await file.close();
  }
}

function* headersOf({ name, mode, content }: TarInput): Generator<Uint8Array> {
  const size = content.type === "file" ? content.size : 0;
  const link = content.type === "symlink" ? content.target : "";
  const shown = content.type === "directory" ? `${name}/` : name;
  const records = [
    ...(fitsUstar(link) ? [] : [paxRecord("linkpath", link)]),
    ...(fitsUstar(shown) ? [] : [paxRecord("path", shown)]),
    ...(size <= MAX_OCTAL_SIZE ? [] : [paxRecord("size", String(size))]),
  ];
  if (records.length > 0) {
    const pax = utf8(records.join(""));
    yield header({ name: "pax", flag: "x", mode: 0o644, size: pax.length, link: "" });
    yield pax;
    yield new Uint8Array(padding(pax.length));
  }
  yield header({
    name: fitsUstar(shown) ? shown : "pax",
    flag: TYPE_FLAGS[content.type],
    mode,
    size: Math.min(size, MAX_OCTAL_SIZE),
    link: fitsUstar(link) ? link : "",
  });
}

/** Whether a name needs no pax record: short, and the same in every character set. */
const fitsUstar = (name: string): boolean => name.length <= MAX_NAME && /^[\x20-\x7e]*$/.test(name);

/** `length key=value\n`, where the length counts its own digits (pax, "Extended header"). */
function paxRecord(key: string, value: string): string {
  const rest = utf8(` ${key}=${value}\n`).length;
  let length = rest + String(rest).length;
  if (rest + String(length).length > length) length++;
  return `${length} ${key}=${value}\n`;
}

interface UstarFields {
  readonly name: string;
  readonly flag: string;
  readonly mode: number;
  readonly size: number;
  readonly link: string;
}

function header({ name, flag, mode, size, link }: UstarFields): Uint8Array {
  const block = new Uint8Array(BLOCK);
  const put = (at: number, text: string): void => block.set(utf8(text), at);
  const octal = (at: number, value: number, digits: number): void =>
    put(at, value.toString(8).padStart(digits, "0"));
  put(0, name); // name[100]
  octal(100, mode, 7); // mode[8]
  octal(108, 0, 7); // uid[8]
  octal(116, 0, 7); // gid[8]
  octal(124, size, 11); // size[12]
  octal(136, 0, 11); // mtime[12]
  put(148, "        "); // chksum[8], counted as spaces
  put(156, flag); // typeflag
  put(157, link); // linkname[100]
  put(257, "ustar\x0000"); // magic[6], version[2]
  const sum = block.reduce((total, byte) => total + byte, 0);
  octal(148, sum, 6);
  block[154] = 0;
  return block;
}
