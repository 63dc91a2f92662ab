/**
 * ECDSA signatures made elsewhere, in whichever form the signer wrote them.
 * @module
 */
import { parseBase64, parseEcdsaDer, ParseError, parseHex } from "@bootproof/bytes";
import { ECDSA_LENGTH } from "@bootproof/bytes/ecdsa";

import { EXIT } from "../frame/exit-code.ts";
import { Failure } from "../frame/failure.ts";
import { readInput } from "../frame/files.ts";

const P384_LENGTH = ECDSA_LENGTH["P-384"];
const RAW = 2 * P384_LENGTH;

/** Reads a signature file: DER as openssl writes it, or r and s of 48 bytes each; binary, base64 or hex. */
export async function readSignatureFile(file: string): Promise<Uint8Array> {
  const bytes = await readInput(file, 2 ** 12);
  const found = parseAnySignature(bytes, P384_LENGTH);
  if (found !== undefined) return found;
  throw new Failure("BP-ID-006", EXIT.malformed, "is no ECDSA signature on P-384", {
    file,
    expected: `DER, or ${RAW} bytes r and s; binary, base64 or hex`,
    found: `${String(bytes.length)} other bytes`,
  });
}

/** r and s, each of `length` bytes, from DER or plain bytes, and from base64 or hex of them; else undefined. */
export function parseAnySignature(bytes: Uint8Array, length: number): Uint8Array | undefined {
  return parseBinary(bytes, length) ?? parseText(bytes, length);
}

function parseBinary(bytes: Uint8Array, length: number): Uint8Array | undefined {
  if (bytes.length === 2 * length) return bytes;
  return attempt(() => parseEcdsaDer(bytes, length));
}

function parseText(bytes: Uint8Array, length: number): Uint8Array | undefined {
  const text = Buffer.from(bytes).toString("latin1").replaceAll(/\s/g, "");
  const hex = /^[0-9a-f]*$/i.test(text) ? attempt(() => parseHex(text, "signature")) : undefined;
  const decoded = hex ?? attempt(() => parseBase64(text, "signature"));
  return decoded === undefined ? undefined : parseBinary(decoded, length);
}

function attempt(parse: () => Uint8Array): Uint8Array | undefined {
  try {
    return parse();
  } catch (error) {
    if (error instanceof ParseError) return undefined;
    throw error;
  }
}
