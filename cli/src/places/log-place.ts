/**
 * A log on a folder. `DIR` holds what everyone may read (checkpoint, tiles, `log.vkey`) and nothing else, so that any
 * web server can serve it; `DIR.private` beside it holds the log's key, its head and what is being written.
 * @module
 */
import { createHash, randomBytes } from "node:crypto";
import { mkdir, readFile, stat } from "node:fs/promises";
import { join, resolve } from "node:path";

import { formatVkey, parseVkey } from "@bootproof/bytes";
import {
  formatSigningKey,
  makeSigningKey,
  signerOf,
  type Signer,
  type SigningKey,
} from "@bootproof/bytes/signing";
import {
  fetchCheckpoint,
  Log,
  LogError,
  LogReader,
  noteVerifiers,
  type FetchObject,
  type LogOptions,
  type SignedCheckpoint,
  type WitnessPanel,
} from "@bootproof/log";
import { DirectoryHead, DirectoryObjects } from "@bootproof/store";

import { reading } from "../errors/to-failure.ts";
import type { Context } from "../frame/context.ts";
import { EXIT } from "../frame/exit-code.ts";
import { Failure } from "../frame/failure.ts";
import { errno, outputFailure, readInputText, writeAnswer } from "../frame/files.ts";
import { readKeyFile, writeKeyFile } from "../signing/key-file.ts";
import { openWitnesses, type Witnessing } from "./log-witnesses.ts";

const VKEY_FILE = "log.vkey";
const KEY_FILE = "log.key";

/** The folder with a log's private state. */
export function privateFolder(folder: string): string {
  return `${folder.replace(/\/+$/, "")}.private`;
}

/** A log that this process writes to. */
export interface WritableLog {
  readonly log: Log;
  readonly signer: Signer;
  /** Those that must cosign what is published, when its policy asks for any. */
  readonly witnesses: WitnessPanel | undefined;
  /** Publishes the cosignatures that come late, and lets another process write. */
  readonly close: () => Promise<void>;
}

