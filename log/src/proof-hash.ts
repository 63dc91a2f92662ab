/**
 * A hash of a proof as text has it: a line of base64. C2SP tlog-proof, tlog-witness.
 * @module
 */
import { asDigest, parseBase64, ParseError, type Sha256 } from "@bootproof/bytes";
import { HASH_LENGTH } from "./tile.ts";

/** The hash on a line; throws {@link ParseError} naming `field`. */
export function parseProofHash(line: string, field: string): Sha256 {
  const bytes = parseBase64(line, field);
  if (bytes.length !== HASH_LENGTH)
    throw new ParseError("OUT_OF_RANGE", field, {
      expected: `${HASH_LENGTH} bytes`,
      found: `${bytes.length}`,
    });
  return asDigest("sha256", bytes);
}
