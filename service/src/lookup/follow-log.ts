/**
 * Keeps a lookup index at the end of a log that grows.
 * @module
 */
import { setTimeout as sleep } from "node:timers/promises";

import type { LogReader } from "@bootproof/log";

import type { LookupIndex } from "./lookup-index.ts";

const EVERY_MS = 1_000;
/** After a failure: whatever is wrong, asking each second does not mend it. */
const AFTER_FAILURE_MS = 15_000;

/** How a log is followed. */
export interface Following {
  readonly index: LookupIndex;
  /** The tree that is public now. */
  readonly reader: () => Promise<LogReader>;
  /** Hears what went wrong; following goes on. */
  readonly report: (error: unknown) => void;
  readonly everyMs?: number;
}

/** A loop that follows a log until it is stopped. */
export class LogFollower {
  readonly #end = new AbortController();
  readonly #done: Promise<void>;

  /** Starts to follow. */
  constructor(following: Following) {
    this.#done = this.#run(following);
  }

  /** Ends after the batch under way. */
  async stop(): Promise<void> {
    this.#end.abort();
    await this.#done;
  }

  async #run({ index, reader, report, everyMs = EVERY_MS }: Following): Promise<void> {
    const { signal } = this.#end;
    while (!signal.aborted) {
      let pause = everyMs;
      try {
        const tree = await reader();
        if (tree.head.size !== index.entries) await index.follow(tree, signal);
      } catch (error) {
        pause = Math.max(everyMs, AFTER_FAILURE_MS);
        report(error);
      }
      await sleep(pause, undefined, { signal }).catch(() => undefined); // stopped
    }
  }
}
