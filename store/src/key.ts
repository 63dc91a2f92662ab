/**
 * Names of objects inside a store: relative paths that cannot leave it and cannot meet a temporary file.
 * @module
 */
import { quote } from "@bootproof/bytes";
import { StoreError } from "./store-error.ts";

const SEGMENT = /^[A-Za-z0-9_][A-Za-z0-9._@+=-]{0,199}$/;
const MAX_LENGTH = 1000;

/** Refuses a key that is absolute, climbs, has an empty or dot-name segment, or letters beyond a plain file name's. */
export function checkKey(key: string): void {
  if (key.length <= MAX_LENGTH && key.split("/").every((segment) => SEGMENT.test(segment))) return;
  throw new StoreError("BP-STORE-008", `not a name the store accepts: ${quote(key)}`, {
    expected: "segments of letters, digits and ._@+=- joined by /, none starting with a dot",
    found: quote(key),
  });
}

/** Refuses a blob name that is not a SHA-256 in lower-case hex. */
export function checkSha256(sha256: string): void {
  if (/^[0-9a-f]{64}$/.test(sha256)) return;
  throw new StoreError("BP-STORE-008", `not a blob name: ${quote(sha256)}`, {
    expected: "a SHA-256 in lower-case hex",
    found: quote(sha256),
  });
}
