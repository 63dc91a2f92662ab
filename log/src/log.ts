/**
 * A transparency log with one writer: appends entries in batches, publishes a checkpoint after each, never forks and
 * never loses an entry it has answered for. Storage and signers are handed in. It has no clock.
 * @module
 */
import { allSettled } from "./all-settled.ts";
import { audit, type AuditReport } from "./audit.ts";
import { BatchQueue } from "./batch-queue.ts";
import { openCheckpoint, type SignedCheckpoint } from "./checkpoint.ts";
import { commit, commitEmptyLog, complete, freeze, publish, type LogPlace, type LogState } from "./commit.ts";
import {
  byBytes,
  completeIdentities,
  findEntries,
  MemoryIdentities,
  removeOldIdentities,
  type Identity,
  type IdentityIndex,
} from "./identity-index.ts";
import { LogError } from "./log-error.ts";
import type { LogReader } from "./log-reader.ts";
import { recover, type Published, type RecoveredLog } from "./recover.ts";
import { verifiersOf } from "./signed-tree.ts";
import type { FetchObject, HeadStore, WriterLock } from "./storage.ts";
import { checkEntryLength } from "./tile.ts";
import { CHECKPOINT_PATH } from "./tile-path.ts";
import type { TlogProof } from "./tlog-proof.ts";
import { formatHex, type Sha256 } from "@bootproof/bytes";

/** How to open a log. */
export interface LogOptions extends LogPlace {
  /** What makes two entries the same; by default their bytes. */
  readonly identity?: Identity;
  /** Where identities are kept; by default in memory. */
  readonly identities?: IdentityIndex;
}

/** Where an entry is. */
export interface Appended {
  readonly index: bigint;
  /** Whether it had been logged before; then `index` is where. */
  readonly duplicate: boolean;
}

/** The writer of a log. After any failure to commit it stops, and the log is to be opened again. */
export class Log {
  readonly #place: LogPlace;
  readonly #identity: Identity;
  readonly #identities: IdentityIndex;
  readonly #lock: WriterLock | undefined;
  readonly #queue: BatchQueue<Uint8Array, Appended>;
  #state: LogState;
  /** Reads the committed tree. */
  #reader: LogReader;
  #published: Published;
  #checkpoint: SignedCheckpoint | undefined;
  #stopped: unknown;

