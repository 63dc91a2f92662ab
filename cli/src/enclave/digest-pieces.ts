/**
 * Hashes stretches of an image's sections, one after the other, in constant memory.
 * @module
 */
import type { EifSection } from "@bootproof/boot/eif";
import type { HashAlgorithm } from "@bootproof/bytes";
import type { Piece } from "@bootproof/measure/nitro";
import { createHash } from "node:crypto";

import type { OpenFile } from "./eif-file.ts";

/** What to hash, and how. */
export interface PiecesOrder {
  readonly pieces: readonly Piece[];
  readonly algorithm: HashAlgorithm;
  readonly signal: AbortSignal;
}

const CHUNK = 2 ** 20;

/** One hash over all pieces. */
export async function digestPieces(
  file: OpenFile,
  sections: readonly EifSection[],
  { pieces, algorithm, signal }: PiecesOrder,
): Promise<Uint8Array> {
  const hash = createHash(algorithm);
  for (const piece of pieces) {
    if ("bytes" in piece) {
      hash.update(piece.bytes);
      continue;
    }
    const section = sections[piece.section];
    if (section === undefined) throw new RangeError(`no section ${piece.section}`);
    const end = section.offset + (piece.end ?? section.size);
    for (let at = section.offset + (piece.start ?? 0); at < end; at += CHUNK) {
      signal.throwIfAborted();
      hash.update(await file.read(at, Math.min(CHUNK, end - at)));
    }
  }
  return new Uint8Array(hash.digest());
}
