/**
 * Times in certificates (RFC 5280 section 4.1.2.5): UTCTime until 2049, GeneralizedTime after it, both in UTC and with
 * seconds.
 * @module
 */
import type { DerElement } from "./der.ts";
import { quote } from "./hex.ts";
import { ParseError } from "./parse-error.ts";

const UTC_TIME = 0x17;
const GENERALIZED_TIME = 0x18;
const FORM = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/;

/** Parses a time; throws {@link ParseError}. */
export function parseDerTime({ tag, body, offset }: DerElement, field: string): Date {
  if (tag !== UTC_TIME && tag !== GENERALIZED_TIME)
    throw new ParseError("BAD_MAGIC", `${field} tag`, { offset, expected: "a time" });
  const text = Array.from(body.subarray(0, 20), (byte) => String.fromCharCode(byte)).join("");
  // Two digits of a year from 50 on mean the last century.
  const century = tag === GENERALIZED_TIME ? "" : text < "50" ? "20" : "19";
  const iso = (century + text).replace(FORM, "$1-$2-$3T$4:$5:$6.000Z");
  const date = new Date(iso);
  // A date that does not come back the same is none, such as 31 February.
  if (Number.isNaN(date.getTime()) || date.toISOString() !== iso)
    throw new ParseError("BAD_ENCODING", field, { offset, expected: "a time in UTC", found: quote(text) });
  return date;
}
