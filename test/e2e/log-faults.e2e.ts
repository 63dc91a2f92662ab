/**
 * Kills the writer of a log, or fails its calls, at every system call that writes, and holds the log to all that was
 * ever said about it. A sample of the points by default; BOOTPROOF_SEED takes another, BOOTPROOF_FAULTS=all takes all.
 */
import { execFile } from "node:child_process";
import { cp, rm } from "node:fs/promises";
import { availableParallelism } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { Log } from "@bootproof/log";
import { beforeAll, describe, expect, it } from "vitest";
import { scratch } from "./command.ts";
import { LogHistory, numberedEntries, openOnDisk, placeOnDisk, type Step } from "./log-on-disk.ts";
import { tracingRefused, writeWithFault, writingCalls, type Fault, type WritingCall } from "./strace.ts";

type Batches = readonly (readonly [from: number, count: number])[];

const ALL = process.env["BOOTPROOF_FAULTS"] === "all";
const SEED = Number(process.env["BOOTPROOF_SEED"] ?? 1);
const SAMPLE = 6;

/** What a writer is doing when the fault comes. */
interface Scene {
  readonly name: string;
  /** What is in the log before. */
  readonly before: Batches;
  readonly steps: readonly Step[];
  readonly prepare: (folder: string) => Promise<void>;
}

async function fill(folder: string, batches: Batches): Promise<void> {
  const log = await openOnDisk(folder);
  for (const [from, count] of batches) await log.append(numberedEntries(from, count));
  await log.close();
}

/** A log whose writer died right after the commit point: the tiles are still to be written. */
async function dieAfterCommit(folder: string, from: number, count: number): Promise<void> {
  const place = await placeOnDisk(folder);
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

const SCENES: readonly Scene[] = [
  { name: "starting a log", before: [], steps: [[0, 3]], prepare: () => Promise.resolve() },
  {
    name: "two commits, across a full tile",
    before: [[0, 254]],
    steps: [
      [254, 3],
      [257, 1],
    ],
    prepare: (folder) => fill(folder, [[0, 254]]),
  },
  {
    name: "recovering from a death after the commit point",
    before: [
      [0, 254],
      [254, 5],
    ],
    steps: [[259, 1]],
    async prepare(folder) {
      await fill(folder, [[0, 254]]);
      await dieAfterCommit(folder, 254, 5);
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
    prepare: (folder) =>
      fill(folder, [
        [0, 100],
        [100, 100],
        [200, 100],
      ]),
  },
];

/** Every point in a full run; else some, spread evenly from a place that the seed decides. */
function choose(calls: readonly WritingCall[]): readonly WritingCall[] {
  if (ALL) return calls;
  const stride = Math.ceil(calls.length / SAMPLE);
  return calls.filter((_, at) => at % stride === SEED % stride);
}

async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items];
  const worker = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
}

const refused = await tracingRefused();
if (refused !== undefined) console.error(`NOT RUN, this machine lets nobody trace a process: ${refused}`);

describe.skipIf(refused !== undefined)(
  "faults at system calls: an acknowledged entry that is gone, or a log that split",
  () => {
    let folder: string;
    beforeAll(async () => {
      folder = await scratch("faults");
      if (!ALL)
        console.log(`fault points sampled with BOOTPROOF_SEED=${SEED}; BOOTPROOF_FAULTS=all takes all`);
    });

    describe.each(SCENES)("$name", ({ name, before, steps, prepare }) => {
      const stem = (): string => path.join(folder, name.replaceAll(/[^a-z]+/g, "-"));
      let calls: WritingCall[] = [];
      beforeAll(async () => {
        await prepare(stem());
        await copy(stem(), `${stem()}.trace`);
        calls = await writingCalls(`${stem()}.trace`, JSON.stringify(steps));
        expect(calls.length).toBeGreaterThan(30);
      });

      it.each(["KILL", "EIO", "ENOSPC"] as const)("%s", async (fault: Fault) => {
        const count = { killed: 0, refused: 0, survived: 0, missed: 0 };
        const points = choose(calls);
        await inParallel(points, async (call) => {
          const label = `${fault} at ${call.name} ${call.nth}: ${call.text}`;
          const place = `${stem()}.${fault}-${call.name}-${call.nth}`;
          await copy(stem(), place);
          const history = new LogHistory(place);
          await history.look();
          const writer = await writeWithFault(place, JSON.stringify(steps), call, fault);
          if (writer.hit === undefined) count.missed++;
          else if (writer.killed) count.killed++;
          else if (writer.exitCode === 1 && writer.stdout.includes('"failed"')) count.refused++;
          else if (writer.exitCode === 0) count.survived++;
          else throw new Error(`${label}\n${writer.stdout}\n${writer.stderr}`);
          try {
            history.hear(writer.stdout);
            await history.expectWhole([...before, ...steps.filter((step) => step !== "collect")]);
          } catch (error) {
            throw new Error(`${label}\nhit: ${writer.hit ?? "nothing"}\n${writer.stdout}`, { cause: error });
          }
          await rm(place, { recursive: true });
        });
        console.log(`${name}, ${fault}: ${points.length} of ${calls.length} calls, ${JSON.stringify(count)}`);
        // A call of another number than in the trace: rare, and it shows nothing either way.
        expect(count.missed).toBeLessThanOrEqual(points.length / 4);
        if (fault === "KILL") expect(count.killed).toBe(points.length - count.missed);
      });
    });
  },
);

/** A copy with the files' own bytes: links would share them. */
async function copy(from: string, to: string): Promise<void> {
  await cp(from, to, { recursive: true }).catch((error: unknown) => {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
  });
}

// Said here and not in the middle of a run that would look like a fault.
await promisify(execFile)("strace", ["-V"]);
