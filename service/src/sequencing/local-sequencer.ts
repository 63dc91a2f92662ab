/**
 * The sequencer of a log that this process alone writes to. Entries wait in a bounded pool in memory; what is answered
 * for is in the log. After a failure it asks the witnesses again or opens the log again, for as long as it takes, and
 * appends once more what was not answered: the log knows entries that it has, so nothing comes in twice.
 * @module
 */
import type { Appended } from "@bootproof/log";

import { BackOff } from "./back-off.ts";
import { consequenceOf, type OpenedLog } from "./opened-log.ts";
import {
  frozen,
  poolFull,
  stopping,
  type Sequenced,
  type Sequencer,
  type SequencerStatus,
} from "./sequencer.ts";

/** How a {@link LocalSequencer} works. */
export interface LocalSequencerOptions {
  /** Opens the log for writing; called again after failures. */
  readonly open: () => Promise<OpenedLog>;
  /** Entries that may wait at once. */
  readonly maxPending: number;
  /** How long the first entry of a batch waits for others, in milliseconds. */
  readonly batchAge: number;
  /** How often cosignatures are renewed although nothing was added, in milliseconds. */
  readonly refreshEvery: number;
  /** Hears of failures, each once. */
  readonly report: (what: string, error: unknown) => void;
}

/** Entries that wait are at most this many bytes together. */
const MAX_PENDING_BYTES = 64 * 2 ** 20;
/** Entries appended with one call: the log joins calls that wait, and splits none. */
const MAX_BATCH = 1024;

interface Waiting {
  readonly entry: Uint8Array;
  readonly resolve: (sequenced: Sequenced) => void;
  readonly reject: (error: unknown) => void;
  /** Whether its index is answer enough. */
  readonly early: boolean;
  /** Entries of the log when this one was first appended: a smaller index is an older entry's. */
  sizeBefore?: bigint;
  /** It was appended before, and not answered. */
  again: boolean;
}

/** Sequences in this process. */
export class LocalSequencer implements Sequencer {
  readonly fault: Promise<unknown>;
  readonly #options: LocalSequencerOptions;
  readonly #pending = new Set<Waiting>();
  readonly #backOff = new BackOff();
  #bytes = 0;
  #fresh: Waiting[] = [];
  /** Appended and not answered: to be appended again once the log can publish. */
  #failed: Waiting[] = [];
  #flushing: ReturnType<typeof setTimeout> | NodeJS.Immediate | undefined;
  #underWay = new Set<Promise<void>>();
  #opened: OpenedLog | undefined;
  #size = 0n;
  #failing: SequencerStatus["failing"];
  #recovering: Promise<void> | undefined;
  #stopped = false;
  #refreshing: ReturnType<typeof setInterval> | undefined;
  #fail: (reason: unknown) => void = () => undefined;

  private constructor(options: LocalSequencerOptions) {
    this.#options = options;
    this.fault = new Promise((resolve) => {
      this.#fail = resolve;
    });
  }

  /** Opens the log; rejects when it must not be written to. Without its witnesses it starts, and asks again. */
  static async start(options: LocalSequencerOptions): Promise<LocalSequencer> {
    const sequencer = new LocalSequencer(options);
    try {
      sequencer.#opened = await options.open();
    } catch (error) {
      if (consequenceOf(error) !== "ask again") throw error;
      sequencer.#recover("the log cannot be published", error);
    }
    sequencer.#refreshing = setInterval(() => sequencer.#refresh(), options.refreshEvery);
    sequencer.#refreshing.unref();
    return sequencer;
  }

  submit(entry: Uint8Array): Promise<Sequenced> {
    return this.#take(entry, false);
  }

  sequence(entry: Uint8Array): Promise<Sequenced> {
    return this.#take(entry, true);
  }

