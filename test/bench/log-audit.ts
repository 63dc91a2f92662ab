/**
 * How long it takes to hash a log again, from its first entry and with what the last audit remembered, and in how much
 * memory.
 * @module
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { makeSigningKey, signerOf } from "@bootproof/bytes/signing";
import { audit, Log, type AuditedBefore } from "@bootproof/log";
import { DirectoryHead, DirectoryObjects } from "@bootproof/store";
import { milliseconds, type Table } from "./table.ts";

const SIZES = [10_240, 102_400] as const;
const BATCH = 2048;
const NEW_ENTRIES = 100;

/** Audits logs of 1 KiB entries. */
export async function benchAudit(): Promise<Table> {
  const folder = await mkdtemp(path.join(tmpdir(), "bootproof-bench-audit-"));
  try {
    const objects = await DirectoryObjects.open(path.join(folder, "public"));
    const log = await Log.create({
      origin: "bench.example/log",
      signer: signerOf(makeSigningKey("bench.example/log", new Uint8Array(32).fill(9))),
      objects,
      staging: await DirectoryObjects.open(path.join(folder, "private")),
      head: await DirectoryHead.open(path.join(folder, "head")),
    });
    const rows: string[][] = [];
    const fetch = (key: string): Promise<Uint8Array | undefined> => objects.get(key);
    let after: AuditedBefore | undefined;
    for (const size of SIZES) {
      await fill(log, size);
      const { head } = log.reader;
      rows.push([`all ${size} entries`, ...(await time(size, () => audit(fetch, head, { save: remember })))]);
      async function remember(edge: AuditedBefore["edge"]): Promise<void> {
        after = { seen: head, edge };
        return Promise.resolve();
      }
    }
    await fill(log, Number(log.checkpoint.size) + NEW_ENTRIES);
    if (after === undefined) throw new Error("the audit remembered nothing");
    const { head } = log.reader;
    const known = after;
    rows.push([
      `${NEW_ENTRIES} new ones with --state`,
      ...(await time(NEW_ENTRIES, () => audit(fetch, head, { after: known }))),
    ]);
    await log.close();
    return {
      name: "audit",
      head: ["`bootproof log audit`, 1 KiB entries, warm files", "time", "entries/s", "memory"],
      rows,
      notes: ["Memory is how far the process grew beyond what it held before."],
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function fill(log: Log, size: number): Promise<void> {
  for (let from = Number(log.checkpoint.size); from < size; from += BATCH)
    await log.append(
      Array.from({ length: Math.min(BATCH, size - from) }, (_, at) =>
        new TextEncoder().encode(`entry ${from + at} `.padEnd(1024, ".")),
      ),
    );
}

async function time(entries: number, run: () => ReturnType<typeof audit>): Promise<string[]> {
  let most = 0;
  const before = process.memoryUsage().rss;
  const watch = setInterval(() => (most = Math.max(most, process.memoryUsage().rss)), 5);
  const start = performance.now();
  const { fault } = await run();
  const took = performance.now() - start;
  clearInterval(watch);
  if (fault !== undefined) throw new Error(`${fault.file}: ${fault.reason}`);
  const grown = Math.max(0, most - before) / 2 ** 20;
  return [milliseconds(took), String(Math.round((entries * 1000) / took)), `${grown.toFixed(0)} MiB`];
}
