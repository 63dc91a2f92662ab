/**
 * The sequencer of a log with several front ends: entries wait in a durable queue that all share, and whoever gets the
 * log's lock puts them into the log. The others stand by and take over when it is gone, however it went: what was not
 * settled is taken again, and the log answers for entries that it has with the place they have.
 * @module
 */
import { formatHex } from "@bootproof/bytes";

import { Refused } from "../http/answer.ts";
import { BackOff } from "./back-off.ts";
import { consequenceOf, type OpenedLog } from "./opened-log.ts";
import {
  frozen,
  poolFull,
  StillPending,
  stopping,
  type Sequenced,
  type Sequencer,
  type SequencerStatus,
} from "./sequencer.ts";

/** A queue of entries that several processes share; PostgresQueue of @bootproof/store is one. */
export interface PendingQueue {
  put(identity: Uint8Array, bytes: Uint8Array, maxPending: number): Promise<"queued" | "pending" | "full">;
  /** The oldest entries; they stay until they are settled. */
  take(limits: { readonly entries: number; readonly bytes: number }): Promise<readonly Pending[]>;
  settle(done: readonly { readonly identity: Uint8Array; readonly index: bigint }[]): Promise<void>;
  find(identity: Uint8Array): Promise<bigint | undefined>;
  size(): Promise<number>;
  /** Calls when entries may have been settled; returns how to stop. */
  onSettled(listener: () => void): () => void;
  onQueued(listener: () => void): () => void;
}

interface Pending {
  readonly identity: Uint8Array;
  readonly bytes: Uint8Array;
}

/** How a {@link QueueSequencer} works. */
export interface QueueSequencerOptions {
  readonly queue: PendingQueue;
  /** Opens the log for writing; throws LogError LOCKED while another process does. */
  readonly open: () => Promise<OpenedLog>;
  /** What makes two entries the same. */
  readonly identityOf: (entry: Uint8Array) => Uint8Array;
  /** Entries that may wait at once, in the queue of all. */
  readonly maxPending: number;
  /** How often cosignatures are renewed although nothing was added, in milliseconds. */
  readonly refreshEvery: number;
  /** Hears of failures, and of taking over. */
  readonly report: (what: string, error?: unknown) => void;
}

/** What one commit takes from the queue. */
const BATCH = { entries: 1024, bytes: 8 * 2 ** 20 };
/** How often it is looked although nobody called, and how often a stand-by tries to take over. */
const LOOK_MS = 1_000;
/** Entries looked up at the same time. */
const LOOKUPS = 16;

interface Waiting {
  readonly identity: Uint8Array;
  readonly answers: {
    readonly resolve: (index: bigint) => void;
    readonly reject: (error: unknown) => void;
  }[];
}

/** Sequences what all front ends have put into one queue, when it is its turn. */
export class QueueSequencer implements Sequencer {
  readonly fault: Promise<unknown>;
  readonly #options: QueueSequencerOptions;
  readonly #waiting = new Map<string, Waiting>();
  readonly #backOff = new BackOff();
  readonly #wakes = new Set<() => void>();
  readonly #stops: (() => void)[];
  #state: SequencerStatus["state"] = "opening";
  #opened: OpenedLog | undefined;
  #failing: SequencerStatus["failing"];
  #depth = 0;
  #frozen = false;
  #stopped = false;
  #looking = false;
  #leading: Promise<void> = Promise.resolve();
  #refreshed = Date.now();
  #fail: (reason: unknown) => void = () => undefined;

