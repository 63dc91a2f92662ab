/**
 * Records of extended headers: POSIX.1-2017, pax interchange format, "pax Extended Header".
 * @module
 */
import { ParseError } from "@bootproof/bytes";
import { byteText, type ByteText, show } from "./byte-text.ts";

/** Values by key; a list only for the keys that GNU tar repeats. */
export interface PaxRecords {
  readonly values: ReadonlyMap<string, ByteText>;
  /** `GNU.sparse.offset` and `GNU.sparse.numbytes` of sparse format 0.0, in turn. */
  readonly sparse: readonly ByteText[];
}

/** No records. */
export const NO_RECORDS: PaxRecords = { values: new Map(), sparse: [] };

const REPEATED: readonly string[] = ["GNU.sparse.offset", "GNU.sparse.numbytes"];

/** Reads the records that fill an extended header; throws {@link ParseError}. */
export function parsePax(bytes: Uint8Array, offset: number): PaxRecords {
  const text = byteText(bytes);
  const values = new Map<string, ByteText>();
  const sparse: ByteText[] = [];
  for (let at = 0; at < text.length;) {
    const { key, value, end } = parseRecord(text, at, offset);
    if (REPEATED.includes(key)) {
      if (key !== REPEATED[sparse.length % 2])
        throw broken(offset + at, "sparse offset and numbytes in turn");
      sparse.push(value);
    } else if (values.has(key))
      throw new ParseError("DUPLICATE", "pax record", { offset: offset + at, found: show(key) });
    values.set(key, value);
    at = end;
  }
  return { values, sparse };
}

function parseRecord(
  text: ByteText,
  start: number,
  offset: number,
): { key: string; value: ByteText; end: number } {
  const [, digits = ""] = /^([1-9][0-9]{0,8}) /.exec(text.slice(start, start + 10)) ?? [];
  const end = start + Number(digits);
  const record = text.slice(start + digits.length + 1, end);
  const equals = record.indexOf("=");
  if (digits === "" || end > text.length || !record.endsWith("\n") || equals < 1)
    throw broken(offset + start, "a record `length key=value` and a line break");
  const key = record.slice(0, equals);
  const value = record.slice(equals + 1, -1);
  if (key.includes("\0")) throw broken(offset + start, "a key without NUL");
  return { key, value, end };
}

const broken = (offset: number, expected: string): ParseError =>
  new ParseError("BAD_ENCODING", "pax record", { offset, expected });
