/**
 * What a mirror answers when it has less than it was told of: the size of a pending checkpoint, the next entry that it
 * wants, and a ticket to show with it, one a line. C2SP tlog-mirror (draft of 2026-07), "Processing".
 * @module
 */
import { formatBase64, parseBase64, parseDecimal, ParseError, parseUtf8, utf8 } from "@bootproof/bytes";
import { MAX_TICKET } from "./add-entries.ts";

/** Content type of the answer, with status 202 or 409. */
export const MIRROR_INFO_TYPE = "text/x.tlog.mirror-info";
/** Two sizes of 19 digits, a ticket in base64, and line ends. */
const MAX_LENGTH = 2 * 20 + Math.ceil(MAX_TICKET / 3) * 4 + 1;

/** What a mirror says about itself; nothing in it is signed. */
export interface MirrorInfo {
  /** Size of a checkpoint that the mirror takes entries for. */
  readonly size: bigint;
  /** Index of the first entry that it lacks. */
  readonly nextEntry: bigint;
  /** To be sent back as it is. */
  readonly ticket: Uint8Array;
}

/** Parses a mirror's answer; throws {@link ParseError}. */
export function parseMirrorInfo(bytes: Uint8Array): MirrorInfo {
  if (bytes.length > MAX_LENGTH)
    throw new ParseError("TOO_LARGE", "mirror info", {
      expected: `at most ${MAX_LENGTH} bytes`,
      found: String(bytes.length),
    });
  const lines = parseUtf8(bytes, "mirror info").split("\n");
  const [size, nextEntry, ticket, end] = lines;
  if (
    size === undefined ||
    nextEntry === undefined ||
    ticket === undefined ||
    end !== "" ||
    lines.length !== 4
  )
    throw new ParseError("MISSING", "mirror info", {
      expected: "three lines, each with its line end",
      found: `${lines.length - 1}`,
    });
  return {
    size: parseDecimal(size, "mirror info size"),
    nextEntry: parseDecimal(nextEntry, "mirror info next entry"),
    ticket: parseBase64(ticket, "mirror info ticket"),
  };
}

/** The bytes of a mirror's answer: the mirror of {@link parseMirrorInfo}. */
export const formatMirrorInfo = ({ size, nextEntry, ticket }: MirrorInfo): Uint8Array<ArrayBuffer> =>
  utf8(`${size}\n${nextEntry}\n${formatBase64(ticket)}\n`);
