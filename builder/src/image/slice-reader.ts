/**
 * Reads a slice of a file at any place. Synchronous, because a tar is thousands of small reads: a promise for each
 * takes longer than the read.
 * @module
 */
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { BuildError } from "../build-error.ts";
import type { FileSlice } from "./image.ts";

/** Tar headers stand close together where files are small, and far apart where reading ahead would be in vain. */
const WINDOW = 32 * 1024;

/** An open slice. */
export class SliceReader {
  readonly path: string;
  readonly size: number;
  readonly #file: number;
  readonly #offset: number;
  readonly #state: string;
  readonly #window = new Uint8Array(WINDOW);
  #windowStart = 0;
  #windowLength = 0;

  /** Takes over `file`, which {@link SliceReader.close} closes. */
  constructor(file: number, { path, offset, size }: FileSlice) {
    this.path = path;
    this.size = size;
    this.#file = file;
    this.#offset = offset;
    this.#state = stateOf(file);
  }

  /** Opens a slice of a regular file; throws the system's error. */
  static open(slice: FileSlice): SliceReader {
    return new SliceReader(openRegularFile(slice.path), slice);
  }

  /** Bytes at `position`, fewer at the end of the slice; a view that the next read may overwrite. */
  read(position: number, length: number): Uint8Array {
    const wanted = Math.max(0, Math.min(length, this.size - position));
    if (wanted > WINDOW) {
      const bytes = new Uint8Array(wanted);
      this.readInto(bytes, position);
      return bytes;
    }
    const start = position - this.#windowStart;
    if (start >= 0 && start + wanted <= this.#windowLength)
      return this.#window.subarray(start, start + wanted);
    const ahead = Math.min(WINDOW, this.size - position);
    this.readInto(this.#window.subarray(0, ahead), position);
    this.#windowStart = position;
    this.#windowLength = ahead;
    return this.#window.subarray(0, wanted);
  }

  /** Fills `target` with the bytes at `position`; throws {@link BuildError} BP-IMAGE-019 when the file ends before. */
  readInto(target: Uint8Array, position: number): void {
    for (let done = 0; done < target.length;) {
      const length = readSync(this.#file, target, done, target.length - done, this.#offset + position + done);
      if (length === 0) throw changed(this.path);
      done += length;
    }
  }

  /** Throws {@link BuildError} BP-IMAGE-019 when the file is not the one that was opened any more. */
  checkUnchanged(): void {
    if (stateOf(this.#file) !== this.#state) throw changed(this.path);
  }

  /** Closes the file. */
  close(): void {
    closeSync(this.#file);
  }
}

/** Opens a regular file for reading, never waiting for a pipe; throws the system's error, or an error with code EINVAL. */
function openRegularFile(path: string, flags = 0): number {
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | flags);
  if (fstatSync(file).isFile()) return file;
  closeSync(file);
  throw Object.assign(new Error(`${path} is not a regular file`), { code: "EINVAL" });
}

/** What tells that somebody wrote to a file in between. */
function stateOf(file: number): string {
  const { ino, size, mtimeNs } = fstatSync(file, { bigint: true });
  return `${ino} ${size} ${mtimeNs}`;
}

/** A file that is another than it was a moment before. */
export const changed = (path: string): BuildError =>
  new BuildError("BP-IMAGE-019", `${path} changed while it was read`, {
    file: path,
    hint: "run the command again when nothing writes to it",
  });
