/**
 * ID blocks and ID auths as lines for people and as JSON; nothing is verified.
 * @module
 */
import { formatHex, sha384 } from "@bootproof/bytes";
import {
  ECDSA_P384_SHA384,
  hasNoAuthor,
  parseIdAuth,
  parseIdBlock,
  parsePublicKey,
  parseSignature,
} from "@bootproof/measure/identity";

import { idBlockDocument, idBlockFields } from "./id-block-fields.ts";

/** A structure, decoded and not judged: lines for people and the document for programs. */
export interface DecodedStructure {
  readonly fields: [string, string][];
  readonly document: object;
}

/** The fields of an ID block of 96 bytes; throws ParseError for another length. */
export function describeIdBlock(bytes: Uint8Array): DecodedStructure {
  const block = parseIdBlock(bytes);
  return { fields: [["kind", "ID block"], ...idBlockFields(block)], document: idBlockDocument(block) };
}

/** The keys and signatures of an ID auth of 4096 bytes; throws ParseError for another length. */
export function describeIdAuth(bytes: Uint8Array): DecodedStructure {
  const auth = parseIdAuth(bytes);
  const id = showSigned("ID key", auth.idKeyAlgorithm, auth.idPublicKey, auth.idBlockSignature);
  const author = hasNoAuthor(auth)
    ? undefined
    : showSigned("author key", auth.authorKeyAlgorithm, auth.authorPublicKey, auth.idKeySignature);
  const none: [string, string][] = [["author key", "none"]];
  return {
    fields: [["kind", "ID auth"], ...id.fields, ...(author?.fields ?? none)],
    document: { idKey: id.document, ...(author && { authorKey: author.document }) },
  };
}

function showSigned(
  name: string,
  algorithm: number,
  key: Uint8Array,
  signature: Uint8Array,
): DecodedStructure {
  const { curve, pair } = parsePublicKey(key);
  const numbers = parseSignature(signature).pair;
  const half = (bytes: Uint8Array, index: 0 | 1): string =>
    formatHex(bytes.subarray(48 * index, 48 * index + 48));
  const digest = formatHex(sha384(key));
  const document = {
    algorithm,
    curve,
    x: half(pair, 0),
    y: half(pair, 1),
    digest,
    signature: { r: half(numbers, 0), s: half(numbers, 1) },
  };
  const known = algorithm === ECDSA_P384_SHA384 ? "ECDSA P-384 with SHA-384" : "unknown";
  return {
    fields: [
      [name, `algorithm ${String(algorithm)} (${known}), curve ${String(curve)}`],
      [`${name} digest`, digest],
      ["  x", document.x],
      ["  y", document.y],
      [name === "ID key" ? "signature of the ID block" : "signature of the ID key", ""],
      ["  r", document.signature.r],
      ["  s", document.signature.s],
    ],
    document,
  };
}
