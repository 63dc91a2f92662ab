/**
 * Reading inputs and writing answers, with failures that name the file.
 * @module
 */
import { constants, createReadStream, openSync } from "node:fs";
import { open, readFile, stat, writeFile } from "node:fs/promises";
import { Socket } from "node:net";

import { utf8 } from "@bootproof/bytes";

import { EXIT } from "./exit-code.ts";
import { Failure } from "./failure.ts";

// Firmware, kernels and initrds are tens of megabytes; nothing a verb reads whole is near this.
const MAX_INPUT = 2 ** 30;

/** Reads an input file whole, or throws a {@link Failure} that says why it cannot. */
export async function readInput(path: string, limit: number = MAX_INPUT): Promise<Uint8Array<ArrayBuffer>> {
  try {
    const status = await stat(path);
    if (status.size > limit) throw tooLarge(path, status.size, limit);
    // Pipes and devices have no size and may never end.
    const bytes = status.isFile() ? await readFile(path) : await readStream(path, limit, status.isFIFO());
    return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw inputFailure(path, error);
  }
}

async function readStream(path: string, limit: number, pipe: boolean): Promise<Buffer<ArrayBuffer>> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of openStream(path, pipe)) {
    size += chunk.length;
    if (size > limit) throw tooLarge(path, size, limit);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** The bytes of an input file of any size, piece by piece; throws a {@link Failure} that says why they cannot be read. */
export async function* streamInput(path: string): AsyncGenerator<Buffer> {
  try {
    yield* openStream(path, (await stat(path)).isFIFO());
  } catch (error) {
    throw inputFailure(path, error);
  }
}

function openStream(path: string, pipe: boolean): AsyncIterable<Buffer> {
  return (pipe ? openPipe(path) : createReadStream(path)) as AsyncIterable<Buffer>;
}

// A file opened as usual blocks a thread until somebody writes to the pipe, and no signal ends that.
function openPipe(path: string): Socket {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  return new Socket({ fd, readable: true, writable: false });
}

/** Reads an input file as UTF-8 text. */
export async function readInputText(path: string, limit: number = 2 ** 24): Promise<string> {
  const bytes = await readInput(path, limit);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    const found = "bytes that are not UTF-8";
    throw new Failure("BP-FILE-005", EXIT.malformed, "cannot read as text", {
      file: path,
      found,
      cause: error,
    });
  }
}

/** Whether a path leads to a file that can be read at any place; what is not there is none. */
export async function isRegularFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() ?? false;
}

/** Reads only the first bytes of a file. */
export async function readHead(path: string, length: number): Promise<Uint8Array> {
  try {
    const file = await open(path);
    try {
      const { buffer, bytesRead } = await file.read(new Uint8Array(length), 0, length, 0);
      return buffer.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (error) {
    throw inputFailure(path, error);
  }
}

/** Writes an answer to a file: whole or not at all. Devices and pipes are written to and never replaced. */
export async function writeAnswer(path: string, text: string | Uint8Array, mode = 0o644): Promise<void> {
  try {
    if (await isDevice(path)) {
      await writeFile(path, text);
      return;
    }
    // Loaded only when something is written: most answers go to stdout.
    const { writeFileAtomic } = await import("./write-file.ts");
    await writeFileAtomic(path, typeof text === "string" ? utf8(text) : text, mode);
  } catch (error) {
    throw outputFailure(path, error);
  }
}

/** Whether something other than a file or a folder is there: /dev/stdout, /dev/null, a pipe. */
async function isDevice(path: string): Promise<boolean> {
  const status = await stat(path).catch(() => undefined);
  if (status === undefined || status.isDirectory()) return false;
  // /dev/stdout may lead to a file: the link is no one's to replace.
  return !status.isFile() || /^\/(dev|proc)\//.test(path);
}

/** The failure for an input that could not be read. */
export function inputFailure(path: string, error: unknown): Failure {
  const detail = { file: path, cause: error };
  switch (errno(error) ?? "") {
    case "ENOENT":
    case "ENOTDIR":
      return new Failure("BP-FILE-001", EXIT.noInput, "no such file", detail);
    case "EACCES":
    case "EPERM":
      return new Failure("BP-FILE-002", EXIT.noInput, "cannot be read: permission denied", detail);
    case "EISDIR":
      return new Failure("BP-FILE-003", EXIT.noInput, "is a folder, not a file", detail);
    default:
      return new Failure("BP-FILE-006", EXIT.noInput, `cannot be read: ${errorText(error)}`, detail);
  }
}

/** The failure for a result that could not be written. */
export function outputFailure(path: string, thrown: unknown): Failure {
  // The store names the file that it was writing, a temporary one; people know the one they asked for.
  const error = thrown instanceof Error && thrown.name === "StoreError" ? (thrown.cause ?? thrown) : thrown;
  const detail = { file: path, cause: error };
  switch (errno(error) ?? "") {
    case "ENOSPC":
    case "EDQUOT": {
      const hint = "free some space (bootproof store gc), or name another place with --out or --store";
      return new Failure("BP-FILE-011", EXIT.cannotWrite, "cannot be written: the disk is full", {
        ...detail,
        hint,
      });
    }
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return new Failure("BP-FILE-012", EXIT.cannotWrite, "cannot be written: permission denied", detail);
    default:
      return new Failure("BP-FILE-013", EXIT.cannotWrite, `cannot be written: ${errorText(error)}`, detail);
  }
}

/** The system's name of an error, such as `ENOENT`, or undefined. */
export function errno(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error) || !("syscall" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function tooLarge(path: string, size: number, limit: number): Failure {
  const expected = `at most ${String(limit)} bytes`;
  const found = `${String(size)} bytes`;
  return new Failure("BP-FILE-004", EXIT.malformed, "is too large", { file: path, expected, found });
}
