/**
 * The process that grows a log for growth.ts: told a size, it fills the log up to it and answers with what that took.
 *
 *     node --expose-gc growth-writer.ts FOLDER ORIGIN, with an IPC channel
 * @module
 */
import path from "node:path";
import { makeSigningKey, signerOf } from "@bootproof/bytes/signing";
import { Log } from "@bootproof/log";
import { DirectoryHead, DirectoryObjects } from "@bootproof/store";
import { IdentityFile } from "@bootproof/store/identities";
import { middle } from "../timing.ts";

/** What the writer says of a size. */
export interface Grown {
  /** Milliseconds of appending 256 entries, durably and published. */
  readonly append: number;
  /** Largest resident memory so far, in MiB. */
  readonly memory: number;
  /** What is in use once garbage is collected, in MiB. */
  readonly held: number;
}

const BATCH = 256;
const APPENDS = 20;
const FILL = 2048;
const ENTRY_SIZE = 1024;

const [folder = "", origin = ""] = process.argv.slice(2);
const log = await Log.create({
  origin,
  signer: signerOf(makeSigningKey(origin, new Uint8Array(32).fill(9))),
  objects: await DirectoryObjects.open(path.join(folder, "public")),
  staging: await DirectoryObjects.open(path.join(folder, "private")),
  head: await DirectoryHead.open(path.join(folder, "private/head")),
  identities: IdentityFile.open(path.join(folder, "private/identities.sqlite")),
});
let memory = 0;
const look = (): void => {
  memory = Math.max(memory, process.memoryUsage().rss / 2 ** 20);
};
setInterval(look, 50).unref();

/** Appends entries up to a size; each is its own. */
async function fill(size: number, batch: number): Promise<number[]> {
  const times: number[] = [];
  for (let from = Number(log.checkpoint.size); from < size; from += batch) {
    const entries = Array.from({ length: Math.min(batch, size - from) }, (_, at) =>
      new TextEncoder().encode(`entry ${from + at} `.padEnd(ENTRY_SIZE, ".")),
    );
    const start = performance.now();
    await log.append(entries);
    times.push(performance.now() - start);
  }
  return times;
}

process.on("message", (size: number) => {
  void (async () => {
    await fill(size - APPENDS * BATCH, FILL);
    const append = middle(await fill(size, BATCH));
    look();
    globalThis.gc?.();
    const { heapUsed, external } = process.memoryUsage();
    process.send?.({ append, memory, held: (heapUsed + external) / 2 ** 20 } satisfies Grown);
  })();
});
process.on("disconnect", () => void log.close());
