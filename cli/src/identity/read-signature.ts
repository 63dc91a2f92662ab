/**
 * ECDSA signatures made elsewhere, in whichever form the signer wrote them.
 * @module
 */
import { parseBase64, parseEcdsaDer, ParseError, parseHex } from "@bootproof/bytes";
import { P384_LENGTH } from "@bootproof/bytes/p384";

import { EXIT } from "../frame/exit-code.ts";
import { Failure } from "../frame/failure.ts";
import { readInput } from "../frame/files.ts";

const RAW = 2 * P384_LENGTH;

/** Reads a signature file: DER as openssl writes it, or r and s of 48 bytes each; binary, base64 or hex. */
export async function readSignatureFile(file: string): Promise<Uint8Array> {
  const bytes = await readInput(file, 2 ** 12);
  const found = parseSignature(bytes) ?? parseText(bytes);
  if (found !== undefined) return found;
  throw new Failure("BP-ID-006", EXIT.malformed, "is no ECDSA signature on P-384", {
    file,
    expected: `DER, or ${RAW} bytes r and s; binary, base64 or hex`,
    found: `${String(bytes.length)} other bytes`,
  });
}

function parseSignature(bytes: Uint8Array): Uint8Array | undefined {
  if (bytes.length === RAW) return bytes;
  return attempt(() => parseEcdsaDer(bytes, P384_LENGTH));
}

function parseText(bytes: Uint8Array): Uint8Array | undefined {
  const text = Buffer.from(bytes).toString("latin1").replaceAll(/\s/g, "");
  const hex = /^[0-9a-f]*$/i.test(text) ? attempt(() => parseHex(text, "signature")) : undefined;
  const decoded = hex ?? attempt(() => parseBase64(text, "signature"));
  return decoded === undefined ? undefined : parseSignature(decoded);
}

function attempt(parse: () => Uint8Array): Uint8Array | undefined {
  try {
    return parse();
  } catch (error) {
    if (error instanceof ParseError) return undefined;
    throw error;
  }
}
