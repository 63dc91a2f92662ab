/**
 * Object identifiers of ASN.1 (X.690 section 8.19) as text: `1.2.840.10045.2.1`.
 * @module
 */
import type { DerElement } from "./der.ts";
import { ParseError } from "./parse-error.ts";

/** The dotted form; throws {@link ParseError} for an identifier that is cut or written longer than needed. */
export function formatObjectIdentifier({ body, offset }: DerElement): string {
  const arcs: bigint[] = [];
  let value = 0n;
  let started = false;
  for (const [index, byte] of body.entries()) {
    if (!started && byte === 0x80)
      throw new ParseError("NOT_CANONICAL", "object identifier", {
        offset: offset + index,
        expected: "no leading zeros",
      });
    value = (value << 7n) | BigInt(byte & 0x7f);
    started = byte >= 0x80;
    if (started) continue;
    arcs.push(value);
    value = 0n;
  }
  const [first] = arcs;
  if (first === undefined || started)
    throw new ParseError("TRUNCATED", "object identifier", { offset, expected: "a whole number" });
  // The first number holds two: the top arc has at most 0, 1 and 2, and below 0 and 1 there are 40 each.
  const top = first < 80n ? first / 40n : 2n;
  return [top, first - top * 40n, ...arcs.slice(1)].join(".");
}
