/**
 * One thing at a time, in order of arrival; and calls that wait together share one turn, as long as they are not too
 * many.
 * @module
 */

/** How much shares a turn. */
export interface BatchOptions {
  /** Calls join a batch while it has fewer entries than this. */
  readonly maxEntries?: number;
  /** Calls join a batch while it has fewer bytes than this: what a stage should not much exceed. */
  readonly maxBytes?: number;
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
  #isDue = false;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(work: BatchWork<Item, Answer>, options: BatchOptions = {}) {
    this.#work = work;
    this.#options = options;
  }

  /** Puts items into the next batch and answers when that is done; `early` hears of answers that come before. */
  push(items: readonly Item[], early?: (answers: readonly Answer[]) => void): Promise<Answer[]> {
    return new Promise((resolve, reject) => {
      this.#calls.push({ items, early, resolve, reject });
      this.#schedule();
    });
  }

  /** Does something of its own, alone, when its turn comes. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  /** Resolves when all that was asked for is done. */
  async close(): Promise<void> {
    while (this.#isDue) await this.#turn;
    await this.#turn;
  }

  #schedule(): void {
    if (this.#isDue || this.#calls.length === 0) return;
    this.#isDue = true;
    void this.inTurn(async () => {
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
    return this.#calls.splice(0, end < 0 ? this.#calls.length : end);
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
