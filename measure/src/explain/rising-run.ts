/**
 * The longest rising subsequence, in n log n: which of the paired events kept their order.
 * @module
 */

/** Positions in `values` of one longest strictly rising subsequence, ascending. */
export function longestRising(values: readonly number[]): number[] {
  /** Position of the smallest value that ends a rising run of each length. */
  const ends: number[] = [];
  const before = new Int32Array(values.length).fill(-1);
  for (const [position, value] of values.entries()) {
    const length = firstNotBelow(values, ends, value);
    before[position] = ends[length - 1] ?? -1;
    ends[length] = position;
  }
  const rising: number[] = [];
  for (let at = ends.at(-1) ?? -1; at >= 0; at = before[at] ?? -1) rising.push(at);
  return rising.reverse();
}

function firstNotBelow(values: readonly number[], ends: readonly number[], value: number): number {
  let [low, high] = [0, ends.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((values[ends[middle] ?? 0] ?? 0) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
