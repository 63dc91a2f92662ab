/**
 * Lives of writing processes on one disk, and what must hold of it after any of them.
 * @module
 */
import { formatHex, parseUtf8 } from "@bootproof/bytes";
import { expect } from "vitest";
import { audit } from "./audit.ts";
import { openCheckpoint, type SignedCheckpoint } from "./checkpoint.ts";
import { verifyConsistency } from "./consistency.ts";
import { LogError } from "./log-error.ts";
import { Log } from "./log.ts";
import {
  Killed,
  logOn,
  Overtaken,
  TEST_SIGNER,
  type KillPoint,
  type MemoryDisk,
} from "./memory-store.testing.ts";
import { noteVerifiers } from "./verifier.ts";

const verifiers = noteVerifiers([TEST_SIGNER.vkey]);
const open = (note: Uint8Array): SignedCheckpoint => openCheckpoint(note, verifiers, TEST_SIGNER.name);

/** What submitters and readers have been told, and must find for ever: entries by index, and how many are public. */
export class Promises extends Map<bigint, string> {
  published = 0n;
  frozen = false;

  /** A checkpoint was answered for. */
  publish(size: bigint): void {
    if (size > this.published) this.published = size;
  }
}

/** What a process does to a log: appends a batch, publishes again, or ends the log. */
export type Step = readonly Uint8Array[] | "refresh" | "freeze";

/** One life of a writing process: opens the log and works on it until it is done or killed. */
export async function live(
  disk: MemoryDisk,
  steps: readonly Step[],
  told: Promises,
  kill?: KillPoint,
): Promise<void> {
  expectPublic(disk, told);
  try {
    const options = logOn(disk, kill);
    // Once a log was frozen it stays so; a freeze that was interrupted may have happened.
    const hasEnded = told.frozen;
    const log = disk.head === undefined ? await Log.create(options) : await Log.open(options);
    expect(log.frozen || !hasEnded).toBe(true);
    told.publish(log.checkpoint.size);
    for (const step of steps) await take(log, step, told);
  } catch (error) {
    if (!(error instanceof Killed) && !isLostRace(error)) throw error;
  }
  // Readers see the disk as it is, before anybody recovers it.
  const note = disk.objects.get("checkpoint");
  if (note !== undefined)
    expect(
      (await audit((path) => Promise.resolve(disk.objects.get(path)), open(note))).fault,
    ).toBeUndefined();
}

async function take(log: Log, step: Step, told: Promises): Promise<void> {
  if (step === "refresh") await log.refresh();
  else if (step === "freeze") {
    await log.freeze();
    told.frozen = true;
  } else if (log.frozen) {
    const refusal = await log.append(step).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ kind: "FROZEN" });
  } else {
    const hadEnded = told.frozen; // by another writer, which this one has not heard of
    const appended = await log.append(step);
    expect(hadEnded && appended.some(({ duplicate }) => !duplicate)).toBe(false);
    appended.forEach(({ index }, at) => {
      const text = parseUtf8(step[at]!, "entry");
      expect(told.get(index) ?? text).toBe(text);
      told.set(index, text);
    });
  }
  expect(log.size).toBe(log.checkpoint.size);
  told.publish(log.checkpoint.size);
}

/** A checkpoint that was answered for is public still, or a larger one is, also before anybody recovers the log. */
function expectPublic(disk: MemoryDisk, told: Promises): void {
  const note = disk.objects.get("checkpoint");
  expect(note === undefined ? 0n : open(note).size).toBeGreaterThanOrEqual(told.published);
}

/** Invariants of a log that has just been opened: everything told is there, everything public is one chain. */
export async function expectWhole(disk: MemoryDisk, told: Promises): Promise<void> {
  expectPublic(disk, told);
  const log = await Log.open(logOn(disk));
  expect(log.frozen || !told.frozen).toBe(true);
  const { reader } = log;
  const entries: string[] = [];
  for await (const { index, entry } of reader.entries()) entries[Number(index)] = parseUtf8(entry, "entry");
  for (const [index, text] of told) expect([index, entries[Number(index)]]).toEqual([index, text]);
  expect((await log.audit()).fault).toBeUndefined();
  const public_ = disk.published.map(open);
  for (const [at, newer] of public_.entries()) {
    const older = public_[at - 1];
    if (older === undefined) continue;
    expect(newer.size).toBeGreaterThanOrEqual(older.size);
    const proof = await reader.consistencyProof(older.size, newer.size);
    expect(verifyConsistency(older, newer, proof)).toBe(true);
  }
  const last = public_.at(-1)!;
  expect([last.size, formatHex(last.root)]).toEqual([log.checkpoint.size, formatHex(log.checkpoint.root)]);
  expect(new Set(entries).size).toBe(Number(log.checkpoint.size)); // nothing was logged twice
}

/** Whether a writer stopped because another one was quicker. */
const isLostRace = (error: unknown): boolean =>
  error instanceof Overtaken || (error instanceof LogError && ["CONFLICT", "EXISTS"].includes(error.kind));
