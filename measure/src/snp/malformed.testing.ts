/**
 * Builds the broken images of `malformed.json` from a valid one.
 * @module
 */
import { concatBytes, parseHex } from "@bootproof/bytes";
import { suffix } from "./vectors.testing.ts";

export interface MalformedVector {
  readonly name: string;
  readonly why: string;
  readonly bytes?: string;
  readonly before?: string;
  readonly after?: string;
  readonly patch?: [number, string][];
  readonly want: string;
  readonly withKernel: string;
  readonly warnings?: string[];
}

export const malformedBase: Uint8Array<ArrayBuffer> = suffix("ovmf_AmdSev_suffix.bin");

export function buildMalformed({ bytes, before = "", after = "", patch = [] }: MalformedVector): Uint8Array {
  if (bytes !== undefined) return parseHex(bytes, "bytes");
  const image = malformedBase.slice();
  for (const [offset, hex] of patch) image.set(parseHex(hex, "patch"), offset);
  return concatBytes(parseHex(before, "before"), image, parseHex(after, "after"));
}
