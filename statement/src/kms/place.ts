/**
 * Where something stands in a policy, for people: line and column.
 * @module
 */
import { parseUtf8, utf8 } from "@bootproof/bytes";

/** A place in a text; lines and columns count from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** Tells places of one text; looks for its lines once. */
export class TextPlaces {
  readonly #starts: number[] = [0];
  readonly #shift: number;

  /** With `shift` when indices are of this text behind so many other characters. */
  constructor(text: string, shift = 0) {
    this.#shift = shift;
    for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) this.#starts.push(at + 1);
  }

  /** The place of the character at an index. */
  at(shifted: number): Place {
    const index = shifted - this.#shift;
    let [low, high] = [0, this.#starts.length];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((this.#starts[middle] ?? 0) <= index) low = middle;
      else high = middle;
    }
    return { line: low + 1, column: index - (this.#starts[low] ?? 0) + 1 };
  }
}

/** The index of the character at an offset in bytes. */
export const indexAt = (text: string, offset: number): number =>
  parseUtf8(utf8(text).subarray(0, offset), "policy").length;
