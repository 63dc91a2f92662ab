/**
 * Running jobs side by side, each holding one of a fixed set of tokens: a processor, or just a place.
 * @module
 */

/** Runs at most as many jobs at once as there are tokens, the others in the order they came. */
export class JobSlots<T> {
  readonly #free: T[];
  readonly #waiting: ((token: T) => void)[] = [];
  readonly #running = new Set<Promise<unknown>>();

  /** There is at least one token, or no job would ever run. */
  constructor(tokens: readonly [T, ...T[]]) {
    this.#free = [...tokens];
  }

  /** Runs `job` when a token is free. */
  async run<R>(job: (token: T) => Promise<R>): Promise<R> {
    const token = this.#free.shift() ?? (await new Promise<T>((resolve) => this.#waiting.push(resolve)));
    const running = job(token);
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
      const next = this.#waiting.shift();
      if (next === undefined) this.#free.push(token);
      else next(token);
    }
  }

  /** Waits until every job that was started has ended, well or not. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.allSettled(this.#running);
  }
}

/**
 * Does `work` with a signal of its own, which follows `outer`. When it fails, the signal ends what else is under way,
 * and the error is thrown once all of it has ended.
 */
export async function endTogether<T, R>(
  slots: JobSlots<T>,
  outer: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<R>,
): Promise<R> {
  const stop = new AbortController();
  try {
    return await work(outer === undefined ? stop.signal : AbortSignal.any([outer, stop.signal]));
  } catch (cause) {
    stop.abort(cause);
    await slots.idle();
    throw cause;
  }
}
