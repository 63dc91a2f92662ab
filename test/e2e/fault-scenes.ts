/**
 * What a log's writer is doing when a fault comes, and at which of its calls.
 * @module
 */
import { availableParallelism } from "node:os";
import { Log, type LogOptions } from "@bootproof/log";
import { expect } from "vitest";
import { numberedEntries, openOrCreate, type PlaceOf, type Step } from "./log-on-disk.ts";

type Batches = readonly (readonly [from: number, count: number])[];

/** Whether every point is taken. */
export const ALL = process.env["BOOTPROOF_FAULTS"] === "all";
/** Which sample is taken. */
export const SEED = Number(process.env["BOOTPROOF_SEED"] ?? 1);
const SAMPLE = 6;

/** What a writer is doing when the fault comes. */
export interface Scene {
  readonly name: string;
  /** What is in the log before. */
  readonly before: Batches;
  readonly steps: readonly Step[];
  readonly prepare: (folder: string, placeOf: PlaceOf) => Promise<void>;
}

async function fill(place: LogOptions, batches: Batches): Promise<void> {
  const log = await openOrCreate(place);
  for (const [from, count] of batches) await log.append(numberedEntries(from, count));
  await log.close();
}

/** A log whose writer died right after the commit point: the tiles are still to be written. */
async function dieAfterCommit(place: LogOptions, from: number, count: number): Promise<void> {
  const put = place.objects.putMutable.bind(place.objects);
  const objects = {
    ...place.objects,
    putImmutable: () => Promise.reject(new Error("died")),
    putMutable: put,
    get: place.objects.get.bind(place.objects),
    list: place.objects.list.bind(place.objects),
  };
  const log = await Log.open({ ...place, objects });
  await expect(log.append(numberedEntries(from, count))).rejects.toThrow("died");
  await log.close();
}

/** What may be going on. */
export const SCENES: readonly Scene[] = [
  { name: "starting a log", before: [], steps: [[0, 3]], prepare: () => Promise.resolve() },
  {
    name: "two commits, across a full tile",
    before: [[0, 254]],
    steps: [
      [254, 3],
      [257, 1],
    ],
    prepare: async (folder, placeOf) => fill(await placeOf(folder), [[0, 254]]),
  },
  {
    name: "recovering from a death after the commit point",
    before: [
      [0, 254],
      [254, 5],
    ],
    steps: [[259, 1]],
    async prepare(folder, placeOf) {
      await fill(await placeOf(folder), [[0, 254]]);
      await dieAfterCommit(await placeOf(folder), 254, 5);
    },
  },
  {
    name: "collecting partial tiles",
    before: [
      [0, 100],
      [100, 100],
      [200, 100],
    ],
    steps: ["collect", [300, 1]],
    prepare: async (folder, placeOf) =>
      fill(await placeOf(folder), [
        [0, 100],
        [100, 100],
        [200, 100],
      ]),
  },
];

/** Every point in a full run; else some, spread evenly from a place that the seed decides. */
export function choose<T>(calls: readonly T[], sample = SAMPLE): readonly T[] {
  if (ALL) return calls;
  const stride = Math.ceil(calls.length / sample);
  return calls.filter((_, at) => at % stride === SEED % stride);
}

/** Does `work` with each item, on every processor. */
export async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items];
  const worker = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
}
