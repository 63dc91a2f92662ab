/**
 * The keys of a log change while it lives: first both sign, until all who verify know the new one; then the old one is
 * dropped. Head and public checkpoint are at each moment signed by a key that is remembered, whatever is interrupted.
 * @module
 */
import { unlink } from "node:fs/promises";
import { join } from "node:path";

import { equalBytes, formatHex, KEY_TYPE, parseVkey, sha256, type KeyType } from "@bootproof/bytes";
import { formatSigningKey, signerOf } from "@bootproof/bytes/signing";
import {
  checkSignatures,
  formatLogHead,
  formatNote,
  Log,
  LogError,
  noteVerifiers,
  parseLogHead,
  parseNote,
  type LogOptions,
} from "@bootproof/log";

import { EXIT } from "../frame/exit-code.ts";
import { Failure } from "../frame/failure.ts";
import { usage } from "../frame/given.ts";
import { makeKey } from "../signing/key-use.ts";
import { writeKeyFile } from "../signing/key-file.ts";
import { openSpec } from "../signing/open-signer.ts";
import { formatSignerSpec, type SignerSpec } from "../signing/signer-spec.ts";
import type { PlaceKey } from "./key-list.ts";
import { privateFolder } from "./log-stores.ts";
import { writeVkeys } from "./log-place.ts";
import {
  noLog,
  openLogStores,
  openPlace,
  placeOf,
  type LogSurroundings,
  type OpenLogPlace,
} from "./open-log-place.ts";
import { writePlaceFile, type PlaceFile } from "./place-file.ts";

/** A key to add: one that is somewhere, or a new one of a type; neither: go on with those that are there. */
export interface AddedKey {
  readonly spec?: SignerSpec | undefined;
  readonly generate?: KeyType | undefined;
}

/** A key of a log, and what it has signed. */
export interface KeyState extends PlaceKey {
  readonly keyId: string;
  readonly type: KeyType;
  readonly signedCheckpoint: boolean;
  readonly signedHead: boolean;
}

/** Has one more key sign from now on: it is remembered, published, and signs checkpoint and head. */
export async function addKey(
  folder: string,
  { spec, generate }: AddedKey,
  surroundings: LogSurroundings,
): Promise<readonly KeyState[]> {
  const place = await demandPlace(folder);
  const hidden = privateFolder(folder);
  const name = parseVkey(place.keys[0]?.vkey ?? "").name;
  const { env = {} } = surroundings;
  const added: PlaceKey[] = [];
  if (spec !== undefined) {
    const signer = await openSpec(spec, { env, base: hidden }, { role: "log", name });
    added.push({ signer: formatSignerSpec(spec), vkey: signer.vkey });
  }
  if (generate !== undefined) added.push(await newKey(hidden, name, generate));
  for (const { vkey } of added) refuseUnfit(vkey, name);
  const isNew = ({ vkey }: PlaceKey): boolean => !place.keys.some((key) => key.vkey === vkey);
  const next = { ...place, keys: [...place.keys, ...added.filter(isNew)] };
  return signWith(folder, next, "before", surroundings);
}

/** Has a key sign no more; the others must have signed head and checkpoint already. */
export async function retireKey(
  folder: string,
  keyId: string,
  surroundings: LogSurroundings,
): Promise<readonly KeyState[]> {
  const place = await demandPlace(folder);
  const gone = place.keys.find(({ vkey }) => parseVkey(vkey).keyId === keyId);
  if (gone === undefined) throw noKey(place, keyId);
  const keys = place.keys.filter((key) => key !== gone);
  if (!keys.some(({ vkey }) => parseVkey(vkey).type === KEY_TYPE.ed25519))
    throw new Failure("BP-LOG-044", EXIT.usage, "the last Ed25519 key of a log cannot be dropped", {
      found: gone.vkey,
      hint: "add its successor first: bootproof log key add --generate",
    });
  const states = await signWith(folder, { ...place, keys }, "after", surroundings);
  await removeKeyFile(privateFolder(folder), gone);
  return states;
}

/** The keys of a log, and what each has signed; they may be out of reach. */
export async function keyStates(folder: string, surroundings: LogSurroundings): Promise<readonly KeyState[]> {
  const { keys } = await demandPlace(folder);
  const stores = await openLogStores(folder, surroundings);
  return statesOf(stores, keys).finally(stores.close);
}

