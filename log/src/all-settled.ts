/**
 * Waits for several things, and throws only when none is in flight any more: who hears of a failure may give up what
 * they need, the lock of a log for one.
 * @module
 */

/** All results, or the first error once everything has ended. */
export async function allSettled<T extends readonly unknown[]>(
  work: T,
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  for (const outcome of await Promise.allSettled(work))
    if (outcome.status === "rejected") throw outcome.reason;
  return Promise.all(work);
}