  private constructor(
    options: LogOptions,
    { state, reader, published }: RecoveredLog,
    identities: IdentityIndex,
    lock: WriterLock | undefined,
  ) {
    this.#place = options;
    this.#identity = options.identity ?? byBytes;
    this.#identities = identities;
    this.#state = state;
    this.#reader = reader;
    this.#published = published;
    this.#lock = lock;
    this.#queue = new BatchQueue((entries, committed) =>
      this.#whileSound(() => this.#append(entries, committed)),
    );
  }

  /** Starts an empty log; throws {@link LogError} when there is one already. */
  static async create(options: LogOptions): Promise<Log> {
    return withLock(options.head, async (lock) => {
      const head = await options.head.read();
      if (head !== undefined || (await options.objects.get(CHECKPOINT_PATH)) !== undefined)
        throw new LogError("EXISTS", "there is a log here already", {
          hint: "open it, or choose another place",
        });
      await commitEmptyLog(options);
      return Log.#recover(options, lock);
    });
  }

  /** Opens a log, completing what a crash interrupted; throws {@link LogError} when it must not be written to. */
  static async open(options: LogOptions): Promise<Log> {
    return withLock(options.head, (lock) => Log.#recover(options, lock));
  }

  static async #recover(options: LogOptions, lock: WriterLock | undefined): Promise<Log> {
    const recovered = await recover(options);
    const { identities = new MemoryIdentities(), identity = byBytes } = options;
    await completeIdentities(identities, recovered.reader, identity);
    await removeOldIdentities(options.staging);
    return new Log(options, recovered, identities, lock);
  }

  /** Completes what is under way, takes no more, and lets another process write. */
  async close(): Promise<void> {
    await this.#queue.close();
    this.#stopped ??= new LogError("STOPPED", "this writer was closed");
    await this.#identities.close?.();
    await this.#lock?.release();
  }

  /** Entries committed: those of the published checkpoint, and more while witnesses are missing. */
  get size(): bigint {
    return this.#state.tree.size;
  }

  /** Whether the log takes no more entries. */
  get frozen(): boolean {
    return this.#state.frozen;
  }

  /** The published checkpoint. */
  get checkpoint(): SignedCheckpoint {
    return (this.#checkpoint ??= openCheckpoint(
      this.#published.note,
      verifiersOf(this.#place),
      this.#place.origin,
    ));
  }

  /** A reader of the published tree. */
  get reader(): LogReader {
    return this.#published.reader;
  }

  /**
   * Appends entries and answers once a checkpoint that covers them is public. Calls made at the same time share a
   * commit. Throws {@link LogError}; unless it is ENTRY_TOO_LARGE or FROZEN the entries may or may not have been
   * logged, and logging them again answers with their index. After UNWITNESSED this writer goes on: what is committed
   * becomes public with the next append or {@link refresh} that enough witnesses answer. After anything else the log is
   * to be opened again.
   *
   * `committed` hears where the entries are as soon as that is durable and will not change: they are in every later state
   * of the log, and no checkpoint covers them yet.
   */
  async append(
    entries: readonly Uint8Array[],
    committed?: (appended: readonly Appended[]) => void,
  ): Promise<Appended[]> {
    entries.forEach(checkEntryLength);
    return this.#queue.push(entries, committed);
  }

  /** Publishes the committed checkpoint with fresh cosignatures, also when nothing was appended. */
  async refresh(): Promise<void> {
    await this.#queue.inTurn(() => this.#whileSound(() => this.#publish(true)));
  }

  /** Takes no more entries, now and for ever, and publishes the final checkpoint once more. */
  async freeze(): Promise<void> {
    await this.#queue.inTurn(() =>
      this.#whileSound(async () => {
        if (!this.#state.frozen) this.#state = await freeze(this.#place, this.#state);
        await this.#publish(true);
      }),
    );
  }

  /** The offline proof of the published entry at `index`, which it carries as its extra data. */
  async proof(index: bigint): Promise<TlogProof> {
    const { note, reader } = this.#published;
    const [extra, hashes] = await Promise.all([reader.entry(index), reader.inclusionProof(index)]);
    return { extra, index, hashes, checkpoint: note };
  }

  /** Reads every file of the published tree and hashes everything again. */
  async audit(): Promise<AuditReport> {
    return audit(this.#fetch, this.#published.reader.head);
  }

  readonly #fetch: FetchObject = (path) => this.#place.objects.get(path);

  /** Does what writes, unless something failed before, and remembers a failure after which nothing may be written. */
  async #whileSound<T>(work: () => Promise<T>): Promise<T> {
    if (this.#stopped !== undefined) throw stopped(this.#stopped);
    try {
      return await work();
    } catch (error) {
      const goesOn = error instanceof LogError && (error.kind === "UNWITNESSED" || error.kind === "FROZEN");
      if (!goesOn) this.#stopped ??= error;
      throw error;
    }
  }

  async #append(
    entries: readonly Uint8Array[],
    committed: (appended: readonly Appended[]) => void,
  ): Promise<Appended[]> {
    if (this.#state.frozen)
      throw new LogError("FROZEN", "this log was frozen: it takes no more entries", {
        expected: "an entry of another log",
        hint: "add it to the log that continues this one",
      });
    const identities = entries.map((entry) => this.#identity(entry));
    const known = await findEntries(this.#identities, this.#reader, this.#identity, identities);
    const added = new Map<string, bigint>();
    const fresh: number[] = [];
    const appended = identities.map((identity, at): Appended => {
      const key = formatHex(identity);
      const index = known[at] ?? added.get(key);
      if (index !== undefined) return { index, duplicate: true };
      const next = this.#state.tree.size + BigInt(fresh.length);
      added.set(key, next);
      fresh.push(at);
      return { index: next, duplicate: false };
    });
    const pick = <T>(of: readonly T[]): T[] => fresh.flatMap((at) => of.slice(at, at + 1));
    if (fresh.length > 0) await this.#grow(pick(entries), pick(identities), () => committed(appended));
    else if (this.#published.isDue) await this.#publish(false);
    return appended;
  }

  async #grow(
    entries: readonly Uint8Array[],
    identities: readonly Sha256[],
    tell: () => void,
  ): Promise<void> {
    const { witnesses, objects, origin } = this.#place;
    await witnesses?.demandNewest({ ...this.#state.tree, origin, extensions: [] }, objects);
    const committed = await commit(this.#place, this.#state, entries);
    this.#state = committed.state;
    this.#reader = this.#reader.grown(committed.state.tree, committed.state.edge);
    this.#published = { ...this.#published, isDue: true };
    const completed = complete(this.#place, committed);
    tell(); // while the files are written
    const indexed = async (): Promise<void> => this.#identities.append(identities);
    const [note] = await allSettled([completed, indexed()] as const);
    this.#show(note);
  }

  async #publish(fresh: boolean): Promise<void> {
    const isSame = this.#published.reader.head.size === this.#state.tree.size;
    // Read again: cosignatures that came late are in it.
    const known = isSame ? await this.#place.objects.get(CHECKPOINT_PATH) : undefined;
    this.#show(await publish(this.#place, this.#state, { known, fresh }));
  }

  #show(note: Uint8Array): void {
    this.#published = { note, reader: this.#reader, isDue: false };
    this.#checkpoint = undefined;
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

function stopped(cause: unknown): LogError {
  return new LogError("STOPPED", "this writer stopped after a failure", {
    cause,
    hint: "open the log again",
  });
}
