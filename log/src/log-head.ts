/**
 * The head: what the log has committed to, kept where only a compare-and-swap can change it. Form: the line below,
 * `stage <name>|none`, `previous <SHA-256 of the head before>|none`, `frozen` if the log takes no more entries, a blank
 * line, the signed checkpoint verbatim.
 * @module
 */
import { concatBytes, formatHex, ParseError, parseUtf8, quote, sha256, utf8 } from "@bootproof/bytes";
import { isStageName } from "./stage.ts";

const FIRST_LINE = "bootproof.log/head@v1";
const FROZEN = "frozen";
const PREVIOUS = /^(?:none|[0-9a-f]{64})$/;
const LF = 0x0a;

/** A committed state of the log. */
export interface LogHead {
  /** Key of the stage that completes this state; undefined for the empty log. */
  readonly stage: string | undefined;
  /** Hex SHA-256 of the head that this one replaced: heads form a chain. */
  readonly previous: string | undefined;
  /** Whether the log takes no more entries, for ever. */
  readonly frozen: boolean;
  /** The signed checkpoint. */
  readonly note: Uint8Array;
}

/** The bytes of a head. */
export function formatLogHead({ stage, previous, frozen, note }: LogHead): Uint8Array<ArrayBuffer> {
  const lines = [
    FIRST_LINE,
    `stage ${stage ?? "none"}`,
    `previous ${previous ?? "none"}`,
    ...(frozen ? [FROZEN] : []),
  ];
  return concatBytes(utf8(`${lines.join("\n")}\n\n`), note);
}

/** Parses a head; the checkpoint in it is not checked. Throws {@link ParseError}. */
export function parseLogHead(bytes: Uint8Array): LogHead {
  const end = bytes.findIndex((byte, index) => byte === LF && bytes[index + 1] === LF);
  if (end < 0) throw new ParseError("MISSING", "log head", { expected: "a blank line" });
  const [first, stage, previous, ...rest] = parseUtf8(bytes.subarray(0, end), "log head").split("\n");
  const frozen = rest[0] === FROZEN;
  if (first !== FIRST_LINE || rest.length > (frozen ? 1 : 0))
    throw new ParseError("BAD_MAGIC", "log head", { expected: FIRST_LINE, found: quote(first ?? "") });
  return {
    stage: field(stage, "stage", isStageName),
    previous: field(previous, "previous", (digest) => PREVIOUS.test(digest)),
    frozen,
    note: bytes.subarray(end + 2),
  };
}

/** What the next head says of the one before it. */
export const headDigest = (bytes: Uint8Array): string => formatHex(sha256(bytes));

function field(line: string | undefined, key: string, holds: (value: string) => boolean): string | undefined {
  const value = line?.startsWith(`${key} `) === true ? line.slice(key.length + 1) : undefined;
  if (value === "none") return undefined;
  if (value === undefined || !holds(value))
    throw new ParseError("NOT_CANONICAL", `log head ${key}`, { found: quote(line ?? "") });
  return value;
}
