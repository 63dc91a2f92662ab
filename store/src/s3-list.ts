/**
 * Lists of keys: the pages of ListObjectsV2.
 * @module
 */
import { ParseError, parseUtf8 } from "@bootproof/bytes";
import { parseXml, type XmlElement } from "@bootproof/bytes/xml";
import { badAnswer } from "./s3-client.ts";

/** So that a page of the longest keys is within what {@link parseXml} reads. */
const PAGE = 500;
/** A log lists partial tiles of one tile, and stages: hundreds. */
const MAX_KEYS = 100_000;

/** One page of a list. */
interface Page {
  readonly keys: readonly string[];
  /** Where the next page begins; undefined on the last. */
  readonly next: string | undefined;
}

/** All keys with a prefix, in order; `read` reads one page. */
export async function listKeys(
  prefix: string,
  action: string,
  read: (query: Readonly<Record<string, string>>) => Promise<Uint8Array>,
): Promise<string[]> {
  const keys: string[] = [];
  let next: string | undefined;
  do {
    const query = { "list-type": "2", "max-keys": String(PAGE), prefix };
    const page = parsePage(
      await read(next === undefined ? query : { ...query, "continuation-token": next }),
      action,
    );
    for (const key of page.keys) {
      const last = keys.at(-1);
      if (!key.startsWith(prefix)) throw badAnswer(action, "a key with another prefix", prefix, key);
      // Also what ends a store that gives the same page for ever.
      if (last !== undefined && key <= last)
        throw badAnswer(action, "keys out of order", `more than ${last}`, key);
      keys.push(key);
    }
    if (page.next !== undefined && page.keys.length === 0) throw badAnswer(action, "an empty page", "keys");
    if (keys.length > MAX_KEYS) throw badAnswer(action, "too many keys", `at most ${MAX_KEYS}`);
    next = page.next;
  } while (next !== undefined);
  return keys;
}

function parsePage(bytes: Uint8Array, action: string): Page {
  try {
    const root = parseXml(parseUtf8(bytes, "list of keys"));
    if (root.name !== "ListBucketResult") throw badAnswer(action, "no list", "ListBucketResult", root.name);
    const keys = root.children
      .filter(({ name }) => name === "Contents")
      .map((item) => only(item, "Key", action));
    const more = only(root, "IsTruncated", action);
    if (more !== "true" && more !== "false") throw badAnswer(action, "IsTruncated", "true or false", more);
    return { keys, next: more === "true" ? only(root, "NextContinuationToken", action) : undefined };
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    throw badAnswer(action, error.message, "a list of keys");
  }
}

/** The text of the one child of this name. */
function only(element: XmlElement, name: string, action: string): string {
  const [child, ...more] = element.children.filter((one) => one.name === name);
  if (child === undefined || more.length > 0) throw badAnswer(action, "not one " + name, "exactly one");
  return child.text;
}