/** Starts an empty log under a name, with a new key; the key's name is the log's origin. Close it. */
export async function createLog(
  folder: string,
  origin?: string,
  witnessing: Witnessing = {},
): Promise<WritableLog> {
  const hidden = privateFolder(folder);
  if (await exists(join(folder, "checkpoint"))) throw alreadyThere(folder);
  try {
    await mkdir(hidden, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw outputFailure(hidden, error);
  }
  const file = join(hidden, KEY_FILE);
  // A key without a log is what a killed `log init` leaves; it has signed nothing that anyone saw.
  const key = (await exists(file)) ? await readKeyFile(file) : await newKey(file, "log", origin);
  const signer = signerOf(key);
  const place = await placeOf(folder, signer, witnessing);
  const log = await completeOrCreate(place);
  try {
    await writeAnswer(join(folder, VKEY_FILE), `${formatVkey(key.vkey)}\n`);
  } catch (error) {
    await log.close();
    throw error;
  }
  return writable(log, place);
}

/** Opens a log for writing; close it. */
export async function openLog(folder: string, witnessing: Witnessing = {}): Promise<WritableLog> {
  const file = join(privateFolder(folder), KEY_FILE);
  if (!(await exists(file))) throw noLog(folder);
  const signer = signerOf(await readKeyFile(file));
  const place = await placeOf(folder, signer, witnessing);
  return writable(await Log.open(place), place);
}

/** Opens a log for writing, or starts one when the folder holds none; close it. */
export async function openOrCreateLog(folder: string, witnessing: Witnessing = {}): Promise<WritableLog> {
  return (await exists(join(privateFolder(folder), KEY_FILE))) && (await exists(join(folder, "checkpoint")))
    ? openLog(folder, witnessing)
    : createLog(folder, undefined, witnessing);
}

function writable(log: Log, { signer, witnesses }: LogOptions): WritableLog {
  const close = async (): Promise<void> => {
    try {
      await witnesses?.settle();
    } finally {
      await log.close();
    }
  };
  return { log, signer, witnesses, close };
}

/** A log opened for reading: its verified checkpoint, and whose word the key is. */
export interface ReadableLog {
  /** Opens the tree; throws LogError when its right edge does not hash to the checkpoint. */
  readonly open: () => Promise<LogReader>;
  readonly checkpoint: SignedCheckpoint;
  readonly fetch: FetchObject;
  readonly vkey: string;
  /** True when the key was found beside the log and not named by the user. */
  readonly selfReported: boolean;
}

/** Opens a log at a folder or URL for reading, by the key named or else by the key that lies beside it. */
export async function readLog(context: Context, place: string, vkey?: string): Promise<ReadableLog> {
  const fetch = /^https?:\/\//.test(place)
    ? urlFetch(context, place)
    : folderFetch(resolve(context.cwd, place));
  const found = vkey ?? (await readVkeyFile(fetch, place));
  const name = reading("the log's key", () => parseVkey(found)).name;
  const checkpoint = await fetchCheckpoint(fetch, noteVerifiers([found]), name);
  const open = (): Promise<LogReader> => LogReader.open(fetch, checkpoint);
  return { open, checkpoint, fetch, vkey: found, selfReported: vkey === undefined };
}

/** Makes a key whose name, unless given, comes from the key itself, and writes it to a new file. */
export async function newKey(file: string, role: string, name?: string): Promise<SigningKey> {
  const seed = new Uint8Array(randomBytes(32));
  const unique = createHash("sha256")
    .update("bootproof key name\n")
    .update(makeSigningKey("x", seed).vkey.publicKey);
  const key = reading("the log's name", () =>
    makeSigningKey(name ?? `bootproof.local/${role}-${unique.digest("hex").slice(0, 8)}`, seed),
  );
  await writeKeyFile(file, formatSigningKey(key));
  return key;
}

/** Starts a log; one whose start was killed before its first checkpoint came out is completed. */
async function completeOrCreate(options: LogOptions): Promise<Log> {
  try {
    return await Log.open(options);
  } catch (error) {
    if (error instanceof LogError && error.kind === "NO_LOG") return Log.create(options);
    throw error;
  }
}

async function placeOf(folder: string, signer: Signer, witnessing: Witnessing): Promise<LogOptions> {
  const hidden = privateFolder(folder);
  const staging = await DirectoryObjects.open(join(hidden, "staging"));
  const witnesses = await openWitnesses(hidden, signer, staging, witnessing);
  return {
    origin: signer.name,
    signer,
    objects: await DirectoryObjects.open(folder),
    staging,
    head: await DirectoryHead.open(join(hidden, "head")),
    ...(witnesses === undefined ? {} : { witnesses }),
  };
}

async function readVkeyFile(fetch: FetchObject, place: string): Promise<string> {
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

// Entry bundles are the largest files: 256 entries of 64 KiB.
const MAX_OBJECT = 2 ** 24 + 2 ** 16;

function urlFetch({ options, signal }: Context, base: string): FetchObject {
  if (options.offline)
    throw new Failure("BP-NET-001", EXIT.unavailable, "a log at a URL cannot be read with --offline", {
      found: base,
    });
  return async (path) => {
    const url = `${base.replace(/\/+$/, "")}/${path}`;
    try {
      const response = await fetch(url, { signal });
      if (response.status === 404 || response.status === 410) return undefined;
      if (!response.ok) throw new Error(`status ${String(response.status)}`);
      const bytes = new Uint8Array(await response.arrayBuffer());
      if (bytes.length > MAX_OBJECT) throw new Error(`more than ${String(MAX_OBJECT)} bytes`);
      return bytes;
    } catch (error) {
      const found = error instanceof Error ? error.message : String(error);
      throw new Failure("BP-NET-002", EXIT.unavailable, `cannot fetch ${url}`, { found, cause: error });
    }
  };
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

function noLog(place: string): Failure {
  const hint = `check --log, or start one: bootproof log init --log ${place}`;
  return new Failure("BP-LOG-003", EXIT.noInput, "no log at this place", { file: place, hint });
}

function alreadyThere(folder: string): Failure {
  const hint = "add to it (bootproof log add), or choose another folder";
  return new Failure("BP-LOG-004", EXIT.cannotWrite, "there is a log already", { file: folder, hint });
}

/** Reads a public key from a file, or takes it as it was typed. */
export async function readVkey(text: string): Promise<string> {
  if (/^[^\s+]+\+[0-9a-f]{8}\+/.test(text)) return text;
  return (await readInputText(text, 8192)).trim();
}
