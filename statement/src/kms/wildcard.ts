/**
 * Patterns of IAM: `*` is any text, `?` any one character.
 * @module
 */

/** Whether the whole text is of the pattern; linear in time and space for hostile patterns too. */
export function matchesWildcard(pattern: string, text: string): boolean {
  let [p, t] = [0, 0];
  let [star, resume] = [-1, 0];
  while (t < text.length) {
    if (p < pattern.length && pattern[p] === "*") {
      star = p++;
      resume = t;
    } else if (p < pattern.length && (pattern[p] === "?" || pattern[p] === text[t])) {
      p++;
      t++;
    } else if (star >= 0) {
      p = star + 1;
      t = ++resume;
    } else return false;
  }
  while (pattern[p] === "*") p++;
  return p === pattern.length;
}

/** Whether a value says more than itself to an operator or element that takes patterns. */
export const hasWildcard = (value: string): boolean => /[*?]/.test(value);

/** Whether a value stands for something that only AWS knows at the time of a request. */
export const hasVariable = (value: string): boolean => value.includes("${");