  #take(entry: Uint8Array, early: boolean): Promise<Sequenced> {
    if (this.#stopped) return Promise.reject(stopping());
    if (this.#opened?.log.frozen === true) return Promise.reject(frozen());
    if (this.#pending.size >= this.#options.maxPending || this.#bytes + entry.length > MAX_PENDING_BYTES)
      return Promise.reject(poolFull());
    return new Promise((resolve, reject) => {
      const waiting: Waiting = { entry, resolve, reject, early, again: false };
      this.#pending.add(waiting);
      this.#bytes += entry.length;
      this.#fresh.push(waiting);
      this.#flushSoon();
    });
  }

  status(): SequencerStatus {
    return {
      state: this.#state(),
      size: this.#opened === undefined ? this.#size : this.#opened.log.size,
      pending: this.#pending.size,
      failing: this.#failing,
      witnesses: this.#opened?.witnesses?.outcomes ?? [],
    };
  }

  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    clearInterval(this.#refreshing);
    this.#backOff.stop();
    this.#flush();
    while (this.#underWay.size > 0 || this.#recovering !== undefined)
      await Promise.all([...this.#underWay, this.#recovering]);
    for (const waiting of this.#pending) this.#refuse(waiting, stopping());
    await this.#opened?.close();
    this.#opened = undefined;
  }

  #state(): SequencerStatus["state"] {
    if (this.#stopped) return "stopped";
    if (this.#opened === undefined) return "recovering";
    return this.#opened.log.frozen ? "frozen" : "writing";
  }

  #flushSoon(): void {
    const { batchAge } = this.#options;
    this.#flushing ??=
      batchAge > 0 ? setTimeout(() => this.#flush(), batchAge) : setImmediate(() => this.#flush());
  }

  #flush(): void {
    this.#flushing = undefined;
    if (this.#opened === undefined) return; // recovery appends what waits
    const fresh = this.#fresh;
    this.#fresh = [];
    for (let at = 0; at < fresh.length; at += MAX_BATCH)
      this.#append(this.#opened, fresh.slice(at, at + MAX_BATCH));
  }

  #append(opened: OpenedLog, batch: readonly Waiting[]): void {
    for (const waiting of batch) waiting.sizeBefore ??= opened.log.size;
    const entries = batch.map(({ entry }) => entry);
    const answerEarly = (appended: readonly Appended[]): void =>
      batch.forEach((waiting, at) => {
        if (waiting.early) answer(waiting, appended[at]);
      });
    const appending = opened.log.append(entries, answerEarly).then(
      (appended) => this.#answer(batch, appended),
      (error: unknown) => this.#failedToAppend(opened, batch, error),
    );
    const done = appending.finally(() => this.#underWay.delete(done));
    this.#underWay.add(done);
  }

  #answer(batch: readonly Waiting[], appended: readonly Appended[]): void {
    batch.forEach((waiting, at) => {
      this.#forget(waiting);
      answer(waiting, appended[at]);
    });
    this.#worked();
  }

  #failedToAppend(opened: OpenedLog, batch: readonly Waiting[], error: unknown): void {
    const consequence = consequenceOf(error);
    if (consequence === "frozen") {
      for (const waiting of batch) this.#refuse(waiting, frozen());
      return;
    }
    for (const waiting of batch) waiting.again = true;
    this.#failed.push(...batch);
    if (opened === this.#opened) this.#recover("entries cannot be published", error);
  }

  #refresh(): void {
    const opened = this.#opened;
    if (opened === undefined || this.#recovering !== undefined) return;
    opened.log.refresh().then(
      () => this.#worked(),
      (error: unknown) => {
        if (opened === this.#opened) this.#recover("cosignatures cannot be renewed", error);
      },
    );
  }

  #recover(what: string, error: unknown): void {
    this.#failing ??= { since: Date.now(), error };
    this.#recovering ??= this.#tryAgain(what, error).finally(() => {
      this.#recovering = undefined;
    });
  }

  /** Asks again or opens again until that works, this process stops, or the log must never be written to again. */
  async #tryAgain(what: string, first: unknown): Promise<void> {
    let error = first;
    this.#options.report(what, error);
    for (;;) {
      const consequence = consequenceOf(error);
      if (consequence === "never again") return this.#giveUp(error);
      if (consequence !== "ask again") await this.#close();
      await this.#backOff.wait();
      if (this.#stopped) return;
      try {
        if (this.#opened === undefined) this.#opened = await this.#options.open();
        else await this.#opened.log.refresh();
        break;
      } catch (again) {
        const { since = Date.now() } = this.#failing ?? {};
        this.#failing = { since, error: again };
        error = again;
      }
    }
    this.#appendAgain();
  }

  #appendAgain(): void {
    const opened = this.#opened;
    if (opened === undefined) return;
    this.#worked();
    const failed = this.#failed;
    this.#failed = [];
    for (let at = 0; at < failed.length; at += MAX_BATCH)
      this.#append(opened, failed.slice(at, at + MAX_BATCH));
    this.#flush();
  }

  /** The log is public again as far as it goes. */
  #worked(): void {
    this.#failing = undefined;
    this.#backOff.reset();
  }

  async #close(): Promise<void> {
    const opened = this.#opened;
    if (opened === undefined) return;
    this.#size = opened.log.size;
    this.#opened = undefined;
    // What it has under way ends first, each with its own failure.
    await Promise.all(this.#underWay);
    await opened.close().catch(() => undefined);
  }

  async #giveUp(error: unknown): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#refreshing);
    await this.#close();
    for (const waiting of this.#pending) this.#refuse(waiting, stopping());
    this.#fail(error);
  }

  #refuse(waiting: Waiting, reason: unknown): void {
    this.#forget(waiting);
    waiting.reject(reason);
  }

  #forget(waiting: Waiting): void {
    if (this.#pending.delete(waiting)) this.#bytes -= waiting.entry.length;
  }
}

/** Says where an entry is; who heard it before hears nothing. */
function answer({ again, sizeBefore = 0n, resolve }: Waiting, where: Appended | undefined): void {
  if (where === undefined) return;
  const { index, duplicate } = where;
  // An entry that is appended again after a failure is its own duplicate, and no one else's.
  resolve({ index, duplicate: duplicate && (!again || index < sizeBefore) });
}
