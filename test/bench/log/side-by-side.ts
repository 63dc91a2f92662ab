/**
 * `bootproof log serve` beside Tessera's log on a directory: the same hammer, entries of 1 KiB, in turns on the same
 * disk; each answers for what it has written only after fsync.
 * @module
 */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { tessera } from "../peers/tessera.ts";
import { milliseconds, type Table } from "../table.ts";
import { middle } from "../timing.ts";
import { hammer, inclusion } from "./hammer.ts";
import { startBootproof, startTessera, type LogServer, type StartLog } from "./servers.ts";
import { usageOf } from "./usage.ts";

const ROUNDS = 3;
const SECONDS = 7;
/** Connections of the hammer, each with one entry under way: enough that neither log waits for entries, and few. */
const MANY = 512;
const FEW = 64;
const RATE = 1000;

/** What one log achieved. */
interface Result {
  readonly rates: number[];
  /** With few connections. */
  readonly few: number[];
  /** Milliseconds of processor time for a thousand appends. */
  readonly processor: number[];
  readonly memory: number[];
  readonly complaints: string[];
  waits: readonly number[];
  lost: number;
}

/** Measures both; a table with only a reason when Tessera cannot be had. */
export async function benchLogServers(): Promise<Table> {
  const peer = await tessera();
  const head = ["log server", "bootproof", peer.name, "ratio", "aim"];
  if ("why" in peer)
    return {
      name: "log-server",
      head,
      rows: [],
      notes: [`Skipped: ${peer.name} cannot be had here (${peer.why}).`],
    };
  const folder = await mkdtemp(path.join(tmpdir(), "bootproof-bench-log-"));
  try {
    const starts = [startBootproof, startTessera(peer)];
    const results = starts.map((): Result => ({
      rates: [],
      few: [],
      processor: [],
      memory: [],
      complaints: [],
      waits: [],
      lost: 0,
    }));
    for (let round = 0; round < ROUNDS; round++)
      for (const at of round % 2 === 0 ? [0, 1] : [1, 0])
        await hammerRound(path.join(folder, `${round}-${at}`), starts[at]!, peer.hammer, results[at]!);
    for (const [at, start] of starts.entries()) {
      await fewRound(path.join(folder, `few-${at}`), start, peer.hammer, results[at]!);
      await inclusionRound(path.join(folder, `inclusion-${at}`), start, results[at]!);
    }
    return {
      name: "log-server",
      head,
      rows: rowsOf(results[0]!, results[1]!),
      notes: notesOf(peer.name, results),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Starts a log, has it do some work, and removes it. */
async function round(
  folder: string,
  start: StartLog,
  work: (server: LogServer) => Promise<void>,
): Promise<void> {
  await mkdir(folder);
  const server = await start(folder);
  try {
    await work(server);
  } finally {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function hammerRound(folder: string, start: StartLog, program: string, result: Result): Promise<void> {
  await round(folder, start, async (server) => {
    const before = await usageOf(server.pid);
    const { appendsPerSecond, size, complaints } = await hammer(program, server, SECONDS, MANY);
    const after = await usageOf(server.pid);
    result.rates.push(appendsPerSecond);
    result.processor.push(((after.processor - before.processor) * 1e6) / size);
    result.memory.push(after.memory);
    result.complaints.push(...complaints);
  });
}

async function fewRound(folder: string, start: StartLog, program: string, result: Result): Promise<void> {
  await round(folder, start, async (server) => {
    const { appendsPerSecond, complaints } = await hammer(program, server, SECONDS, FEW);
    result.few.push(appendsPerSecond);
    result.complaints.push(...complaints);
  });
}

async function inclusionRound(folder: string, start: StartLog, result: Result): Promise<void> {
  await round(folder, start, async (server) => {
    const { waits, lost } = await inclusion(server, RATE, SECONDS);
    result.waits = waits;
    result.lost = lost;
  });
}

function rowsOf(ours: Result, theirs: Result): string[][] {
  const count = (value: number): string => Math.round(value).toLocaleString("en");
  const row = (
    what: string,
    of: (result: Result) => number,
    print: (value: number) => string,
    aim = "",
  ): string[] => {
    const [a, b] = [of(ours), of(theirs)];
    return [what, print(a), print(b), (a / b).toFixed(2), aim];
  };
  const percentile =
    (share: number) =>
    (result: Result): number =>
      result.waits[Math.floor(result.waits.length * share)] ?? Number.NaN;
  const slow = `at ${RATE.toLocaleString("en")}/s`;
  return [
    row(`appends/s, ${MANY} at once`, ({ rates }) => middle(rates), count, "ratio at least 1.5"),
    row("the same, worst round", ({ rates }) => Math.min(...rates), count),
    row(`appends/s, ${FEW} at once`, ({ few }) => middle(few), count),
    row(`until included, ${slow}, half`, percentile(0.5), milliseconds),
    row(`until included, ${slow}, 99 %`, percentile(0.99), milliseconds, "at most 1.5 s"),
    row("processor, 1,000 appends", ({ processor }) => middle(processor), milliseconds),
    row(
      "memory, largest",
      ({ memory }) => Math.max(...memory),
      (value) => `${value.toFixed(0)} MiB`,
    ),
  ];
}

function notesOf(peer: string, results: readonly Result[]): string[] {
  return [`bootproof`, peer].flatMap((name, at) => {
    const { complaints, lost } = results[at]!;
    return [
      ...(lost > 0 ? [`${name}: ${lost} entries were refused or not included.`] : []),
      ...(complaints.length > 0
        ? [`${name}: the hammer complained ${complaints.length} times: ${complaints[0] ?? ""}`]
        : []),
    ];
  });
}
