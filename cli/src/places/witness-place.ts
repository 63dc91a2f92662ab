/**
 * A witness on a folder of its own: its keys, the list `logs` of the logs it knows, and under `state` what it cosigned
 * last of each. Losing `state`, or restoring an older copy of it, is what a witness must never do: it would cosign
 * again what it has cosigned otherwise.
 * @module
 */
import { createHash, randomBytes } from "node:crypto";
import { mkdir, stat } from "node:fs/promises";
import { join } from "node:path";

import { formatVkey, KEY_TYPE, parseVkey, type KeyType } from "@bootproof/bytes";
import {
  formatSigningKey,
  makeSigningKey,
  signerOf,
  type Signer,
  type SigningKey,
} from "@bootproof/bytes/signing";
import { originHash, Witness } from "@bootproof/log";
import { DirectoryHead } from "@bootproof/store";

import { reading } from "../errors/to-failure.ts";
import { EXIT } from "../frame/exit-code.ts";
import { Failure } from "../frame/failure.ts";
import { outputFailure, readInputText, writeAnswer } from "../frame/files.ts";
import { readKeyFile, writeKeyFile } from "../signing/key-file.ts";
import {
  formatKnownLog,
  KNOWN_LOGS_HEADER,
  parseKnownLogs,
  type KnownLogs,
} from "../witnessing/known-logs.ts";

const KEY_FILE = "witness.key";
const ML_DSA_KEY_FILE = "witness-mldsa44.key";
const LOGS_FILE = "logs";
const STATE_FOLDER = "state";
const MAX_LOGS = 2 ** 24;

/** Makes a witness that knows no log yet; returns its public keys. */
export async function createWitness(
  folder: string,
  { name, mlDsa }: { readonly name: string | undefined; readonly mlDsa: boolean },
): Promise<readonly string[]> {
  if (await exists(join(folder, KEY_FILE))) {
    const hint = "serve it: bootproof witness serve; or choose another folder";
    throw new Failure("BP-FILE-014", EXIT.cannotWrite, "there is a witness already", { file: folder, hint });
  }
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw outputFailure(folder, error);
  }
  const key = makeKey(KEY_TYPE.cosignature, name);
  const keys = mlDsa ? [key, makeKey(KEY_TYPE.mlDsa44, key.vkey.name)] : [key];
  await writeAnswer(join(folder, LOGS_FILE), `${KNOWN_LOGS_HEADER}\n`);
  if (keys[1] !== undefined) await writeKeyFile(join(folder, ML_DSA_KEY_FILE), formatSigningKey(keys[1]));
  // The one that says that there is a witness comes last.
  await writeKeyFile(join(folder, KEY_FILE), formatSigningKey(key));
  return keys.map(({ vkey }) => formatVkey(vkey));
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
  static async open(folder: string, report: (line: string) => void): Promise<WitnessPlace> {
    const file = join(folder, KEY_FILE);
    if (!(await exists(file))) {
      const hint = `make one: bootproof witness init --dir ${folder}`;
      throw new Failure("BP-FILE-001", EXIT.noInput, "no witness at this place", { file: folder, hint });
    }
    const keys = [await readKeyFile(file)];
    const second = join(folder, ML_DSA_KEY_FILE);
    if (await exists(second)) keys.push(await readKeyFile(second));
    for (const key of keys) refuseLogKey(key, folder);
    const place = new WitnessPlace(folder, keys.map(signerOf), report);
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

function makeKey(type: KeyType, name: string | undefined): SigningKey {
  const seed = new Uint8Array(randomBytes(32));
  const { publicKey } = makeSigningKey("x", seed, type).vkey;
  const unique = createHash("sha256").update("bootproof key name\n").update(publicKey).digest("hex");
  return reading("the witness's name", () =>
    makeSigningKey(name ?? `bootproof.local/witness-${unique.slice(0, 8)}`, seed, type),
  );
}

function refuseLogKey({ vkey }: SigningKey, folder: string): void {
  if (vkey.type === KEY_TYPE.ed25519)
    throw new Failure("BP-USAGE-002", EXIT.usage, "a witness needs a key for cosignatures", {
      file: folder,
      expected: "a key of type 4 or 6",
      found: "type 1, which signs for logs and publishers",
    });
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
