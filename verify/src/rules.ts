/**
 * What rules about people's keys have in common: a verifier's policy and a log's list of publishers are read by the same
 * words, and refuse the same mistakes.
 * @module
 */
import { formatHex, KEY_TYPE, ParseError, parseVkey, type KeyType, type Vkey } from "@bootproof/bytes";
import * as v from "valibot";

const MAX_ENTRIES = 256;

/** An object with exactly these keys; `absent` says what a missing one means. */
export const strict = <const E extends v.ObjectEntries>(
  entries: E,
  absent = "missing key",
): v.StrictObjectSchema<E, (issue: v.StrictObjectIssue) => string> =>
  v.strictObject(entries, (issue) => {
    const known = Object.keys(entries).join(", ");
    if (issue.expected === "Object") return `expected a mapping with ${known}`;
    return issue.expected === "never" ? `unknown key; known here: ${known}` : absent;
  });

/** A vkey of one of `types`, described by `what`. */
export const key = (types: readonly KeyType[], what: string): v.GenericSchema<unknown, Vkey> =>
  v.pipe(
    v.string(`expected ${what}`),
    v.rawTransform(({ dataset, addIssue, NEVER }) => {
      const read = readKey(dataset.value);
      if (typeof read !== "string" && types.includes(read.type)) return read;
      addIssue({
        message: typeof read === "string" ? read : `expected ${what}, found one of type ${read.type}`,
      });
      return NEVER;
    }),
  );

/** A list of at least one item, no two of one identity. */
export const list = <T>(
  item: v.GenericSchema<unknown, T>,
  identity: (item: T) => string,
): v.GenericSchema<unknown, T[]> =>
  v.pipe(
    v.array(item, "expected a list"),
    v.minLength(1, "expected at least one entry"),
    v.maxLength(MAX_ENTRIES, `expected at most ${MAX_ENTRIES} entries`),
    v.check((items) => new Set(items.map(identity)).size === items.length, "an entry appears twice"),
  );

/** The same key under two names would be counted twice. */
export const keyBytes = ({ publicKey }: Vkey): string => formatHex(publicKey);

/** A rule, or the word "any" for none. */
export const orAny = <T>(rule: v.GenericSchema<unknown, T>): v.GenericSchema<unknown, T | "any"> =>
  v.lazy((input): v.GenericSchema<unknown, T | "any"> => (input === "any" ? v.literal("any") : rule));

/** The name of an organisation, which stands for its people. */
export const organisation: v.GenericSchema<unknown, string> = v.pipe(
  v.string("expected an organisation's name"),
  v.regex(/^\S(?:[^\p{Cc}]{0,98}\S)?$/u, "expected an organisation's name of 1 to 100 letters"),
);

const ED25519: readonly KeyType[] = [KEY_TYPE.ed25519];

/** A key that signs statements. */
export const signingKey = (whose: string): v.GenericSchema<unknown, Vkey> =>
  key(ED25519, `${whose} vkey (Ed25519)`);

const subject = v.pipe(
  v.string("expected a release's name"),
  v.regex(/^[a-z0-9][a-z0-9._-]*\*?$/, 'expected a release\'s name, a final * allowed; "any" alone for all'),
);

/** Names of releases; a final `*` stands for any ending. */
export type Namespaces = readonly string[] | "any";

/** {@link Namespaces}. */
export const namespaces: v.GenericSchema<unknown, Namespaces> = orAny(list(subject, (name) => name));

/** Whether a name lies in one of the namespaces; no letter is taken for another. */
export function isWithin(spaces: Namespaces, name: string): boolean {
  if (spaces === "any") return true;
  return spaces.some((pattern) =>
    pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern,
  );
}

function readKey(text: string): Vkey | string {
  try {
    return parseVkey(text);
  } catch (error) {
    if (error instanceof ParseError) return error.message;
    throw error;
  }
}
