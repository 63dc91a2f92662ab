/**
 * Everything that a writer of the log on a folder needs, opened: stores, keys, witnesses. Opening it writes nothing and
 * takes no lock; `Log.open` does that, and whoever sequences from a queue may do it later.
 * @module
 */
import { stat } from "node:fs/promises";
import { join } from "node:path";

import { KEY_TYPE, parseVkey } from "@bootproof/bytes";
import { type Signer } from "@bootproof/bytes/signing";
import type { LogOptions } from "@bootproof/log";
import { entryIdentity } from "@bootproof/statement";
import type { PostgresQueue } from "@bootproof/store/postgres";

import { EXIT } from "../frame/exit-code.ts";
import { Failure } from "../frame/failure.ts";
import { readSigner } from "../signing/key-file.ts";
import { openKey } from "./key-list.ts";
import { LogIdentities } from "./log-identities.ts";
import {
  openObjects,
  openPrivateStores,
  privateFolder,
  type PrivateStores,
  type StoreSurroundings,
} from "./log-stores.ts";
import { openWitnesses, type Witnessing } from "./log-witnesses.ts";
import { readPlaceFile, type PlaceFile } from "./place-file.ts";

/** The key of a log that nobody chose a key for. */
export const KEY_FILE = "log.key";

/** How a log is opened: its surroundings, and how its witnesses are asked. */
export type LogSurroundings = StoreSurroundings & Witnessing;

/** An open place of a log: what `Log.open` takes, and what lies beside it. */
export interface OpenLogPlace extends LogOptions {
  /** The public halves of all keys that sign; the first is the one that leads. */
  readonly vkeys: readonly string[];
  /** Entries that wait for the one sequencer, in stores that many processes share. */
  readonly queue?: PostgresQueue;
  /** Lets go of connections; close the log first. */
  readonly close: () => Promise<void>;
}

/** Opens the place of the log on a folder; throws a {@link Failure} when there is none. */
export async function openLogPlace(
  folder: string,
  surroundings: LogSurroundings = {},
): Promise<OpenLogPlace> {
  const place = await placeOf(folder);
  if (place === undefined) throw noLog(folder);
  return openPlace(folder, place, surroundings);
}

/** The stores of the log on a folder, without its keys: for work that signs nothing. Close them. */
export async function openLogStores(
  folder: string,
  surroundings: StoreSurroundings,
): Promise<PrivateStores & Pick<LogOptions, "objects">> {
  const place = await placeOf(folder);
  if (place === undefined) throw noLog(folder);
  const { name } = parseVkey(place.keys[0]?.vkey ?? "");
  const objects = await openObjects(folder, place, "write", surroundings);
  return { objects, ...(await openPrivateStores(folder, place, name, surroundings)) };
}

/** What is remembered about the log on a folder; undefined when it has no keys there. */
export async function placeOf(folder: string): Promise<PlaceFile | undefined> {
  const hidden = privateFolder(folder);
  const written = await readPlaceFile(hidden);
  if (written !== undefined) return written;
  const file = join(hidden, KEY_FILE);
  const isThere = await stat(file).catch(() => undefined);
  if (isThere === undefined) return undefined;
  return { keys: [{ signer: `file:${KEY_FILE}`, vkey: (await readSigner(file)).vkey }] };
}

/** Opens a place as it is described. */
export async function openPlace(
  folder: string,
  place: PlaceFile,
  surroundings: LogSurroundings,
): Promise<OpenLogPlace> {
  const { env = {} } = surroundings;
  const hidden = privateFolder(folder);
  const signers: Signer[] = [];
  for (const key of place.keys) signers.push(await openKey(key, { env, base: hidden }, "log"));
  const { signer, cosigners } = orderSigners(signers);
  const origin = signer.name;
  const objects = await openObjects(folder, place, "write", surroundings);
  const { close, ...stores } = await openPrivateStores(folder, place, origin, surroundings);
  try {
    const keys = [signer, ...cosigners].map(({ vkey }) => vkey);
    const identities = new LogIdentities(hidden);
    const witnesses = await openWitnesses({ hidden, keys }, stores.staging, surroundings);
    return {
      origin,
      signer,
      ...(cosigners.length === 0 ? {} : { cosigners }),
      objects,
      ...stores,
      ...(witnesses === undefined ? {} : { witnesses }),
      identity: entryIdentity,
      identities,
      vkeys: keys,
      close: async () => {
        identities.close();
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The first Ed25519 key leads: it is the one that witnesses are shown. */
function orderSigners(signers: readonly Signer[]): { signer: Signer; cosigners: readonly Signer[] } {
  const signer = signers.find(({ vkey }) => parseVkey(vkey).type === KEY_TYPE.ed25519);
  if (signer === undefined) throw new RangeError("a log without an Ed25519 key");
  return { signer, cosigners: signers.filter((other) => other !== signer) };
}

/** The failure for a place without a log. */
export function noLog(place: string): Failure {
  const hint = `check --log, or start one: bootproof log init --log ${place}`;
  return new Failure("BP-LOG-003", EXIT.noInput, "no log at this place", { file: place, hint });
}
