/**
 * A transparency log with one writer: appends entries in batches, publishes a checkpoint after each, never forks and
 * never loses an entry it has answered for. Storage and signer are handed in.
 * @module
 */
import { audit, type AuditReport } from "./audit.ts";
import { openCheckpoint, type SignedCheckpoint } from "./checkpoint.ts";
import { commit, commitEmptyLog, type LogPlace, type LogState } from "./commit.ts";
import { byBytes, DedupIndex, type Identity } from "./dedup-index.ts";
import { LogError } from "./log-error.ts";
import { LogReader } from "./log-reader.ts";
import { EMPTY_ROOT } from "./merkle.ts";
import { recover, type RecoveredLog } from "./recover.ts";
import type { FetchObject, HeadStore, WriterLock } from "./storage.ts";
import { checkEntryLength } from "./tile.ts";
import { CHECKPOINT_PATH } from "./tile-path.ts";
import type { TlogProof } from "./tlog-proof.ts";
import { noteVerifiers } from "./verifier.ts";
import { equalBytes, formatHex, type Sha256 } from "@bootproof/bytes";

/** Calls that wait together share one commit until they hold this many bytes: what a stage should not much exceed. */
const MAX_BATCH_BYTES = 16 * 1024 * 1024;

/** How to open a log. */
export interface LogOptions extends LogPlace {
  /** What makes two entries the same; by default their bytes. */
  readonly identity?: Identity;
}

/** Where an entry is. */
export interface Appended {
  readonly index: bigint;
  /** Whether it had been logged before; then `index` is where. */
  readonly duplicate: boolean;
}

interface Request {
  readonly entries: readonly Uint8Array[];
  readonly resolve: (appended: Appended[]) => void;
  readonly reject: (error: unknown) => void;
}

/** The writer of a log. After any failure to commit it stops, and the log is to be opened again. */
export class Log {
  readonly #place: LogPlace;
  readonly #identity: Identity;
  readonly #dedup: DedupIndex;
  readonly #lock: WriterLock | undefined;
  #state: LogState;
  #reader: LogReader;
  #queue: Request[] = [];
  #draining: Promise<void> | undefined;
  #stopped: unknown;

  private constructor(
    options: LogOptions,
    { state, reader }: RecoveredLog,
    dedup: DedupIndex,
    lock: WriterLock | undefined,
  ) {
    this.#place = options;
    this.#identity = options.identity ?? byBytes;
    this.#state = state;
    this.#reader = reader;
    this.#dedup = dedup;
    this.#lock = lock;
  }

  /** Starts an empty log; throws {@link LogError} when there is one already. */
  static async create(options: LogOptions): Promise<Log> {
    return withLock(options.head, async (lock) => {
      const head = await options.head.read();
      if (head !== undefined || (await options.objects.get(CHECKPOINT_PATH)) !== undefined)
        throw new LogError("EXISTS", "there is a log here already", {
          hint: "open it, or choose another place",
        });
      await commitEmptyLog(options, EMPTY_ROOT);
      return Log.#recover(options, lock);
    });
  }

  /** Opens a log, completing what a crash interrupted; throws {@link LogError} when it must not be written to. */
  static async open(options: LogOptions): Promise<Log> {
    return withLock(options.head, (lock) => Log.#recover(options, lock));
  }

  static async #recover(options: LogOptions, lock: WriterLock | undefined): Promise<Log> {
    const recovered = await recover(options);
    const dedup = await DedupIndex.load(options.staging, recovered.reader, options.identity ?? byBytes);
    return new Log(options, recovered, dedup, lock);
  }

  /** Completes the appends under way, takes no more, and lets another process write. */
  async close(): Promise<void> {
    await this.#draining;
    this.#stopped ??= new LogError("STOPPED", "this writer was closed");
    await this.#lock?.release();
  }

