/**
 * A log on a folder. `DIR` holds what everyone may read (checkpoint, tiles, `log.vkey`) and nothing else, so that any
 * web server can serve it; `DIR.private` beside it holds the log's key, its head and what is being written. What
 * `place.json` in there names is elsewhere instead.
 * @module
 */
import { stat } from "node:fs/promises";
import { join } from "node:path";

import { KEY_TYPE, parseVkey, utf8 } from "@bootproof/bytes";
import { signerOf, type Signer } from "@bootproof/bytes/signing";
import { Log, LogError, type LogOptions, type WitnessPanel } from "@bootproof/log";

import { EXIT } from "../frame/exit-code.ts";
import { Failure } from "../frame/failure.ts";
import { usage } from "../frame/given.ts";
import { newKey } from "../signing/key-use.ts";
import { openSpec } from "../signing/open-signer.ts";
import { formatSignerSpec, type SignerSpec } from "../signing/signer-spec.ts";
import { checkStoreUrls, makePrivateFolder } from "./log-stores.ts";
import {
  KEY_FILE,
  noLog,
  openPlace,
  placeOf,
  type LogSurroundings,
  type OpenLogPlace,
} from "./open-log-place.ts";
import { writePlaceFile, type PlaceFile } from "./place-file.ts";
import { formatVkeyFile, VKEY_FILE } from "./vkey-file.ts";

export { privateFolder } from "./log-stores.ts";
export { openLogPlace, type LogSurroundings, type OpenLogPlace } from "./open-log-place.ts";
export { readLog, readVkey, type ReadableLog } from "./read-log.ts";

/** A log that this process writes to. */
export interface WritableLog {
  readonly log: Log;
  readonly signer: Signer;
  /** The public halves of all keys that sign. */
  readonly vkeys: readonly string[];
  /** Those that must cosign what is published, when its policy asks for any. */
  readonly witnesses: WitnessPanel | undefined;
  /** Publishes the cosignatures that come late, and lets another process write. */
  readonly close: () => Promise<void>;
}

/** What `log init` is told about a new log. */
export interface NewLog {
  /** Its name; by default one made from its key. */
  readonly origin?: string | undefined;
  /** Where its key is; by default it is made. */
  readonly key?: SignerSpec | undefined;
  /** URLs of stores; by default its folders. */
  readonly objects?: string | undefined;
  readonly privateStore?: string | undefined;
}

/** Starts an empty log; the name of its key is its origin. Close it. */
export async function createLog(
  folder: string,
  asked: NewLog = {},
  surroundings: LogSurroundings = {},
): Promise<WritableLog> {
  const stores = checkStoreUrls(asked, surroundings.env);
  if (stores.objects === undefined && (await exists(join(folder, "checkpoint")))) throw alreadyThere(folder);
  const hidden = await makePrivateFolder(folder, stores);
  // Keys without a log are what a killed `log init` leaves; they have signed nothing that anyone saw.
  const left = await placeOf(folder);
  if (left !== undefined) refuseOther(folder, left, { ...asked, ...stores });
  const place = left ?? (await newPlace(hidden, { ...asked, ...stores }, surroundings));
  const opened = await openPlace(folder, place, surroundings);
  try {
    return await started(opened);
  } catch (error) {
    await opened.close();
    throw error instanceof LogError && error.kind === "EXISTS" ? alreadyThere(folder) : error;
  }
}

/** Opens a log for writing; close it. */
export async function openLog(folder: string, surroundings: LogSurroundings = {}): Promise<WritableLog> {
  const place = await placeOf(folder);
  if (place === undefined) throw noLog(folder);
  return openWritable(await openPlace(folder, place, surroundings));
}

/** Opens a log for writing, or starts one when the folder holds none; close it. */
export async function openOrCreateLog(
  folder: string,
  surroundings: LogSurroundings = {},
): Promise<WritableLog> {
  const place = await placeOf(folder);
  const isThere = place?.objects !== undefined || (await exists(join(folder, "checkpoint")));
  return place !== undefined && isThere ? openLog(folder, surroundings) : createLog(folder, {}, surroundings);
}

/** Opens the log of an open place, which is closed with it. */
async function openWritable(place: OpenLogPlace): Promise<WritableLog> {
  try {
    return writable(await Log.open(place), place);
  } catch (error) {
    await place.close();
    throw error;
  }
}

/** Writes which keys count, for those who take the log's own word. */
export async function writeVkeys(
  { objects }: Pick<LogOptions, "objects">,
  vkeys: readonly string[],
): Promise<void> {
  await objects.putMutable(VKEY_FILE, utf8(formatVkeyFile(vkeys)));
}

async function started(place: OpenLogPlace): Promise<WritableLog> {
  const log = await completeOrCreate(place);
  try {
    await writeVkeys(place, place.vkeys);
  } catch (error) {
    await log.close();
    throw error;
  }
  return writable(log, place);
}

function writable(log: Log, place: OpenLogPlace): WritableLog {
  const { signer, vkeys, witnesses } = place;
  const close = async (): Promise<void> => {
    try {
      await witnesses?.settle();
    } finally {
      await log.close();
      await place.close();
    }
  };
  return { log, signer, vkeys, witnesses, close };
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

/** Makes or finds the key of a new log, and remembers what is not as usual. */
async function newPlace(
  hidden: string,
  { origin, key, objects, privateStore }: NewLog,
  { env = {} }: LogSurroundings,
): Promise<PlaceFile> {
  const stores = {
    ...(objects === undefined ? {} : { objects }),
    ...(privateStore === undefined ? {} : { privateStore }),
  };
  const signer =
    key === undefined
      ? signerOf(await newKey(join(hidden, KEY_FILE), { role: "log", name: origin }))
      : await openSpec(key, { env, base: hidden }, { role: "log", name: origin });
  refuseUnfit(signer, origin);
  // A key that cannot sign must not be remembered: then no other could be named.
  if (key !== undefined) await signer.sign(TRIAL);
  const spec = key === undefined ? `file:${KEY_FILE}` : formatSignerSpec(key);
  const place = { keys: [{ signer: spec, vkey: signer.vkey }], ...stores };
  if (key !== undefined || Object.keys(stores).length > 0) await writePlaceFile(hidden, place);
  return place;
}

/** No checkpoint, nor anything else that somebody verifies. */
const TRIAL = utf8("does this key sign?");

/** A log's key has the log's name, and is of the one type that every reader knows. */
function refuseUnfit({ vkey, name }: Signer, origin: string | undefined): void {
  if (parseVkey(vkey).type !== KEY_TYPE.ed25519)
    throw usage(
      "a log's first key is an Ed25519 key of type 1",
      "bootproof key generate NAME --out FILE makes one",
    );
  if (origin !== undefined && name !== origin)
    throw usage(`the key is ${name}'s, the log is ${origin}`, "leave --origin away, or name another key");
}

/** What was left by a killed start must be what is asked for now. */
function refuseOther(folder: string, left: PlaceFile, { origin, key, objects, privateStore }: NewLog): void {
  const [first] = left.keys;
  const isSame =
    left.objects === objects &&
    left.privateStore === privateStore &&
    (key === undefined || first?.signer === formatSignerSpec(key)) &&
    (origin === undefined || first === undefined || parseVkey(first.vkey).name === origin);
  if (!isSame) throw alreadyThere(folder);
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

function alreadyThere(folder: string): Failure {
  const hint = "add to it (bootproof log add), or choose another folder";
  return new Failure("BP-LOG-004", EXIT.cannotWrite, "there is a log already", { file: folder, hint });
}
