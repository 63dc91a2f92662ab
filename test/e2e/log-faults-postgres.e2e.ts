/**
 * A log with its head and stages in PostgreSQL: its writer is killed, or its connection breaks, at every call with which
 * it sends to the server or hears from it. A commit whose answer is lost may have happened; either way nothing that was
 * acknowledged is gone and no second tree comes to be. A sample by default; BOOTPROOF_FAULTS=all takes all.
 */
import { cp } from "node:fs/promises";
import path from "node:path";
import { PostgresDatabase } from "@bootproof/store/postgres";
import { startPostgres, type PostgresServer } from "@bootproof/store/postgres-server";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { scratch } from "./command.ts";
import { ALL, breakOff, choose, SCENES } from "./fault-scenes.ts";
import { LogHistory, type PlaceOf } from "./log-on-disk.ts";
import { copyOnPostgres, placeOnPostgres } from "./log-on-postgres.ts";
import { breakAt, talkingCalls, talkWithFault, tracingRefused, type WritingCall } from "./strace.ts";

const refused = await tracingRefused();
if (refused !== undefined) console.error(`NOT RUN, this machine lets nobody trace a process: ${refused}`);

/** Points a scene and kind, unless all are taken. */
const SAMPLE = 4;

/** Partial tiles are collected in the folder alone. */
const scenes = SCENES.filter(({ steps }) => !steps.includes("collect"));

describe.skipIf(refused !== undefined)(
  "a broken connection to PostgreSQL: an acknowledged entry that is gone, or a log that split",
  () => {
    let folder: string;
    let server: PostgresServer;
    let database: PostgresDatabase;
    let hits = 0;
    beforeAll(async () => {
      folder = await scratch("faults-postgres");
      server = await startPostgres();
      database = await PostgresDatabase.open({ url: server.url, password: server.password });
    });
    afterAll(async () => {
      expect(hits).toBeGreaterThan(scenes.length);
      await database.close();
      await server.stop();
    });

    async function copy(from: string, to: string): Promise<void> {
      await cp(from, to, { recursive: true });
      await copyOnPostgres(database, from, to);
    }

    describe.each(scenes)("$name", ({ name, before, steps, prepare }) => {
      const stem = (): string => path.join(folder, name.replaceAll(/[^a-z]+/g, "-"));
      const placeOf: PlaceOf = (place) => placeOnPostgres(database)(place);
      let calls: WritingCall[] = [];
      beforeAll(async () => {
        await prepare(stem(), placeOf);
        await placeOf(stem()); // makes the folder
        await copy(stem(), `${stem()}.trace`);
        calls = await talkingCalls(`${stem()}.trace`, JSON.stringify(steps), server);
        expect(calls.length).toBeGreaterThan(30);
      });

      it.each(["KILL", "BREAK"] as const)("%s", async (kind) => {
        const points = choose(calls, SAMPLE);
        const count = await breakOff({
          kind,
          points,
          scene: { before, steps },
          stem: stem(),
          copy,
          historyOf: (place) => new LogHistory(place, placeOf),
          write: (place, text, call) =>
            talkWithFault(place, text, server, call, kind === "KILL" ? kind : breakAt(call)),
        });
        console.log(`${name}, ${kind}: ${points.length} of ${calls.length} calls, ${JSON.stringify(count)}`);
        hits += points.length - count.missed;
        // Wake-ups from threads move the numbers of later calls, so a sample may miss much of a scene.
        if (!ALL) return;
        expect(kind === "KILL" ? count.killed : count.refused).toBeGreaterThan(points.length / 3);
      });
    });
  },
);
