/**
 * How long to wait before trying again what failed.
 * @module
 */
const FIRST_MS = 100;
const LONGEST_MS = 10_000;

/** Doubling waits that a stop cuts short. */
export class BackOff {
  #next = FIRST_MS;
  #wake: (() => void) | undefined;
  #stopped = false;

  /** Waits longer each time. */
  async wait(): Promise<void> {
    if (this.#stopped) return;
    const milliseconds = this.#next;
    this.#next = Math.min(this.#next * 2, LONGEST_MS);
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** What was tried worked: the next wait is short again. */
  reset(): void {
    this.#next = FIRST_MS;
  }

  /** Ends the wait under way, and every later one at once. */
  stop(): void {
    this.#stopped = true;
    this.#wake?.();
  }
}
