/**
 * A log's life on stores of any kind, broken off at every one of its writes, before it is done or right after; and what
 * must hold of the log whenever it is opened again.
 * @module
 */
import assert from "node:assert";
import { setTimeout as sleep } from "node:timers/promises";
import { parseUtf8, utf8 } from "@bootproof/bytes";
import {
  collectPartials,
  ed25519Signer,
  Log,
  LogError,
  type HeadStore,
  type LogOptions,
  type ObjectStore,
} from "@bootproof/log";

/** Where a log is. */
export interface Stores {
  readonly objects: ObjectStore;
  readonly staging: ObjectStore;
  readonly head: HeadStore;
}

/** Whether the write that was under way when the process died was done. */
export type Fate = "undone" | "done";

/** The process died here. */
class Crashed extends Error {
  override readonly name = "Crashed";
}

/** A batch crosses a tile's end now and then. */
const BATCH = 83;
const SIGNER = ed25519Signer("log.test/crash-points", new Uint8Array(32).fill(7));

/** What a log on these stores is opened with. */
export function logOn({ objects, staging, head }: Stores): LogOptions {
  return { origin: SIGNER.name, signer: SIGNER, objects, staging, head };
}

/** What submitters were told: where each entry is. */
type Told = Map<string, bigint>;

/**
 * Runs lives on one log, each broken off one write later than the one before, until one reaches its end; opens the log
 * after each and holds it to all that was told. Returns how many writes a life has.
 */
export async function crashEverywhere(stores: Stores, fate: Fate): Promise<number> {
  const told: Told = new Map();
  for (let at = 1; ; at++) {
    const crashing = crashAt(stores, at, fate);
    const isWhole = await live(crashing.stores, at, told);
    await crashing.settled();
    await expectWhole(stores, told);
    if (isWhole) return at - 1;
  }
}

/** Opens or starts the log and appends twice; false when it crashed. */
async function live(stores: Stores, life: number, told: Told): Promise<boolean> {
  let log: Log | undefined;
  try {
    log =
      (await stores.head.read()) === undefined
        ? await Log.create(logOn(stores))
        : await Log.open(logOn(stores));
    for (const part of ["a", "b"]) {
      const entries = Array.from({ length: BATCH }, (_, at) => `entry ${life} ${part} ${at}`);
      const appended = await log.append(entries.map(utf8));
      appended.forEach(({ index }, at) => told.set(entries[at] ?? "", index));
    }
    return true;
  } catch (error) {
    if (!isCrash(error)) throw error;
    return false;
  } finally {
    await log?.close();
  }
}

/** Opens the log, reads all of it, and compares it with what was told; logging the same again must change nothing. */
async function expectWhole(stores: Stores, told: Told): Promise<void> {
  if ((await stores.head.read()) === undefined) {
    assert.equal(told.size, 0);
    return;
  }
  const log = await Log.open(logOn(stores));
  try {
    const { fault } = await log.audit();
    assert.equal(fault, undefined);
    const entries: string[] = [];
    for await (const { index, entry } of log.reader.entries())
      entries[Number(index)] = parseUtf8(entry, "entry");
    assert.equal(new Set(entries).size, Number(log.checkpoint.size));
    for (const [entry, index] of told) assert.equal(entries[Number(index)], entry);
    const [again] = await log.append([utf8([...told.keys()].at(-1) ?? "first")]);
    if (told.size > 0) assert.deepEqual(again, { index: [...told.values()].at(-1), duplicate: true });
  } finally {
    await log.close();
  }
}

/** Removes the partial tiles that full ones replaced, from the log as it is; returns how many, and audits what is left. */
export async function collect(stores: Stores): Promise<number> {
  const log = await Log.open(logOn(stores));
  try {
    const { reader } = log;
    const { removed } = await collectPartials({ ...stores, reader, now: 1, keep: 0 });
    assert.equal((await log.audit()).fault, undefined);
    return removed;
  } finally {
    await log.close();
  }
}

/** Two writers at once: the second has to stop, or the first has, and nothing that was told is lost. */
export async function raceWriters(stores: Stores, rival: Stores): Promise<string> {
  const told: Told = new Map();
  const first = await Log.open(logOn(stores));
  let reason = "";
  try {
    const second = await Log.open(logOn(rival));
    try {
      for (const [name, log] of [
        ["second", second],
        ["first", first],
      ] as const) {
        const [appended] = await log.append([utf8(`entry of the ${name}`)]);
        told.set(`entry of the ${name}`, appended?.index ?? -1n);
      }
    } finally {
      await second.close();
    }
  } catch (error) {
    if (!(error instanceof LogError)) throw error;
    reason = error.kind;
  }
  await first.close();
  await expectWhole(stores, told);
  return reason;
}

/** Stores whose n-th write is the last that begins; to die while reading is to die after the write before. */
function crashAt(real: Stores, last: number, fate: Fate): { stores: Stores; settled: () => Promise<void> } {
  let begun = 0;
  const running = new Set<Promise<unknown>>();
  const step = async <T>(operation: () => Promise<T>): Promise<T> => {
    begun++;
    if (begun > last || (begun === last && fate === "undone")) throw new Crashed();
    const result = operation();
    running.add(result);
    try {
      return await result;
    } finally {
      running.delete(result);
      // A process that is dead hears of nothing any more.
      if (begun >= last) throw new Crashed();
    }
  };
  const read = async <T>(operation: () => Promise<T>): Promise<T> => {
    if (begun >= last) throw new Crashed();
    return operation();
  };
  const objectsOf = (store: ObjectStore): ObjectStore => ({
    putImmutable: (key, bytes) => step(() => store.putImmutable(key, bytes)),
    putMutable: (key, bytes, confirm) => step(() => store.putMutable(key, bytes, confirm)),
    get: (key) => read(() => store.get(key)),
    delete: (key) => step(() => store.delete(key)),
    list: (prefix) => read(() => store.list(prefix)),
  });
  const { head } = real;
  return {
    stores: {
      objects: objectsOf(real.objects),
      staging: objectsOf(real.staging),
      head: {
        // A lock goes with its process; here the process lives on and releases it.
        ...(head.lock === undefined ? {} : { lock: () => head.lock?.() ?? Promise.resolve(undefined) }),
        read: () => read(() => head.read()),
        compareAndSwap: (expected, bytes) => step(() => head.compareAndSwap(expected, bytes)),
      },
    },
    settled: async () => {
      while (running.size > 0) {
        await Promise.allSettled(running);
        await sleep(1);
      }
    },
  };
}

const isCrash = (error: unknown): boolean =>
  error instanceof Crashed || (error instanceof Error && error.cause !== undefined && isCrash(error.cause));
