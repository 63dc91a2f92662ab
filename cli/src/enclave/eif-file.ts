/**
 * Files that are read at several places and more than once, such as EIFs: an open file that says so when it changes
 * meanwhile.
 * @module
 */
import { open, stat, type FileHandle } from "node:fs/promises";
import type { BigIntStats } from "node:fs";
import type { EifSource } from "@bootproof/boot/eif";
import { EXIT } from "../frame/exit-code.ts";
import { Failure } from "../frame/failure.ts";
import { inputFailure } from "../frame/files.ts";

/** A file open for reading, at any place and as often as is needed. */
export class OpenFile implements EifSource {
  /** The path, as it was given. */
  readonly name: string;
  readonly size: number;
  readonly #handle: FileHandle;
  readonly #opened: BigIntStats;

  private constructor(name: string, handle: FileHandle, opened: BigIntStats) {
    this.name = name;
    this.size = Number(opened.size);
    this.#handle = handle;
    this.#opened = opened;
  }

  /** Opens a file; throws a {@link Failure} that says why it cannot be read, or not twice. */
  static async open(path: string): Promise<OpenFile> {
    try {
      // Looked at first: opening a pipe blocks until somebody writes to it.
      const found = await stat(path);
      if (!found.isFile() && !found.isDirectory()) throw notAFile(path, found.isFIFO());
      const handle = await open(path, "r");
      try {
        const opened = await handle.stat({ bigint: true });
        if (opened.isDirectory())
          throw Object.assign(new Error("is a folder"), { code: "EISDIR", syscall: "read" });
        if (!opened.isFile()) throw notAFile(path, opened.isFIFO());
        return new OpenFile(path, handle, opened);
      } catch (error) {
        await handle.close();
        throw error;
      }
    } catch (error) {
      throw error instanceof Failure ? error : inputFailure(path, error);
    }
  }

  /** The file's number in this process, for threads that read by themselves; valid until {@link close}. */
  get descriptor(): number {
    return this.#handle.fd;
  }

  /** Reads exactly `length` bytes; throws a {@link Failure} when the file has become shorter. */
  async read(offset: number, length: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(length);
    try {
      for (let have = 0; have < length;) {
        const { bytesRead } = await this.#handle.read(bytes, have, length - have, offset + have);
        if (bytesRead === 0) throw changed(this.name);
        have += bytesRead;
      }
    } catch (error) {
      throw error instanceof Failure ? error : inputFailure(this.name, error);
    }
    return bytes;
  }

  /** Throws a {@link Failure} when the file is not as it was opened: what was read may be of two states. */
  async checkUnchanged(): Promise<void> {
    const { size, mtimeNs } = await this.#handle.stat({ bigint: true });
    if (size !== this.#opened.size || mtimeNs !== this.#opened.mtimeNs) throw changed(this.name);
  }

  /** Lets go of the file. */
  async close(): Promise<void> {
    await this.#handle.close();
  }
}

/** The failure for a file that changed while it was read. */
export function changed(path: string): Failure {
  const hint = "wait until whatever writes it has finished, then run this again";
  return new Failure("BP-EIF-050", EXIT.malformed, "the file changed while it was read", {
    file: path,
    hint,
  });
}

function notAFile(path: string, pipe: boolean): Failure {
  const hint = "save it to a file first";
  const found = pipe ? "a pipe" : "a device";
  const message = "cannot be read at several places, as is needed here";
  return new Failure("BP-EIF-051", EXIT.noInput, message, { file: path, expected: "a file", found, hint });
}
