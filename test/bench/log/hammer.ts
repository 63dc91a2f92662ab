/**
 * Load: Tessera's hammer for as many appends as a log takes, and a client of our own at a steady rate that notes how
 * long each entry waits for a checkpoint that covers it, which the hammer does not say.
 * @module
 */
import { Agent, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { type LogServer, sizeOf } from "./servers.ts";

const ENTRY_SIZE = 1024;
/** Seconds until the hammer has all its connections. */
const RAMP = 1.5;
const POLL = 10;

/** A tree size that was seen in a checkpoint, and when: milliseconds. */
interface Seen {
  readonly size: number;
  readonly at: number;
}

/** Notes every checkpoint that a log shows while something is under way. */
async function watch(url: string, until: Promise<unknown>): Promise<Seen[]> {
  const seen: Seen[] = [];
  const stop = new AbortController();
  const end = until.finally(() => stop.abort()).catch(() => undefined);
  while (!stop.signal.aborted) {
    const size = await sizeOf(url);
    if (size !== undefined && size !== seen.at(-1)?.size) seen.push({ size, at: performance.now() });
    await Promise.race([sleep(POLL), end]);
  }
  return seen;
}

/** What a hammer achieved. */
export interface Hammered {
  readonly appendsPerSecond: number;
  /** Entries that the log has in the end. */
  readonly size: number;
  /** What the hammer complained of. */
  readonly complaints: readonly string[];
}

/** Hammers a log for some seconds, with so many connections that each have one new entry under way, and its readers. */
export async function hammer(
  program: string,
  { url, vkey }: LogServer,
  seconds: number,
  writers: number,
): Promise<Hammered> {
  const start = performance.now();
  const process = execa(
    program,
    [
      `--log_url=${url}`,
      `--log_public_key=${vkey}`,
      `--num_writers=${writers}`,
      "--max_write_ops=50000",
      `--leaf_min_size=${ENTRY_SIZE}`,
      "--dup_chance=0",
      `--max_runtime=${seconds}s`,
      "--show_ui=false",
    ],
    { reject: false, stdin: "ignore", all: true },
  );
  const seen = await watch(url, process);
  const { all, exitCode } = await process;
  if (exitCode !== 1 || !all.includes("Max runtime reached")) throw new Error(`the hammer failed: ${all}`);
  const [from, to] = [
    start + RAMP * 1000,
    // What it shows after that may be the rest of what was under way.
    start + seconds * 1000,
  ];
  const steady = seen.filter(({ at }) => at >= from && at <= to);
  const [first, last] = [steady[0], steady.at(-1)];
  if (first === undefined || last === undefined || first === last)
    throw new Error(`no two checkpoints in ${seconds} s: ${all}`);
  const complaints = all
    .split("\n")
    .filter((line) => /^[WEF][0-9]{4} /.test(line) && !line.includes("context canceled")); // by its own end
  const appendsPerSecond = ((last.size - first.size) * 1000) / (last.at - first.at);
  return { appendsPerSecond, size: seen.at(-1)?.size ?? 0, complaints };
}

/** Milliseconds from handing in to a public checkpoint that covers it, of every entry, ascending. */
export interface Inclusion {
  readonly waits: readonly number[];
  /** Entries that were refused or never covered. */
  readonly lost: number;
}

interface Submitted {
  readonly at: number;
  readonly index: number;
}

/** Hands in entries at a steady rate whatever becomes of them, and watches the checkpoint. */
export async function inclusion({ url }: LogServer, rate: number, seconds: number): Promise<Inclusion> {
  const agent = new Agent({ keepAlive: true, maxSockets: 4 * rate });
  const pending: Promise<Submitted | undefined>[] = [];
  const start = performance.now();
  const sent = (async (): Promise<readonly (Submitted | undefined)[]> => {
    while (pending.length < rate * seconds) {
      const due = Math.min(rate * seconds, ((performance.now() - start) * rate) / 1000);
      while (pending.length < due) pending.push(submit(`${url}add`, agent, pending.length));
      await sleep(2);
    }
    return Promise.all(pending);
  })();
  const covered = sent.then((all) => waitFor(url, Math.max(0, ...all.map((one) => one?.index ?? 0))));
  const seen = await watch(url, covered);
  const submitted = await sent;
  agent.destroy();
  const waits = submitted.flatMap((one) => {
    if (one === undefined) return [];
    const cover = seen.find(({ size }) => size > one.index);
    return cover === undefined ? [] : [cover.at - one.at];
  });
  return { waits: waits.toSorted((a, b) => a - b), lost: submitted.length - waits.length };
}

async function waitFor(url: string, index: number): Promise<void> {
  for (let tries = 0; tries < 500 && ((await sizeOf(url)) ?? 0) <= index; tries++) await sleep(POLL);
  await sleep(5 * POLL); // so that the watch sees it too
}

/** An entry of the benchmark: a number, and noise of that number as far as the size goes. */
function benchEntry(number: number): string {
  return `bench ${number} `.padEnd(ENTRY_SIZE, String(number * 7919));
}

function submit(url: string, agent: Agent, number: number): Promise<Submitted | undefined> {
  const at = performance.now();
  return new Promise((resolve) => {
    const post = request(url, { method: "POST", agent }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (text: string) => (body += text));
      response.on("end", () => {
        const index = Number(body.split("\n")[0]);
        resolve(response.statusCode === 200 && body !== "" ? { at, index } : undefined);
      });
    });
    post.on("error", () => resolve(undefined));
    post.end(benchEntry(number));
  });
}
