/**
 * Kills the writer of a log, or fails its calls, at every system call that writes, and holds the log to all that was
 * ever said about it. A sample of the points by default; BOOTPROOF_SEED takes another, BOOTPROOF_FAULTS=all takes all.
 */
import { execFile } from "node:child_process";
import { cp } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import { scratch } from "./command.ts";
import { ALL, breakOff, choose, SCENES, SEED } from "./fault-scenes.ts";
import { LogHistory, placeOnDisk } from "./log-on-disk.ts";
import { tracingRefused, writeWithFault, writingCalls, type Fault, type WritingCall } from "./strace.ts";

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
        await prepare(stem(), placeOnDisk);
        await copy(stem(), `${stem()}.trace`);
        calls = await writingCalls(`${stem()}.trace`, JSON.stringify(steps));
        expect(calls.length).toBeGreaterThan(30);
      });

      it.each(["KILL", "EIO", "ENOSPC"] as const)("%s", async (fault: Fault) => {
        const points = choose(calls);
        const count = await breakOff({
          kind: fault,
          points,
          scene: { before, steps },
          stem: stem(),
          copy,
          historyOf: (place) => new LogHistory(place),
          write: (place, text, call) => writeWithFault(place, text, call, fault),
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
