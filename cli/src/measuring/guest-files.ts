/**
 * The files of guests, each read once however many guests name it.
 * @module
 */
import { formatHex, type Sha256, sha256, startHash } from "@bootproof/bytes";

import { readInput, streamInput } from "../frame/files.ts";
import { Kept } from "./kept.ts";

/** An input as answers name it. */
export interface GuestInput {
  readonly role: string;
  readonly path?: string;
  /** A command line that was typed. */
  readonly text?: string;
  readonly size: number;
  readonly sha256: string;
}

/** A file that is measured by its hash alone. */
export interface HashedFile {
  readonly size: number;
  readonly sha256: Sha256;
}

/** QEMU takes 16 MiB; the engine says so of images a little larger. */
const MAX_IMAGE = 1 << 26;

/** Reads and hashes the files of one run. */
export class GuestFiles {
  readonly #bytes = new Kept<Promise<Uint8Array>>();
  readonly #hashes = new Kept<Promise<HashedFile>>();

  /** A whole file, for kernels and other files that are parsed. */
  bytes(path: string, limit?: number): Promise<Uint8Array> {
    return this.#bytes.get(path, () => readInput(path, limit));
  }

  /** A firmware image or what stands for one: of more than QEMU ever takes nothing is read. */
  image(path: string): Promise<Uint8Array> {
    return this.bytes(path, MAX_IMAGE);
  }

  /** A file's size and hash, streamed: an initrd may be larger than memory. */
  hash(path: string): Promise<HashedFile> {
    return this.#hashes.get(path, () => hashFile(path));
  }

  /** How answers name a file. */
  async input(role: string, path: string): Promise<GuestInput> {
    const known = await this.#bytes.peek(path);
    const { size, sha256: digest } =
      known === undefined ? await this.hash(path) : { size: known.length, sha256: sha256(known) };
    return { role, path, size, sha256: formatHex(digest) };
  }
}

async function hashFile(path: string): Promise<HashedFile> {
  const hash = startHash("sha256");
  let size = 0;
  for await (const chunk of streamInput(path)) {
    hash.update(chunk);
    size += chunk.length;
  }
  return { size, sha256: hash.digest() as Sha256 };
}