  /** The published checkpoint. */
  get checkpoint(): SignedCheckpoint {
    return openCheckpoint(this.#state.note, noteVerifiers([this.#place.signer.vkey]), this.#place.origin);
  }

  /** A reader of the published tree. */
  get reader(): LogReader {
    return this.#reader;
  }

  /**
   * Appends entries and answers once a checkpoint that covers them is public. Calls made at the same time share a
   * commit. Throws {@link LogError}; unless it is ENTRY_TOO_LARGE the entries may or may not have been logged, and
   * logging them again after reopening answers with their index.
   */
  async append(entries: readonly Uint8Array[]): Promise<Appended[]> {
    entries.forEach(checkEntryLength);
    return new Promise((resolve, reject) => {
      this.#queue.push({ entries, resolve, reject });
      this.#draining ??= this.#drain();
    });
  }

  /** The offline proof of the entry at `index`, which it carries as its extra data. */
  async proof(index: bigint): Promise<TlogProof> {
    const { note } = this.#state;
    const reader = this.#reader;
    const [extra, hashes] = await Promise.all([reader.entry(index), reader.inclusionProof(index)]);
    return { extra, index, hashes, checkpoint: note };
  }

  /** Reads every file of the published tree and hashes everything again. */
  async audit(): Promise<AuditReport> {
    return audit(this.#fetch, this.#state.tree);
  }

  readonly #fetch: FetchObject = (path) => this.#place.objects.get(path);

  async #drain(): Promise<void> {
    await Promise.resolve(); // calls of the same turn join the first batch
    while (this.#queue.length > 0) await this.#sequence(takeBatch(this.#queue));
    this.#draining = undefined;
  }

  async #sequence(batch: readonly Request[]): Promise<void> {
    try {
      if (this.#stopped !== undefined) throw stopped(this.#stopped);
      const appended = await this.#commit(batch.flatMap(({ entries }) => entries));
      for (const { entries, resolve } of batch) resolve(appended.splice(0, entries.length));
    } catch (error) {
      this.#stopped ??= error;
      for (const { reject } of batch) reject(error);
    }
  }

  async #commit(entries: readonly Uint8Array[]): Promise<Appended[]> {
    const appended: Appended[] = [];
    const fresh = new Map<string, bigint>();
    const identities: Sha256[] = [];
    const newEntries: Uint8Array[] = [];
    for (const entry of entries) {
      const identity = this.#identity(entry);
      const known = fresh.get(formatHex(identity)) ?? (await this.#find(identity));
      const index = known ?? this.#state.tree.size + BigInt(newEntries.length);
      appended.push({ index, duplicate: known !== undefined });
      if (known !== undefined) continue;
      fresh.set(formatHex(identity), index);
      identities.push(identity);
      newEntries.push(entry);
    }
    if (newEntries.length > 0) await this.#grow(newEntries, identities);
    return appended;
  }

  async #grow(entries: readonly Uint8Array[], identities: readonly Sha256[]): Promise<void> {
    const state = await commit(this.#place, this.#state, entries);
    this.#reader = await LogReader.open(this.#fetch, state.tree);
    this.#state = state;
    await this.#dedup.add(identities);
  }

  /** The index of an entry with this identity, read from the tree before it is believed. */
  async #find(identity: Sha256): Promise<bigint | undefined> {
    const index = this.#dedup.find(identity);
    if (index === undefined) return undefined;
    return equalBytes(this.#identity(await this.#reader.entry(index)), identity) ? index : undefined;
  }
}

/** Opens a log as its only writer, or not at all. */
async function withLock(head: HeadStore, open: (lock: WriterLock | undefined) => Promise<Log>): Promise<Log> {
  const lock = await head.lock?.();
  if (lock === undefined && head.lock !== undefined)
    throw new LogError("LOCKED", "another process is writing to this log", {
      hint: "wait until it has finished, then try again",
    });
  try {
    return await open(lock);
  } catch (error) {
    await lock?.release();
    throw error;
  }
}

function takeBatch(queue: Request[]): Request[] {
  let bytes = 0;
  const end = queue.findIndex(({ entries }) => {
    const full = bytes > MAX_BATCH_BYTES;
    bytes += entries.reduce((sum, entry) => sum + entry.length, 0);
    return full;
  });
  return queue.splice(0, end < 0 ? queue.length : end);
}

function stopped(cause: unknown): LogError {
  return new LogError("STOPPED", "this writer stopped after a failure", {
    cause,
    hint: "open the log again",
  });
}
