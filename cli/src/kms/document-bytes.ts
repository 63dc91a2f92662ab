/**
 * Attestation documents as people have them: binary, or base64 on one line or many.
 * @module
 */
import { ParseError, parseBase64 } from "@bootproof/bytes";
import { looksLikeAttestationDocument } from "@bootproof/verify/nitro";

/** Base64 of the largest document, with line ends. */
const MAX_TEXT = 64 * 1024;

/** The document's bytes; undefined for what is no document. */
export function documentBytes(bytes: Uint8Array): Uint8Array | undefined {
  if (looksLikeAttestationDocument(bytes)) return bytes;
  // `hEShATgi` and `0oRE` are the first bytes of documents in base64.
  if (bytes.length > MAX_TEXT || !(bytes[0] === 0x68 || bytes[0] === 0x30)) return undefined;
  const text = new TextDecoder("latin1").decode(bytes).replaceAll(/\s/g, "");
  try {
    const decoded = parseBase64(text, "attestation document");
    return looksLikeAttestationDocument(decoded) ? decoded : undefined;
  } catch (error) {
    if (error instanceof ParseError) return undefined;
    throw error;
  }
}