/** Opens the log with these keys, which refuses those that have not signed; has all of them sign; remembers them. */
async function signWith(
  folder: string,
  file: PlaceFile,
  when: "before" | "after",
  surroundings: LogSurroundings,
): Promise<readonly KeyState[]> {
  const place = await openPlace(folder, file, surroundings);
  try {
    const log = await Log.open(place).catch((error: unknown) => {
      throw error instanceof LogError && error.kind === "BAD_SIGNATURE" ? unsigned(error) : error;
    });
    try {
      const remember = async (): Promise<void> => {
        await writePlaceFile(privateFolder(folder), file);
        await writeVkeys(place, place.vkeys);
      };
      // A new key is remembered before it signs; an old one is forgotten once witnesses take the log without it.
      if (when === "before") await remember();
      await log.refresh();
      await place.witnesses?.settle();
      if (when === "after") await remember();
    } finally {
      await log.close();
    }
    await signHead(place);
    return await statesOf(place, file.keys);
  } finally {
    await place.close();
  }
}

/** Replaces the head by one of the same tree with the signatures of the public checkpoint, if they are other ones. */
async function signHead({ head, objects, vkeys }: OpenLogPlace): Promise<void> {
  const stored = await head.read();
  const published = await objects.get("checkpoint");
  if (stored === undefined || published === undefined) throw new RangeError("an open log has no head");
  const { note: old, ...rest } = parseLogHead(stored.bytes);
  const { unverifiedText, signatures } = parseNote(published);
  // Witnesses that are away hold the checkpoint back; the next commit signs the head with all keys anyway.
  if (!equalBytes(parseNote(old).unverifiedText, unverifiedText)) return;
  const own = vkeys.map((vkey) => parseVkey(vkey));
  const lines = signatures.filter(({ name, keyId }) =>
    own.some((key) => key.name === name && key.keyId === keyId),
  );
  const note = formatNote(unverifiedText, lines);
  if (equalBytes(note, old)) return;
  const next = formatLogHead({ ...rest, previous: formatHex(sha256(stored.bytes)), note });
  if ((await head.compareAndSwap(stored.generation, next)) === "committed") return;
  throw new LogError("CONFLICT", "another writer has moved the head of this log", {
    expected: `generation ${stored.generation}`,
    hint: "run the command again",
  });
}

async function statesOf(
  { head, objects }: Pick<LogOptions, "head" | "objects">,
  keys: readonly PlaceKey[],
): Promise<readonly KeyState[]> {
  const stored = await head.read();
  const published = await objects.get("checkpoint");
  const hasSigned = (note: Uint8Array | undefined, vkey: string): boolean =>
    note !== undefined && checkSignatures(parseNote(note), noteVerifiers([vkey])).verified.length > 0;
  const headNote = stored === undefined ? undefined : parseLogHead(stored.bytes).note;
  return keys.map((key) => {
    const { keyId, type } = parseVkey(key.vkey);
    const [signedCheckpoint, signedHead] = [hasSigned(published, key.vkey), hasSigned(headNote, key.vkey)];
    return { ...key, keyId, type, signedCheckpoint, signedHead };
  });
}

/** A new key in a file of its own: what is interrupted later leaves a key that has signed nothing. */
async function newKey(hidden: string, name: string, type: KeyType): Promise<PlaceKey> {
  const key = makeKey({ role: "log", name, type });
  const file = `log-${key.vkey.keyId}.key`;
  await writeKeyFile(join(hidden, file), formatSigningKey(key));
  return { signer: `file:${file}`, vkey: signerOf(key).vkey };
}

/** A dropped key that lies with the log's own files is removed: kept, it could still be stolen. */
async function removeKeyFile(hidden: string, { signer }: PlaceKey): Promise<void> {
  const [, name] = /^file:([^/]+)$/.exec(signer) ?? [];
  if (name !== undefined) await unlink(join(hidden, name)).catch(() => undefined);
}

async function demandPlace(folder: string): Promise<PlaceFile> {
  const place = await placeOf(folder);
  if (place === undefined) throw noLog(folder);
  return place;
}

function refuseUnfit(vkey: string, wanted: string): void {
  const { name, type } = parseVkey(vkey);
  if (name !== wanted)
    throw usage(
      `the key is ${name}'s, the log is ${wanted}`,
      `make one: bootproof key generate ${wanted} --out FILE`,
    );
  if (type === KEY_TYPE.cosignature)
    throw usage("this is a key of a witness, and a log does not sign with it");
}

function noKey({ keys }: PlaceFile, keyId: string): Failure {
  return new Failure("BP-LOG-043", EXIT.usage, "the log has no key with this ID", {
    expected: keys.map(({ vkey }) => parseVkey(vkey).keyId).join(" or "),
    found: keyId,
  });
}

function unsigned(cause: LogError): Failure {
  return new Failure("BP-LOG-045", EXIT.undecided, "the keys that remain have not signed the log yet", {
    file: cause.file,
    expected: cause.expected,
    found: cause.found,
    hint: "have them sign first: bootproof log key add; bootproof log key list shows who has signed",
    cause,
  });
}
