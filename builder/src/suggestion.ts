/**
 * "Did you mean": the known word nearest to one that is not known.
 * @module
 */

/** The word of `known` within two edits of `word` (fewer for short words), or undefined. */
export function nearestWord(word: string, known: readonly string[]): string | undefined {
  const limit = word.length < 4 ? 1 : 2;
  let best: { word: string; edits: number } | undefined;
  for (const candidate of known) {
    // A different length alone already costs that many edits: nothing is computed for long words.
    if (Math.abs(candidate.length - word.length) > limit) continue;
    const edits = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (edits <= limit && (best === undefined || edits < best.edits)) best = { word: candidate, edits };
  }
  return best?.word ?? known.find((candidate) => isPlural(word, candidate));
}

const isPlural = (one: string, other: string): boolean => one === `${other}s` || other === `${one}s`;

function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const replace = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(replace, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
