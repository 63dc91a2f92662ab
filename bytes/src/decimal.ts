/**
 * Unsigned decimal integers in their one spelling: no sign, no leading zero, no space.
 * @module
 */
import { quote } from "./hex.ts";
import { ParseError } from "./parse-error.ts";

/** A whole number from 0 to `max`; throws {@link ParseError} for any other text. */
export function parseDecimal(text: string, field: string, max = 0x7fff_ffff_ffff_ffffn): bigint {
  if (!/^(?:0|[1-9][0-9]{0,18})$/.test(text))
    throw new ParseError("NOT_CANONICAL", field, {
      expected: "a decimal number without leading zeros",
      found: quote(text),
    });
  const value = BigInt(text);
  if (value > max) throw new ParseError("OUT_OF_RANGE", field, { expected: `at most ${max}`, found: text });
  return value;
}
