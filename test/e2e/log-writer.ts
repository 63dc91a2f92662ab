/**
 * A process that writes to a log: `log-writer.ts <folder> <batches>`, where batches are `[[from, count], ...]` of numbered
 * entries, or "collect" for the partial tiles. Tells what happens as lines of JSON; whoever kills it may hold it to every line.
 * @module
 */
import { open } from "node:fs/promises";
import { collectPartials, Log, LogError } from "@bootproof/log";
import { StoreError } from "@bootproof/store";
import { numberedEntries, placeOnDisk, type Step, type WriterLine } from "./log-on-disk.ts";

const [folder = "", batches = "[]"] = process.argv.slice(2);
/** More opens than the main thread makes: so the numbers of the log's own calls are theirs alone (see strace.ts). */
const WARM_UP = 1500;

function tell(line: WriterLine): Promise<void> {
  return new Promise((resolve) => {
    process.stdout.write(`${JSON.stringify(line)}\n`, () => {
      resolve();
    });
  });
}

async function openOrCreate(): Promise<Log> {
  const place = await placeOnDisk(folder);
  try {
    return await Log.open(place);
  } catch (error) {
    if (error instanceof LogError && error.kind === "NO_LOG") return Log.create(place);
    throw error;
  }
}

async function write(): Promise<void> {
  if (process.env["BOOTPROOF_WARM_UP"] !== undefined)
    for (let times = 0; times < WARM_UP; times++) await (await open("/dev/null")).close();
  const log = await openOrCreate();
  const checkpoint = (): string => Buffer.from(log.checkpoint.note).toString();
  await tell({ told: "opened", checkpoint: checkpoint() });
  for (const step of JSON.parse(batches) as Step[]) {
    if (step === "collect") {
      const { objects, staging } = await placeOnDisk(folder);
      await collectPartials({ objects, staging, reader: log.reader, now: 1, keep: 0 });
      continue;
    }
    const [from, count] = step;
    const appended = await log.append(numberedEntries(from, count));
    const indices = appended.map(({ index }) => Number(index));
    await tell({ told: "appended", from, indices, checkpoint: checkpoint() });
  }
  await log.close();
}

try {
  await write();
} catch (error) {
  if (!(error instanceof LogError) && !(error instanceof StoreError)) throw error;
  await tell({ told: "failed", code: error.code, message: error.message });
  process.exitCode = 1;
}
