/**
 * @bootproof/bytes: the ground everything stands on.
 * @module
 */
export { formatBase64, parseBase64 } from "./base64.ts";
export { formatCanonicalJson } from "./canonical-json.ts";
export { ByteReader } from "./byte-reader.ts";
export { ByteWriter } from "./byte-writer.ts";
export {
  type CborKey,
  type CborMap,
  type CborOptions,
  type CborTag,
  type CborValue,
  encodeCbor,
  isCborArray,
  isCborMap,
  isCborTag,
  parseStrictCbor,
} from "./cbor.ts";
export { concatBytes, equalBytes, firstDifference } from "./compare.ts";
export { crc32, joinCrc32 } from "./crc32.ts";
export { parseDecimal } from "./decimal.ts";
export {
  asDigest,
  DIGEST_LENGTH,
  digestOf,
  formatDigest,
  hashInto,
  parseDigest,
  sha1,
  sha256,
  sha256Joined,
  sha384,
  sha512,
  startHash,
  type Digest,
  type Sha1,
  type Sha256,
  type Sha384,
  type Sha512,
} from "./digest.ts";
export { parseEcdsaDer } from "./ecdsa-der.ts";
export { formatGuid, parseGuid } from "./guid.ts";
export type { HashAlgorithm, HashInto, HashState } from "./hash-door.ts";
export { formatHex, parseHex, quote } from "./hex.ts";
export { hmacSha256 } from "./hmac.ts";
export { ParseError, type ParseErrorCode, type ParseErrorDetail } from "./parse-error.ts";
export { parseLocatedJson, parseStrictJson, type JsonPlaces, type JsonValue } from "./strict-json.ts";
export { parseUtf8, utf8 } from "./utf8.ts";
export {
  checkKeyName,
  formatVkey,
  KEY_TYPE,
  keyIdOf,
  makeVkey,
  parseVkey,
  type KeyType,
  type Vkey,
} from "./vkey.ts";
