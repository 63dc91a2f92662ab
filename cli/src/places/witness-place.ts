/**
 * A witness on a folder of its own: its keys, the list `logs` of the logs it knows, and under `state` what it cosigned
 * last of each. Losing `state`, or restoring an older copy of it, is what a witness must never do: it would cosign
 * again what it has cosigned otherwise.
 * @module
 */
import { mkdir, stat } from "node:fs/promises";
import { join } from "node:path";

import { formatCanonicalJson, formatVkey, KEY_TYPE, parseStrictJson, parseVkey } from "@bootproof/bytes";
import { formatSigningKey, signerOf, type Signer } from "@bootproof/bytes/signing";
import { originHash, Witness } from "@bootproof/log";
import { DirectoryHead } from "@bootproof/store";

import { reading } from "../errors/to-failure.ts";
import { EXIT } from "../frame/exit-code.ts";
import { Failure } from "../frame/failure.ts";
import { outputFailure, readInput, readInputText, writeAnswer } from "../frame/files.ts";
import { usage } from "../frame/given.ts";
import { readRecord } from "../frame/strict-fields.ts";
import { readKeyFile, writeKeyFile } from "../signing/key-file.ts";
import { makeKey, newKey } from "../signing/key-use.ts";
import { openSpec, type SignerSurroundings } from "../signing/open-signer.ts";
import { formatSignerSpec, type SignerSpec } from "../signing/signer-spec.ts";
import {
  formatKnownLog,
  KNOWN_LOGS_HEADER,
  parseKnownLogs,
  type KnownLogs,
} from "../witnessing/known-logs.ts";
import { formatKeyList, openKey, readKeyList, type PlaceKey } from "./key-list.ts";

const KEY_FILE = "witness.key";
const ML_DSA_KEY_FILE = "witness-mldsa44.key";
/** Where the keys are, when not in the two files above. */
const KEYS_FILE = "keys.json";
const KEYS_SCHEMA = "bootproof/witness-keys/1";
const MAX_KEYS_FILE = 64 * 1024;
const LOGS_FILE = "logs";
const STATE_FOLDER = "state";
const MAX_LOGS = 2 ** 24;

/** What `witness init` is told about a new witness. */
export interface NewWitness {
  readonly name: string | undefined;
  /** With a second key, ML-DSA-44. */
  readonly mlDsa: boolean;
  /** Where its key is; by default it is made. */
  readonly key?: SignerSpec | undefined;
}

/** Makes a witness that knows no log yet; returns its public keys. */
export async function createWitness(
  folder: string,
  { name, mlDsa, key: spec }: NewWitness,
  env: SignerSurroundings["env"] = {},
): Promise<readonly string[]> {
  if ((await exists(join(folder, KEY_FILE))) || (await exists(join(folder, KEYS_FILE)))) {
    const hint = "serve it: bootproof witness serve; or choose another folder";
    throw new Failure("BP-FILE-014", EXIT.cannotWrite, "there is a witness already", { file: folder, hint });
  }
  const use = { role: "witness", name, type: KEY_TYPE.cosignature } as const;
  const own = spec === undefined ? undefined : await openSpec(spec, { env, base: folder }, use);
  if (own !== undefined) refuseUnfit(own.vkey, name, folder);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw outputFailure(folder, error);
  }
  await writeAnswer(join(folder, LOGS_FILE), `${KNOWN_LOGS_HEADER}\n`);
  const key = own === undefined ? makeKey(use) : undefined;
  const first = own?.vkey ?? (key === undefined ? "" : formatVkey(key.vkey));
  const vkeys = [first, ...(mlDsa ? [await newMlDsaKey(folder, parseVkey(first).name)] : [])];
  // What says that there is a witness comes last.
  if (key !== undefined) await writeKeyFile(join(folder, KEY_FILE), formatSigningKey(key));
  if (spec !== undefined) await writeKeys(folder, formatSignerSpec(spec), vkeys);
  return vkeys;
}

async function newMlDsaKey(folder: string, name: string): Promise<string> {
  const use = { role: "witness", name, type: KEY_TYPE.mlDsa44 } as const;
  return formatVkey((await newKey(join(folder, ML_DSA_KEY_FILE), use)).vkey);
}

/** Remembers where the keys are, when they are not where they would be looked for. */
async function writeKeys(
  folder: string,
  spec: string,
  [first = "", second]: readonly string[],
): Promise<void> {
  const keys = [
    { signer: spec, vkey: first },
    ...(second === undefined ? [] : [{ signer: `file:${ML_DSA_KEY_FILE}`, vkey: second }]),
  ];
  const text = formatCanonicalJson({ schema: KEYS_SCHEMA, keys: formatKeyList(keys) });
  await writeAnswer(join(folder, KEYS_FILE), `${text}\n`, 0o600);
}

