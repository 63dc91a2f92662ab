/**
 * The keys under which an entry stands in a lookup index: the one definition, which whoever builds, checks or reads an
 * index shares. They come from the entry's bytes alone, so an index can be made again from the log and compared.
 *
 * A key is a byte that says what it is, then a digest as bytes, or the SHA-256 of a signer's key ID.
 * @module
 */
import { concatBytes, formatHex, parseHex, sha256, utf8 } from "@bootproof/bytes";
import { heldDigests } from "./lookup.ts";
import { claimedSigners, tryReadEntry } from "./read-entry.ts";

/**
 * Keys of one entry. A statement of one kibibyte can name 65,536 shapes; what it names beyond this is not worth an
 * index four thousand times the size of the log, so such an entry is searched itself at each lookup.
 */
export const MAX_LOOKUP_KEYS = 16_384;

/** The key of entries that hold more than their keys say, and have to be searched themselves. */
export const SEARCH_ME: Uint8Array = Uint8Array.of(0);

/** The key of a digest (lower-case hex). */
export const digestKey = (digest: string): Uint8Array =>
  concatBytes(Uint8Array.of(1), parseHex(digest, "digest"));

/** The key of a signer, by the key ID that an envelope claims (`<name>+<key ID>`). */
export const signerKey = (keyid: string): Uint8Array =>
  concatBytes(Uint8Array.of(2), sha256(utf8(keyid.toWellFormed())));

/** All keys of an entry, none twice. */
export function keysOf(entry: Uint8Array): Uint8Array[] {
  const statement = tryReadEntry(entry);
  const keys = new Map<string, Uint8Array>();
  const add = (key: Uint8Array): void => void keys.set(formatHex(key), key);
  for (const keyid of statement === undefined ? [] : claimedSigners(statement)) add(signerKey(keyid));
  for (const held of heldDigests(entry, statement)) {
    const full = keys.size >= MAX_LOOKUP_KEYS;
    add(held === "more" || full ? SEARCH_ME : digestKey(held.digest));
    if (full) break;
  }
  return [...keys.values()];
}