  private constructor(options: QueueSequencerOptions) {
    this.#options = options;
    this.fault = new Promise((resolve) => {
      this.#fail = resolve;
    });
    const look = setInterval(() => void this.#look(), LOOK_MS);
    look.unref();
    this.#stops = [
      () => clearInterval(look),
      options.queue.onSettled(() => this.#lookUnlessLeading()),
      options.queue.onQueued(() => this.#wake()),
    ];
  }

  /** Starts to take entries, and to wait for its turn. */
  static start(options: QueueSequencerOptions): QueueSequencer {
    const sequencer = new QueueSequencer(options);
    sequencer.#leading = sequencer.#lead();
    return sequencer;
  }

  async submit(entry: Uint8Array, given?: Uint8Array): Promise<Sequenced> {
    if (this.#stopped) throw stopping();
    if (this.#frozen) throw frozen();
    const { queue, maxPending, identityOf } = this.#options;
    const identity = given ?? identityOf(entry);
    const known = await this.#asked(queue.find(identity));
    if (known !== undefined) return { index: known, duplicate: true };
    const settled = this.#follow(identity);
    const queued = await this.#asked(queue.put(identity, entry, maxPending)).catch((error: unknown) => {
      this.#settle(identity, error);
      return "failed" as const;
    });
    if (queued === "full") this.#settle(identity, poolFull());
    if (this.#opened !== undefined) this.#wake();
    return { index: await settled, duplicate: queued === "pending" };
  }

  sequence(entry: Uint8Array): Promise<Sequenced> {
    return this.submit(entry);
  }

  status(): SequencerStatus {
    return {
      state: this.#frozen && !this.#stopped ? "frozen" : this.#state,
      size: this.#opened?.log.size,
      pending: this.#depth,
      failing: this.#failing,
      witnesses: this.#opened?.witnesses?.outcomes ?? [],
    };
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#state = "stopped";
    this.#backOff.stop();
    this.#wake();
    await this.#leading;
    for (const stop of this.#stops) stop();
    for (const { identity } of [...this.#waiting.values()]) this.#settle(identity, new StillPending());
  }

  /** Waits for the lock, sequences as long as that works, and begins anew. */
  async #lead(): Promise<void> {
    while (!this.#stopped) {
      try {
        this.#opened = await this.#options.open();
        this.#worked("writing");
        this.#options.report("this process sequences now");
        if (this.#opened.log.frozen) this.#freeze();
        await this.#sequence(this.#opened);
      } catch (error) {
        if (consequenceOf(error) === "never again") this.#giveUp(error);
        else if (consequenceOf(error) === "stand by") {
          this.#worked("stand-by");
          await this.#sleep();
        } else await this.#failed("entries cannot be sequenced", error);
      } finally {
        const opened = this.#opened;
        this.#opened = undefined;
        await opened
          ?.close()
          .catch((error: unknown) => this.#options.report("the log cannot be closed", error));
      }
    }
  }

  /** Sequences until this process stops; throws when the log is to be opened again. */
  async #sequence(opened: OpenedLog): Promise<void> {
    const { queue, refreshEvery } = this.#options;
    while (!this.#stopped) {
      const batch = this.#frozen ? [] : await queue.take(BATCH);
      if (batch.length > 0) await this.#append(opened, batch);
      else if (Date.now() - this.#refreshed >= refreshEvery) await this.#refresh(opened);
      else await this.#sleep();
    }
  }

  async #append({ log }: OpenedLog, batch: readonly Pending[]): Promise<void> {
    while (!this.#stopped) {
      try {
        const appended = await log.append(batch.map(({ bytes }) => bytes));
        const done = batch.flatMap(({ identity }, at) => {
          const index = appended[at]?.index;
          return index === undefined ? [] : [{ identity, index }];
        });
        await this.#options.queue.settle(done);
        for (const { identity, index } of done) this.#settle(identity, index);
        this.#worked("writing");
        return;
      } catch (error) {
        const consequence = consequenceOf(error);
        if (consequence !== "frozen" && consequence !== "ask again") throw error;
        if (consequence === "frozen") {
          this.#freeze();
          return;
        }
        await this.#failed("entries cannot be published", error, "writing");
      }
    }
  }

  async #refresh({ log }: OpenedLog): Promise<void> {
    this.#refreshed = Date.now();
    try {
      await log.refresh();
      this.#worked("writing");
    } catch (error) {
      if (consequenceOf(error) !== "ask again") throw error;
      this.#refreshed = 0; // again, after a while
      await this.#failed("cosignatures cannot be renewed", error, "writing");
    }
  }

  #worked(state: "writing" | "stand-by"): void {
    if (!this.#stopped) this.#state = state;
    this.#failing = undefined;
    this.#backOff.reset();
  }

  async #failed(what: string, error: unknown, state: "recovering" | "writing" = "recovering"): Promise<void> {
    if (this.#failing === undefined) this.#options.report(what, error);
    const { since = Date.now() } = this.#failing ?? {};
    this.#failing = { since, error };
    if (!this.#stopped) this.#state = state;
    await this.#backOff.wait();
  }

  #freeze(): void {
    this.#frozen = true;
    for (const { identity } of [...this.#waiting.values()]) this.#settle(identity, frozen());
  }

  #giveUp(error: unknown): void {
    this.#stopped = true;
    this.#state = "stopped";
    for (const { identity } of [...this.#waiting.values()]) this.#settle(identity, new StillPending());
    this.#fail(error);
  }

  #follow(identity: Uint8Array): Promise<bigint> {
    const key = formatHex(identity);
    const waiting = this.#waiting.get(key) ?? { identity, answers: [] };
    this.#waiting.set(key, waiting);
    return new Promise((resolve, reject) => waiting.answers.push({ resolve, reject }));
  }

  /** Answers those who wait for an entry: where it is, or why they wait no more. */
  #settle(identity: Uint8Array, outcome: unknown): void {
    const key = formatHex(identity);
    const { answers = [] } = this.#waiting.get(key) ?? {};
    this.#waiting.delete(key);
    for (const { resolve, reject } of answers)
      if (typeof outcome === "bigint") resolve(outcome);
      else reject(outcome);
  }

  /** Whoever sequences tells its own front end itself; what the one before it settled is found within a second. */
  #lookUnlessLeading(): void {
    if (this.#opened === undefined) void this.#look();
  }

  /** Looks what became of the entries that wait here: another process may have settled them. */
  async #look(): Promise<void> {
    if (this.#looking || this.#stopped) return;
    this.#looking = true;
    try {
      const { queue } = this.#options;
      this.#depth = await queue.size();
      const waiting = [...this.#waiting.values()];
      for (let at = 0; at < waiting.length; at += LOOKUPS)
        await Promise.all(
          waiting.slice(at, at + LOOKUPS).map(async ({ identity }) => {
            const index = await queue.find(identity);
            if (index !== undefined) this.#settle(identity, index);
          }),
        );
    } catch {
      // Looked again in a second; whoever sequences tells of a database that is gone.
    } finally {
      this.#looking = false;
    }
  }

  async #asked<T>(answer: Promise<T>): Promise<T> {
    try {
      return await answer;
    } catch (error) {
      this.#options.report("the queue cannot be reached", error);
      throw new Refused({
        status: 503,
        code: "BP-SERVE-012",
        message: "entries cannot be taken now; send it again later",
        retryAfter: 10,
      });
    }
  }

  #wake(): void {
    for (const wake of this.#wakes) wake();
  }

  /** Waits until there may be something to do. */
  async #sleep(): Promise<void> {
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#wakes.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, LOOK_MS);
      this.#wakes.add(wake);
    });
  }
}
