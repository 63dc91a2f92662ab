/**
 * `DIR.private/place.json`: where a log's files are and which keys sign for it, so that every command needs only the
 * folder. It holds no secret, and relative paths in it start at its own folder. A log whose parts are all on the folder
 * and whose one key is `log.key` beside it has no such file.
 * @module
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { formatCanonicalJson, KEY_TYPE, ParseError, parseStrictJson, parseVkey } from "@bootproof/bytes";

import { reading } from "../errors/reading.ts";
import { errno, inputFailure, writeAnswer } from "../frame/files.ts";
import { readRecord, readText } from "../frame/strict-fields.ts";
import { formatKeyList, readKeyList, type PlaceKey } from "./key-list.ts";

const SCHEMA = "bootproof/log-place/1";
const PLACE_FILE = "place.json";
const MAX_PLACE_FILE = 256 * 1024;

/** What is remembered about a log. */
export interface PlaceFile {
  /** All of one name, the log's origin; the first Ed25519 key is the one that witnesses are shown. */
  readonly keys: readonly PlaceKey[];
  /** URL of what everyone may read; in the folder when absent. */
  readonly objects?: string;
  /** URL of head and stages; in the private folder when absent. */
  readonly privateStore?: string;
}

/** Reads the file of a private folder; undefined when there is none. */
export async function readPlaceFile(hidden: string): Promise<PlaceFile | undefined> {
  const file = join(hidden, PLACE_FILE);
  try {
    const bytes = await readFile(file);
    return reading(file, () => parsePlaceFile(new Uint8Array(bytes)));
  } catch (error) {
    if (errno(error) === "ENOENT" || errno(error) === "ENOTDIR") return undefined;
    throw errno(error) === undefined ? error : inputFailure(file, error);
  }
}

/** Replaces the file of a private folder. */
export async function writePlaceFile(hidden: string, place: PlaceFile): Promise<void> {
  await writeAnswer(join(hidden, PLACE_FILE), formatPlaceFile(place), 0o600);
}

/** Parses the file; throws {@link ParseError}. */
export function parsePlaceFile(bytes: Uint8Array): PlaceFile {
  const record = readRecord(parseStrictJson(bytes, "log place", MAX_PLACE_FILE), "log place", {
    schema: SCHEMA,
    required: ["keys"],
    optional: ["objects", "privateStore"],
  });
  const keys = readKeyList(record["keys"], "log place keys");
  refuseOddKeys(keys);
  const url = (name: "objects" | "privateStore"): Partial<PlaceFile> =>
    record[name] === undefined ? {} : { [name]: readText(record[name], `log place ${name}`, { max: 4096 }) };
  return { keys, ...url("objects"), ...url("privateStore") };
}

/** The text of the file: sorted keys, one line. */
export function formatPlaceFile({ keys, objects, privateStore }: PlaceFile): string {
  const text = formatCanonicalJson({
    schema: SCHEMA,
    keys: formatKeyList(keys),
    ...(objects === undefined ? {} : { objects }),
    ...(privateStore === undefined ? {} : { privateStore }),
  });
  parsePlaceFile(new TextEncoder().encode(text));
  return `${text}\n`;
}

function refuseOddKeys(keys: readonly PlaceKey[]): void {
  const types = keys.map(({ vkey }) => parseVkey(vkey).type);
  const fail = (expected: string): ParseError =>
    new ParseError("NOT_CANONICAL", "log place keys", { expected });
  if (!types.includes(KEY_TYPE.ed25519)) throw fail("an Ed25519 key");
  if (types.includes(KEY_TYPE.cosignature)) throw fail("no witness's key");
}
