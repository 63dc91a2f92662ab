/**
 * One of several front ends of a log on PostgreSQL, as a process of its own: `front-end.testing.ts FOLDER URL` serves the
 * log whose public files are in the folder and prints where.
 * @module
 */
import { sha256 } from "@bootproof/bytes";
import { Log, singleLogPolicy } from "@bootproof/log";
import { DirectoryObjects } from "@bootproof/store";
import { PostgresDatabase, PostgresHead, PostgresObjects, PostgresQueue } from "@bootproof/store/postgres";

import { QueueSequencer, serveLog } from "./log.ts";
import { everyone, SIGNER } from "./served-log.testing.ts";

const [, , folder = "", url = ""] = process.argv;
const database = await PostgresDatabase.open({ url });
const place = {
  origin: SIGNER.name,
  signer: SIGNER,
  objects: await DirectoryObjects.open(folder),
  staging: new PostgresObjects(database, SIGNER.name),
  head: new PostgresHead(database, SIGNER.name),
};
const sequencer = QueueSequencer.start({
  queue: new PostgresQueue(database, SIGNER.name),
  open: async () => {
    const log = await Log.open(place).catch(async (error: unknown) => {
      if (process.argv[4] === "create" && (error as { kind?: string }).kind === "NO_LOG")
        return Log.create(place);
      throw error;
    });
    return { log, close: () => log.close() };
  },
  identityOf: sha256,
  maxPending: 1000,
  refreshEvery: 600_000,
  report: (what, error) => console.error(what, error ?? ""),
});
const server = await serveLog(
  {
    sequencer,
    fetch: (path) => place.objects.get(path),
    origin: SIGNER.name,
    policy: singleLogPolicy(SIGNER.vkey),
    admission: () => Promise.resolve(everyone),
    hammer: true,
    wait: 30,
    identityOf: sha256,
  },
  { host: "127.0.0.1", port: 0 },
);
console.log(server.url);
process.once("SIGTERM", () => {
  void server.stop().then(() => database.close());
});
