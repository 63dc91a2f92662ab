/**
 * One thing at a time, in order of arrival; and calls that wait together share one turn, as long as they are not too
 * many. A batch may be held open for a short while, so that a log under light load does not publish once an entry.
 * @module
 */

/** What shares a commit. */
export interface BatchOptions {
  /** Calls join a batch while it has fewer entries than this. */
  readonly maxEntries?: number;
  /** Calls join a batch while it has fewer bytes than this: what a stage should not much exceed. */
  readonly maxBytes?: number;
  /** How long a batch waits for more calls, counted from its first one; by default not at all. */
  readonly hold?: {
    readonly milliseconds: number;
    /** Resolves after so many milliseconds. */
    readonly after: (milliseconds: number) => Promise<void>;
  };
}

const MAX_ENTRIES = 4096;
const MAX_BYTES = 16 * 1024 * 1024;

interface Call<Item, Answer> {
  readonly items: readonly Item[];
  readonly early: ((answers: readonly Answer[]) => void) | undefined;
  readonly resolve: (answers: Answer[]) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Does what a batch asks for. It may call `early` once, with answers that will not change although there is more to do.
 */
export type BatchWork<Item, Answer> = (
  items: readonly Item[],
  early: (answers: readonly Answer[]) => void,
) => Promise<Answer[]>;

/** Works through batches of items; each call gets the answers to its own, in order. */
export class BatchQueue<Item extends Uint8Array, Answer> {
  readonly #work: BatchWork<Item, Answer>;
  readonly #options: BatchOptions;
  #calls: Call<Item, Answer>[] = [];
  #waiting: Load = { entries: 0, bytes: 0 };
  /** When the next batch is to begin at the latest. */
  #deadline: Promise<unknown> = Promise.resolve();
  /** Resolves when the next batch is full. */
  #full: PromiseWithResolvers<undefined> = Promise.withResolvers();
  #isDue = false;
  #isClosed = false;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(work: BatchWork<Item, Answer>, options: BatchOptions = {}) {
    this.#work = work;
    this.#options = options;
  }

  /** Puts items into the next batch and answers when that is done; `early` hears of answers that come before. */
  push(items: readonly Item[], early?: (answers: readonly Answer[]) => void): Promise<Answer[]> {
    return new Promise((resolve, reject) => {
      const { hold } = this.#options;
      if (this.#calls.length === 0 && hold !== undefined) this.#deadline = hold.after(hold.milliseconds);
      this.#calls.push({ items, early, resolve, reject });
      this.#waiting = sum(this.#waiting, loadOf(items));
      if (this.#isFull(this.#waiting)) this.#full.resolve(undefined);
      this.#schedule();
    });
  }

  /** Does something of its own, alone, when its turn comes. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  /** Resolves when all that was asked for is done; batches are held open no more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#full.resolve(undefined);
    while (this.#isDue) await this.#turn;
    await this.#turn;
  }

  #schedule(): void {
    if (this.#isDue || this.#calls.length === 0) return;
    this.#isDue = true;
    void this.inTurn(async () => {
      if (!this.#isClosed) await Promise.race([this.#deadline, this.#full.promise]);
      await this.#do(this.#take());
      this.#isDue = false;
      this.#schedule();
    });
  }

  async #do(batch: readonly Call<Item, Answer>[]): Promise<void> {
    try {
      const answers = await this.#work(
        batch.flatMap(({ items }) => items),
        (answers) => tellEarly(batch, answers),
      );
      for (const { items, resolve } of batch) resolve(answers.splice(0, items.length));
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }

  #take(): Call<Item, Answer>[] {
    let taken: Load = { entries: 0, bytes: 0 };
    const end = this.#calls.findIndex(({ items }) => {
      const isFull = this.#isFull(taken);
      if (!isFull) taken = sum(taken, loadOf(items));
      return isFull;
    });
    const batch = this.#calls.splice(0, end < 0 ? this.#calls.length : end);
    this.#waiting = {
      entries: this.#waiting.entries - taken.entries,
      bytes: this.#waiting.bytes - taken.bytes,
    };
    // Those that are left have waited already.
    this.#deadline = Promise.resolve();
    this.#full = Promise.withResolvers();
    return batch;
  }

  #isFull({ entries, bytes }: Load): boolean {
    const { maxEntries = MAX_ENTRIES, maxBytes = MAX_BYTES } = this.#options;
    return entries >= maxEntries || bytes >= maxBytes;
  }
}

function tellEarly<Item, Answer>(batch: readonly Call<Item, Answer>[], answers: readonly Answer[]): void {
  let at = 0;
  for (const { items, early } of batch) {
    early?.(answers.slice(at, at + items.length));
    at += items.length;
  }
}

interface Load {
  readonly entries: number;
  readonly bytes: number;
}

const loadOf = (items: readonly Uint8Array[]): Load => ({
  entries: items.length,
  bytes: items.reduce((bytes, item) => bytes + item.length, 0),
});

const sum = (one: Load, other: Load): Load => ({
  entries: one.entries + other.entries,
  bytes: one.bytes + other.bytes,
});
