/**
 * What a log's writer is doing when a fault comes, and at which of its calls.
 * @module
 */
import { rm } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { Log, type LogOptions } from "@bootproof/log";
import { expect } from "vitest";
import { LogHistory, numberedEntries, openOrCreate, type PlaceOf, type Step } from "./log-on-disk.ts";
import type { TracedWriter, WritingCall } from "./strace.ts";

type Batches = readonly (readonly [from: number, count: number])[];

/** Whether every point is taken. */
export const ALL: boolean = process.env["BOOTPROOF_FAULTS"] === "all";
/** Which sample is taken. */
export const SEED: number = Number.parseInt(process.env["BOOTPROOF_SEED"] ?? "1", 10);
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
export function choose<T>(calls: readonly T[], sample: number = SAMPLE): readonly T[] {
  if (ALL) return calls;
  const stride = Math.ceil(calls.length / sample);
  return calls.filter((_, at) => at % stride === SEED % stride);
}

/** Does `work` with each item, on every processor. */
async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items];
  const worker = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
}

/** How writers ended to which a fault happened, or did not. */
export interface Ends {
  killed: number;
  refused: number;
  survived: number;
  missed: number;
}

/** Breaks off one scene at each of `points`, each in a place of its own, and holds the log to all that was said. */
export async function breakOff(attempt: {
  readonly kind: string;
  readonly points: readonly WritingCall[];
  readonly scene: Pick<Scene, "before" | "steps">;
  /** Where the scene was prepared; its copies lie beside it. */
  readonly stem: string;
  readonly copy: (from: string, to: string) => Promise<void>;
  readonly historyOf: (place: string) => LogHistory;
  readonly write: (place: string, steps: string, call: WritingCall) => Promise<TracedWriter>;
}): Promise<Ends> {
  const { kind, points, scene, stem, copy, historyOf, write } = attempt;
  const ends: Ends = { killed: 0, refused: 0, survived: 0, missed: 0 };
  await inParallel(points, async (call) => {
    const label = `${kind} at ${call.name} ${call.nth}: ${call.text}`;
    const place = `${stem}.${kind}-${call.name}-${call.nth}`;
    await copy(stem, place);
    const history = historyOf(place);
    await history.look();
    const writer = await write(place, JSON.stringify(scene.steps), call);
    if (writer.hit === undefined) ends.missed++;
    else if (writer.killed) ends.killed++;
    else if (writer.exitCode === 1 && writer.stdout.includes('"failed"')) ends.refused++;
    else if (writer.exitCode === 0) ends.survived++;
    else throw new Error(`${label}\n${writer.stdout}\n${writer.stderr}`);
    try {
      history.hear(writer.stdout);
      await history.expectWhole([...scene.before, ...scene.steps.filter((step) => step !== "collect")]);
    } catch (error) {
      throw new Error(`${label}\nhit: ${writer.hit ?? "nothing"}\n${writer.stdout}`, { cause: error });
    }
    await rm(place, { recursive: true });
  });
  return ends;
}
