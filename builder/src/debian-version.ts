/**
 * Debian versions: their order and constraints on them (Debian policy 5.6.12; deb-version(7)).
 * @module
 */
import { ParseError, quote } from "@bootproof/bytes";

/** A version in its three parts. */
export interface DebianVersion {
  readonly epoch: number;
  readonly upstream: string;
  /** Empty when the package is native. */
  readonly revision: string;
}

/** A relation of a dependency, e.g. `>=`. */
export type VersionRelation = "<<" | "<=" | "=" | ">=" | ">>";

const SPELLING = /^(?:([0-9]{1,9}):)?([0-9][A-Za-z0-9.+~:-]*?)(?:-([A-Za-z0-9+.~]+))?$/;
const MAX_LENGTH = 250;

/** Splits a version into its parts; throws {@link ParseError} when it is not one. */
export function parseDebianVersion(text: string): DebianVersion {
  const match = text.length > MAX_LENGTH ? null : SPELLING.exec(text);
  const [, epoch, upstream, revision = ""] = match ?? [];
  // Without an epoch a colon has no meaning: policy forbids it then.
  if (upstream === undefined || (epoch === undefined && upstream.includes(":")) || text.endsWith("-"))
    throw new ParseError("BAD_ENCODING", "Debian version", {
      expected: "[epoch:]upstream[-revision]",
      found: quote(text),
    });
  return { epoch: Number(epoch ?? "0"), upstream, revision };
}

/** Negative when `a` is older than `b`, positive when newer, 0 when equal; throws {@link ParseError}. */
export function compareDebianVersions(a: string, b: string): number {
  if (a === b) return 0;
  const left = parseDebianVersion(a);
  const right = parseDebianVersion(b);
  return (
    left.epoch - right.epoch ||
    comparePart(left.upstream, right.upstream) ||
    comparePart(left.revision, right.revision)
  );
}

/** Whether `version` stands in `relation` to `wanted`; throws {@link ParseError}. */
export function satisfiesVersion(version: string, relation: VersionRelation, wanted: string): boolean {
  const order = compareDebianVersions(version, wanted);
  switch (relation) {
    case "<<":
      return order < 0;
    case "<=":
      return order <= 0;
    case "=":
      return order === 0;
    case ">=":
      return order >= 0;
    case ">>":
      return order > 0;
  }
}

/** Alternates between a run of non-digits and a run of digits, as policy describes. */
function comparePart(a: string, b: string): number {
  let left = a;
  let right = b;
  while (left !== "" || right !== "") {
    const leftText = /^[^0-9]*/.exec(left)?.[0] ?? "";
    const rightText = /^[^0-9]*/.exec(right)?.[0] ?? "";
    const byText = compareText(leftText, rightText);
    if (byText !== 0) return byText;
    left = left.slice(leftText.length);
    right = right.slice(rightText.length);
    const leftDigits = /^[0-9]*/.exec(left)?.[0] ?? "";
    const rightDigits = /^[0-9]*/.exec(right)?.[0] ?? "";
    const byNumber = compareDigits(leftDigits, rightDigits);
    if (byNumber !== 0) return byNumber;
    left = left.slice(leftDigits.length);
    right = right.slice(rightDigits.length);
  }
  return 0;
}

/** `~` before the end of the text, the end before letters, letters before everything else. */
function compareText(a: string, b: string): number {
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const order = weight(a[index]) - weight(b[index]);
    if (order !== 0) return order;
  }
  return 0;
}

function weight(character: string | undefined): number {
  if (character === undefined) return 0;
  if (character === "~") return -1;
  return /[A-Za-z]/.test(character) ? character.charCodeAt(0) : character.charCodeAt(0) + 256;
}

/** As numbers of any length: a date with a time of day does not fit 53 bits. */
function compareDigits(a: string, b: string): number {
  const left = a.replace(/^0+/, "");
  const right = b.replace(/^0+/, "");
  if (left.length !== right.length) return left.length - right.length;
  return left < right ? -1 : left > right ? 1 : 0;
}
