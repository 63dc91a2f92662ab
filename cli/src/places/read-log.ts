/**
 * A log opened for reading: on a folder, on the store that the folder names, or at a URL.
 * @module
 */
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";

import { ParseError, parseVkey } from "@bootproof/bytes";
import {
  fetchCheckpoint,
  LogError,
  LogReader,
  noteVerifiers,
  originHash,
  type FetchObject,
  type NoteVerifier,
  type SignedCheckpoint,
} from "@bootproof/log";

import { MalformedFile, reading } from "../errors/reading.ts";
import type { Context } from "../frame/context.ts";
import { EXIT } from "../frame/exit-code.ts";
import { Failure } from "../frame/failure.ts";
import { errno, readInputText } from "../frame/files.ts";
import { urlFetch } from "./http-fetch.ts";
import { openObjects, privateFolder } from "./log-stores.ts";
import { noLog } from "./open-log-place.ts";
import { readPlaceFile } from "./place-file.ts";
import { LogMemory } from "./remembered.ts";
import { formatVkeyFile, parseVkeyFile, VKEY_FILE } from "./vkey-file.ts";

/** A log opened for reading: its verified checkpoint, and whose word the key is. */
export interface ReadableLog {
  /** Opens the tree; throws LogError when its right edge does not hash to the checkpoint. */
  readonly open: () => Promise<LogReader>;
  readonly checkpoint: SignedCheckpoint;
  readonly fetch: FetchObject;
  /** Demands that the log has grown from what was seen of it before, and remembers it; throws Failure and LogError. */
  readonly demandGrowth: () => Promise<void>;
  /** The keys that count, one a line: while a log changes its key, two. */
  readonly vkey: string;
  readonly vkeys: readonly string[];
  /** True when the key was found beside the log and not named by the user. */
  readonly selfReported: boolean;
}

/**
 * Opens a log at a folder or URL for reading, by the keys named or else by those that lie beside it. Where there is no
 * log but a mirror of many, it is the one of that mirror whose name the key has. The log must have grown from what was
 * seen of it before: at once, or when `demandGrowth` is called by who wants to look at its files first.
 */
export async function readLog(
  context: Context,
  place: string,
  vkey?: string,
  growth: "now" | "later" = "now",
): Promise<ReadableLog> {
  const top = await fetchFrom(context, place);
  const found = vkey ?? (await readVkeyObject(top, place));
  const vkeys = reading("the log's key", () => parseVkeyFile(found));
  const { name } = parseVkey(vkeys[0]);
  // Before the checkpoint is asked for, so that what others see in the meantime is no reproach.
  const memory = await LogMemory.open(context, vkeys, name);
  const verifiers = noteVerifiers(vkeys);
  const { checkpoint, fetch } = await readingFrom(place, () =>
    findCheckpoint(top, verifiers, name, vkey !== undefined),
  );
  const demandGrowth = (): Promise<void> => memory.demandGrowth(checkpoint, fetch);
  if (growth === "now") await demandGrowth();
  const open = (): Promise<LogReader> => LogReader.open(fetch, checkpoint);
  return {
    open,
    checkpoint,
    fetch,
    demandGrowth,
    vkey: formatVkeyFile(vkeys).trimEnd(),
    vkeys,
    selfReported: vkey === undefined,
  };
}

/** The checkpoint of a log at a place, or of that log's mirror below it (C2SP tlog-mirror). */
async function findCheckpoint(
  top: FetchObject,
  verifiers: readonly NoteVerifier[],
  name: string,
  isNamed: boolean,
): Promise<{ readonly checkpoint: SignedCheckpoint; readonly fetch: FetchObject }> {
  try {
    return { checkpoint: await fetchCheckpoint(top, verifiers, name), fetch: top };
  } catch (error) {
    if (!isNamed || !(error instanceof LogError) || error.kind !== "NO_LOG") throw error;
    const below: FetchObject = (path) => top(`${originHash(name)}/${path}`);
    return { checkpoint: await fetchCheckpoint(below, verifiers, name), fetch: below };
  }
}

/** Says of malformed bytes where they came from. */
async function readingFrom<T>(place: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw error instanceof ParseError
      ? new MalformedFile(`${place.replace(/\/+$/, "")}/checkpoint`, error)
      : error;
  }
}

/** Reads public keys from a file, or takes the one that was typed. */
export async function readVkey(text: string): Promise<string> {
  if (/^[^\s+]+\+[0-9a-f]{8}\+/.test(text)) return text;
  return (await readInputText(text, 2 ** 16)).trim();
}

async function fetchFrom(context: Context, place: string): Promise<FetchObject> {
  if (/^https?:\/\//.test(place)) return urlFetch(context, place);
  const folder = resolve(context.cwd, place);
  const remembered = await readPlaceFile(privateFolder(folder));
  if (remembered?.objects === undefined) return folderFetch(folder);
  const { env, options } = context;
  const objects = await openObjects(folder, remembered, "read", { env, offline: options.offline });
  return (path) => objects.get(path);
}

async function readVkeyObject(fetch: FetchObject, place: string): Promise<string> {
  const bytes = await fetch(VKEY_FILE);
  if (bytes !== undefined) return new TextDecoder().decode(bytes).trim();
  if ((await fetch("checkpoint")) === undefined) throw noLog(place);
  const hint = "name the log's key: --vkey KEY";
  throw new Failure("BP-LOG-013", EXIT.undecided, "the log's key is not known", {
    file: place,
    expected: VKEY_FILE,
    hint,
  });
}

function folderFetch(folder: string): FetchObject {
  return async (path) => {
    try {
      const bytes = await readFile(join(folder, path));
      return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
    } catch (error) {
      if (errno(error) === "ENOENT" || errno(error) === "ENOTDIR") return undefined;
      throw error;
    }
  };
}
