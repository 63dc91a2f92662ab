/**
 * What every parser owes to hostile input: it returns, or throws ParseError, whatever the bytes.
 * @module
 */
import { readFileSync } from "node:fs";
import { ParseError } from "@bootproof/bytes";
import fc from "fast-check";

type Parser = (bytes: Uint8Array) => unknown;

/** Reads a JSON file of the package's vectors; the caller says what is in it. */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- a cast with a name
export function readVectors<T>(path: string): T {
  return JSON.parse(readFileSync(vectorPath(path), "utf8")) as T;
}

/** Path of a file of the package's vectors. */
export const vectorPath = (path: string): URL => new URL(`../vectors/${path}`, import.meta.url);

function parsesOrRefuses(parse: Parser, bytes: Uint8Array): boolean {
  try {
    parse(bytes);
    return true;
  } catch (error) {
    if (error instanceof ParseError) return true;
    throw error;
  }
}

/** Any bytes, and any change of a valid sample (a byte, a cut, a doubled piece), parse or throw ParseError. */
export function expectParserToSurvive(parse: Parser, sample: Uint8Array): void {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => parsesOrRefuses(parse, bytes)));
  const place = fc.nat(sample.length);
  fc.assert(
    fc.property(place, place, fc.nat(255), (at, to, byte) => {
      const changed = sample.slice();
      changed[at] = byte;
      const cut = sample.subarray(0, at);
      const doubled = new Uint8Array([...sample.subarray(0, at), ...sample.subarray(Math.min(at, to))]);
      return [changed, cut, doubled].every((bytes) => parsesOrRefuses(parse, bytes));
    }),
    { numRuns: 200 },
  );
}

/** A change of one byte of a valid sample never parses to text that prints back as the sample. */
export function expectOneSpelling(reprint: (bytes: Uint8Array) => Uint8Array, sample: Uint8Array): void {
  fc.assert(
    fc.property(fc.nat(sample.length - 1), fc.nat(255), (at, byte) => {
      const changed = sample.slice();
      changed[at] = byte;
      try {
        return Buffer.from(reprint(changed)).equals(changed);
      } catch (error) {
        return error instanceof ParseError;
      }
    }),
    { numRuns: 300 },
  );
}
