/**
 * Why an entry was found, in words.
 * @module
 */
import type { DigestMatch } from "./lookup.ts";
import type { ReadStatement } from "./read-entry.ts";
import { shapeText } from "./shape-text.ts";

/** Where an entry holds a digest, in words: `snp launchDigest of qemu EPYC-v4 x 4`. */
export function matchText(match: DigestMatch): string {
  switch (match.kind) {
    case "leaf hash":
    case "recipe":
    case "lock":
    case "provenance":
    case "rebuild of":
      return match.kind;
    case "artifact":
    case "action":
    case "input root":
    case "rebuilt":
      return `${match.kind} ${match.name}`;
    case "register":
      return `${match.platform} ${match.register}${of(shapeText(match.shape))}`;
    case "differing register":
      return `${match.platform} ${match.register}${of(match.shape)}, ${match.side} and not the other`;
  }
}

const of = (shape: string): string => (shape === "" ? "" : ` of ${shape}`);

/** What a statement is about, in words: a release with its version, or a rebuild's verdict. */
export function aboutText(statement: ReadStatement): string {
  switch (statement.kind) {
    case "boot-measurement": {
      const { name, version } = statement.statement.predicate.release;
      return `${name} ${version}`;
    }
    case "rebuild":
      return statement.statement.predicate.verdict;
    case "provenance":
    case "other":
      return "";
  }
}
