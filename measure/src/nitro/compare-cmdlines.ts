/**
 * Two command lines of images: what the usual accidents add, and which words differ.
 * @module
 */
import { formatHex, ParseError, parseUtf8, sha256 } from "@bootproof/bytes";
import { commandLineCause } from "../snp/command-line-cause.ts";

/** The usual accident that makes these two differ, in words. */
export function cmdlineAccident(a: Uint8Array, b: Uint8Array): string | undefined {
  const known = (bytes: Uint8Array) => ({ bytes, sha256: formatHex(sha256(bytes)) });
  return commandLineCause(known(a), known(b));
}

/** Words that only one of them has, and whether the kernel sees less than is measured; a line each. */
export function cmdlineDetails(a: Uint8Array, b: Uint8Array): string[] {
  const [inA, inB] = [wordsOf(a), wordsOf(b)];
  const lines: string[] = [];
  const [onlyA, onlyB] = [missingIn(inA, inB), missingIn(inB, inA)];
  if (onlyA.length > 0) lines.push(`only A: ${onlyA.join(" ")}`);
  if (onlyB.length > 0) lines.push(`only B: ${onlyB.join(" ")}`);
  if (lines.length === 0 && inA.join(" ") !== inB.join(" ")) lines.push("the same words in another order");
  if (a.includes(0)) lines.push("A contains a NUL: the kernel reads no further");
  if (b.includes(0)) lines.push("B contains a NUL: the kernel reads no further");
  return lines;
}

/** A command line as text in which every unusual byte shows. */
export function shownCmdline(bytes: Uint8Array): string {
  try {
    return JSON.stringify(parseUtf8(bytes, "command line"));
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    return `${bytes.length} bytes that are not UTF-8`;
  }
}

const wordsOf = (bytes: Uint8Array): string[] =>
  shownCmdline(bytes)
    .slice(1, -1)
    .split(/(?:\s|\\n|\\t|\\r|\\u0000)+/)
    .filter((word) => word !== "");

function missingIn(words: readonly string[], others: readonly string[]): string[] {
  const left = [...others];
  return words.filter((word) => {
    const at = left.indexOf(word);
    if (at < 0) return true;
    left.splice(at, 1);
    return false;
  });
}
