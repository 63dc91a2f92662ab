/**
 * Starting the second thread that hashes, ahead of the work for it: it takes about 40 ms until it listens.
 * @module
 */
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { inputFailure } from "../frame/files.ts";
import { changed } from "./eif-file.ts";
import type { HashAnswer, HashJob, HashParts } from "./hash-job.ts";

/** Fewer bytes than this are hashed before a thread has started. */
const WORTH_A_THREAD = 2 ** 25;

/** Whether a second thread shortens the hashing of so many bytes here. */
export const isWorthThread = (bytes: number): boolean =>
  bytes >= WORTH_A_THREAD && availableParallelism() > 1;

/** A thread that waits for an order. */
export class HashThread {
  readonly #worker: Worker;

  constructor() {
    const source = import.meta.url.endsWith(".ts");
    this.#worker = new Worker(new URL(`./hash-worker.${source ? "ts" : "js"}`, import.meta.url), {
      execArgv: [],
      // It allocates next to nothing: what it may have, it would take.
      resourceLimits: { maxYoungGenerationSizeMb: 1, maxOldGenerationSizeMb: 16 },
    });
  }

  /** Has a job done; `name` is the file's, for failures. */
  hash(job: HashJob, name: string, signal?: AbortSignal): Promise<HashParts> {
    return new Promise((resolve, reject) => {
      const stop = (): void => reject(signal?.reason as Error);
      signal?.addEventListener("abort", stop, { once: true });
      this.#worker
        .once("error", reject)
        .once("exit", () => reject(new Error("the thread that hashes has ended")))
        .once("message", (answer: HashAnswer) => {
          signal?.removeEventListener("abort", stop);
          if ("parts" in answer) resolve(answer.parts);
          else
            reject(
              "short" in answer
                ? changed(name)
                : inputFailure(name, Object.assign(new Error(answer.failed.message), answer.failed)),
            );
        });
      this.#worker.postMessage(job);
    });
  }

  /** Ends the thread, also in the midst of its work. */
  async end(): Promise<void> {
    await this.#worker.terminate();
  }
}
