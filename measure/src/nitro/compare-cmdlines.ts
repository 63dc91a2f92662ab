/**
 * Two command lines of images: what the usual accidents add, and which words differ.
 * @module
 */
import { formatHex, ParseError, parseUtf8, sha256 } from "@bootproof/bytes";
import { commandLineCause } from "../snp/command-line-cause.ts";

/** Words told one by one. */
const MAX_WORDS = 40;
/** Letters of a line that are shown; which words differ is told apart from it. */
const MAX_SHOWN = 400;

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
  if (onlyA.length > 0) lines.push(`only A: ${told(onlyA)}`);
  if (onlyB.length > 0) lines.push(`only B: ${told(onlyB)}`);
  if (lines.length === 0 && inA.join(" ") !== inB.join(" ")) lines.push("the same words in another order");
  if (a.includes(0)) lines.push("A contains a NUL: the kernel reads no further");
  if (b.includes(0)) lines.push("B contains a NUL: the kernel reads no further");
  return lines;
}

/** A command line as text in which every unusual byte shows. */
export function shownCmdline(bytes: Uint8Array): string {
  const text = quoted(bytes);
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}...` : text;
}

function quoted(bytes: Uint8Array): string {
  try {
    return JSON.stringify(parseUtf8(bytes, "command line"));
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    return `${bytes.length} bytes that are not UTF-8`;
  }
}

const wordsOf = (bytes: Uint8Array): string[] =>
  quoted(bytes)
    .slice(1, -1)
    .split(/(?:\s|\\n|\\t|\\r|\\u0000)+/)
    .filter((word) => word !== "");

/** Words that the others have not, or less often; counted, because a hostile line has tens of thousands. */
function missingIn(words: readonly string[], others: readonly string[]): string[] {
  const left = new Map<string, number>();
  for (const word of others) left.set(word, (left.get(word) ?? 0) + 1);
  return words.filter((word) => {
    const count = left.get(word) ?? 0;
    if (count > 0) left.set(word, count - 1);
    return count === 0;
  });
}

function told(words: readonly string[]): string {
  const more = words.length > MAX_WORDS ? ` and ${words.length - MAX_WORDS} more` : "";
  return `${words.slice(0, MAX_WORDS).join(" ")}${more}`;
}
