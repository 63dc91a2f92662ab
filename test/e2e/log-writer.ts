/**
 * A process that writes to a log: `log-writer.ts <folder> <batches> [<PostgreSQL URL>]`, where batches are `[[from, count],
 * ...]` of numbered entries, or "collect" for the partial tiles. Tells what happens as lines of JSON; whoever kills it may
 * hold it to every line.
 * @module
 */
import { open } from "node:fs/promises";
import { collectPartials, LogError } from "@bootproof/log";
import { StoreError } from "@bootproof/store";
import { PostgresDatabase } from "@bootproof/store/postgres";
import { numberedEntries, openOrCreate, placeOnDisk, type Step, type WriterLine } from "./log-on-disk.ts";
import { placeOnPostgres } from "./log-on-postgres.ts";

const [folder = "", batches = "[]", url] = process.argv.slice(2);
/** More opens than the main thread makes: so the numbers of the log's own calls are theirs alone (see strace.ts). */
const WARM_UP = 1500;

function tell(line: WriterLine): Promise<void> {
  return new Promise((resolve) => {
    process.stdout.write(`${JSON.stringify(line)}\n`, () => {
      resolve();
    });
  });
}

async function write(): Promise<void> {
  if (process.env["BOOTPROOF_WARM_UP"] !== undefined)
    for (let times = 0; times < WARM_UP; times++) await (await open("/dev/null")).close();
  // One connection, so that its calls have one order.
  const database = url === undefined ? undefined : await PostgresDatabase.open({ url, connections: 1 });
  const placeOf = database === undefined ? placeOnDisk : placeOnPostgres(database);
  const log = await openOrCreate(await placeOf(folder));
  const checkpoint = (): string => Buffer.from(log.checkpoint.note).toString();
  await tell({ told: "opened", checkpoint: checkpoint() });
  for (const step of JSON.parse(batches) as Step[]) {
    if (step === "collect") {
      const { objects, staging } = await placeOf(folder);
      await collectPartials({ objects, staging, reader: log.reader, now: 1, keep: 0 });
      continue;
    }
    const [from, count] = step;
    const appended = await log.append(numberedEntries(from, count));
    const indices = appended.map(({ index }) => Number(index));
    await tell({ told: "appended", from, indices, checkpoint: checkpoint() });
  }
  await log.close();
  await database?.close();
}

try {
  await write();
} catch (error) {
  if (!(error instanceof LogError) && !(error instanceof StoreError)) throw error;
  await tell({ told: "failed", code: error.code, message: error.message });
  process.exitCode = 1;
}
