/**
 * The second thread that hashes an EIF: waits for one order, and answers it.
 * @module
 */
import { parentPort } from "node:worker_threads";
import type { HashAnswer, HashJob } from "./hash-job.ts";
import { hashRole, ShortRead } from "./hash-role.ts";

async function answer(job: HashJob): Promise<HashAnswer> {
  try {
    return { parts: await hashRole(job) };
  } catch (cause) {
    if (cause instanceof ShortRead) return { short: true };
    const { message, code, syscall } = cause as NodeJS.ErrnoException;
    return { failed: { message, code, syscall } };
  }
}

parentPort?.once("message", (job: HashJob) => {
  void answer(job).then((result) => parentPort?.postMessage(result));
});
