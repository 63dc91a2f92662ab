/**
 * `log.vkey`: the public keys of a log, one a line, beside its checkpoint. One, and while the log changes its key two.
 * @module
 */
import { ParseError, parseVkey } from "@bootproof/bytes";

/** Where it lies among a log's files. */
export const VKEY_FILE = "log.vkey";
const MAX_KEYS = 16;

/** Reads the keys, which are all of one name and none twice; throws {@link ParseError}. */
export function parseVkeyFile(text: string): readonly [string, ...string[]] {
  const [first = "", ...others] = text.replace(/\n$/, "").split("\n");
  const keys = [first, ...others] as const;
  if (keys.length > MAX_KEYS)
    throw new ParseError("TOO_LARGE", "log keys", {
      expected: `at most ${MAX_KEYS}`,
      found: `${keys.length}`,
    });
  const names = new Set(keys.map((key) => parseVkey(key).name));
  if (names.size > 1) throw new ParseError("NOT_CANONICAL", "log keys", { expected: "keys of one name" });
  if (new Set(keys).size < keys.length) throw new ParseError("DUPLICATE", "log keys");
  return [first, ...others];
}

/** The text of the file. */
export const formatVkeyFile = (vkeys: readonly string[]): string => `${vkeys.join("\n")}\n`;
