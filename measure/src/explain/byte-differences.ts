/**
 * Where two byte strings differ: first place, how many bytes, and the stretches they lie in.
 * @module
 */

/** A stretch of bytes that differ; equal bytes in short gaps belong to it. */
export interface DifferentStretch {
  readonly offset: number;
  readonly length: number;
  /** Bytes of it that differ. */
  readonly count: number;
}

/** The differences of two byte strings of one length. */
export interface ByteDifferences {
  /** Offset of the first byte that differs. */
  readonly first: number;
  /** Bytes that differ. */
  readonly count: number;
  /** At most {@link MAX_STRETCHES}; the last one then reaches to the last difference. */
  readonly stretches: readonly DifferentStretch[];
}

/** More stretches than anyone reads; two builds of one firmware easily have more. */
export const MAX_STRETCHES = 4096;
/** Differences this close are one: a moved pointer table differs in every other byte. */
const GAP = 16;

/** Compares the bytes that both have; undefined when they are equal. Lengths are the caller's business. */
export function differences(a: Uint8Array, b: Uint8Array): ByteDifferences | undefined {
  const shared = Math.min(a.length, b.length);
  const stretches: { offset: number; length: number; count: number }[] = [];
  for (let offset = 0; offset < shared; offset++) {
    if (a[offset] === b[offset]) continue;
    const last = stretches.at(-1);
    if (
      last !== undefined &&
      (offset - last.offset - last.length < GAP || stretches.length === MAX_STRETCHES)
    ) {
      last.length = offset - last.offset + 1;
      last.count++;
    } else stretches.push({ offset, length: 1, count: 1 });
  }
  const [first] = stretches;
  if (first === undefined) return undefined;
  const count = stretches.reduce((sum, stretch) => sum + stretch.count, 0);
  return { first: first.offset, count, stretches };
}
