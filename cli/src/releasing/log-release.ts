/**
 * A release into the log: provenance first, then the measurement; and its bundle out again.
 * @module
 */
import { readFile } from "node:fs/promises";

import { equalBytes } from "@bootproof/bytes";
import {
  formatTlogProof,
  parseTlogProof,
  verifyTlogProof,
  type Log,
  type ProofQuestion,
} from "@bootproof/log";
import { MAX_ENVELOPE } from "@bootproof/statement";

import { writeAnswer } from "../frame/files.ts";
import type { SignedRelease } from "./make-release.ts";

/** Where a release is in the log. */
export interface LoggedRelease {
  readonly index: bigint;
  /** Whether it had been logged before. */
  readonly duplicate: boolean;
  readonly bundle: Uint8Array;
}

/** Appends a release; entries that are there already are not added again. */
export async function logRelease(
  log: Log,
  { provenance, measurement }: SignedRelease,
): Promise<LoggedRelease> {
  const entries = provenance.length <= MAX_ENVELOPE ? [provenance, measurement] : [measurement];
  const last = (await log.append(entries)).at(-1);
  if (last === undefined) throw new RangeError("the log answered for no entry");
  return { ...last, bundle: formatTlogProof(await log.proof(last.index)) };
}

/** Writes a bundle, unless the file holds one of the same entry that satisfies the policy: then that one is kept. */
export async function writeBundle(
  file: string,
  bundle: Uint8Array,
  policy: ProofQuestion["policy"],
): Promise<Uint8Array> {
  const there = await readFile(file).catch(() => undefined);
  if (there !== undefined && isSameEntry(new Uint8Array(there), bundle, policy)) return new Uint8Array(there);
  await writeAnswer(file, bundle);
  return bundle;
}

function isSameEntry(there: Uint8Array, bundle: Uint8Array, policy: ProofQuestion["policy"]): boolean {
  try {
    const [old, now] = [parseTlogProof(there), parseTlogProof(bundle)];
    if (old.index !== now.index || old.extra === undefined || now.extra === undefined) return false;
    return equalBytes(old.extra, now.extra) && verifyTlogProof({ proof: old, policy }).answer === "yes";
  } catch {
    return false;
  }
}