/** Adds a log to the list. */
export async function addKnownLog(folder: string, vkey: string, origin: string | undefined): Promise<string> {
  const file = join(folder, LOGS_FILE);
  const text = await readLogsText(folder);
  const added = `${text}${formatKnownLog(vkey, origin)}`;
  const known = reading(file, () => {
    parseKnownLogs(text);
    return parseKnownLogs(added);
  });
  const name = origin ?? parseVkey(vkey).name;
  if (known.get(name)?.includes(vkey) !== true) throw new RangeError("the log is not in its own list");
  if (added !== text) await writeAnswer(file, added);
  return name;
}

/** A witness opened for serving: it reads its list of logs again whenever that has changed. */
export class WitnessPlace {
  readonly signers: readonly Signer[];
  readonly #folder: string;
  readonly #memories = new Map<string, Promise<DirectoryHead>>();
  #logs: KnownLogs = new Map();
  #hashes: ReadonlyMap<string, string> = new Map();
  #stamp = "";

  readonly #report: (line: string) => void;

  private constructor(folder: string, signers: readonly Signer[], report: (line: string) => void) {
    this.#folder = folder;
    this.signers = signers;
    this.#report = report;
  }

  /** Opens the witness; `report` hears when the list was changed to one that cannot be read. */
  static async open(
    folder: string,
    report: (line: string) => void,
    env: SignerSurroundings["env"] = {},
  ): Promise<WitnessPlace> {
    const signers = await openSigners(folder, env);
    for (const { vkey } of signers) refuseUnfit(vkey, undefined, folder);
    const place = new WitnessPlace(folder, signers, report);
    await place.#load();
    return place;
  }

  /** The logs it knows now; when the list has become unreadable, those that it knew. */
  async logs(): Promise<KnownLogs> {
    try {
      await this.#load();
    } catch (error) {
      this.#report(
        `the list of logs is left as it was: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
    return this.#logs;
  }

  async #load(): Promise<void> {
    const { mtimeNs, size } = await stat(join(this.#folder, LOGS_FILE), { bigint: true });
    const stamp = `${String(mtimeNs)} ${String(size)}`;
    if (stamp === this.#stamp) return;
    this.#stamp = stamp;
    const text = await readLogsText(this.#folder);
    this.#logs = reading(join(this.#folder, LOGS_FILE), () => parseKnownLogs(text));
    this.#hashes = new Map([...this.#logs.keys()].map((origin) => [originHash(origin), origin]));
  }

  /** The origin with that hash, when it is known. */
  async originOf(hash: string): Promise<string | undefined> {
    await this.logs();
    return this.#hashes.get(hash);
  }

  /** The witness of the logs that it knows now. */
  async witness(): Promise<Witness> {
    const logs = await this.logs();
    return new Witness({
      signers: this.signers,
      logKeys: (origin) => logs.get(origin),
      memory: (origin) => this.#memory(origin),
      now: () => BigInt(Math.floor(Date.now() / 1000)),
    });
  }

  #memory(origin: string): Promise<DirectoryHead> {
    const known = this.#memories.get(origin);
    if (known !== undefined) return known;
    const memory = DirectoryHead.open(join(this.#folder, STATE_FOLDER, originHash(origin)));
    this.#memories.set(origin, memory);
    memory.catch(() => this.#memories.delete(origin));
    return memory;
  }
}

async function readLogsText(folder: string): Promise<string> {
  const text = await readInputText(join(folder, LOGS_FILE), MAX_LOGS);
  return text.endsWith("\n") ? text : `${text}\n`;
}

async function openSigners(folder: string, env: SignerSurroundings["env"]): Promise<readonly Signer[]> {
  const list = join(folder, KEYS_FILE);
  if (await exists(list)) {
    const bytes = await readInput(list, MAX_KEYS_FILE);
    const keys = reading(list, () => parseKeys(bytes));
    const signers: Signer[] = [];
    for (const key of keys) signers.push(await openKey(key, { env, base: folder }, "witness"));
    return signers;
  }
  const file = join(folder, KEY_FILE);
  if (!(await exists(file))) {
    const hint = `make one: bootproof witness init --dir ${folder}`;
    throw new Failure("BP-FILE-001", EXIT.noInput, "no witness at this place", { file: folder, hint });
  }
  const second = join(folder, ML_DSA_KEY_FILE);
  const files = (await exists(second)) ? [file, second] : [file];
  return (await Promise.all(files.map(readKeyFile))).map(signerOf);
}

function parseKeys(bytes: Uint8Array): readonly PlaceKey[] {
  const shape = { schema: KEYS_SCHEMA, required: ["keys"], optional: [] };
  const record = readRecord(parseStrictJson(bytes, "witness keys"), "witness keys", shape);
  return readKeyList(record["keys"], "witness keys");
}

function refuseUnfit(vkey: string, wanted: string | undefined, folder: string): void {
  const { type, name } = parseVkey(vkey);
  if (type === KEY_TYPE.ed25519)
    throw new Failure("BP-USAGE-002", EXIT.usage, "a witness needs a key for cosignatures", {
      file: folder,
      expected: "a key of type 4 or 6",
      found: "type 1, which signs for logs and publishers",
    });
  if (wanted !== undefined && wanted !== name)
    throw usage(`the key is ${name}'s, the witness is ${wanted}`, "leave --name away, or name another key");
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
