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

import { Failure } from "../frame/failure.ts";
import { writeAnswer } from "../frame/files.ts";
import type { RemoteLog } from "../places/remote-log.ts";
import type { SignedRelease } from "./make-release.ts";

/** A log's refusal of statements of a type that a publisher may not use. */
const NOT_THIS_TYPE = "BP-ADMIT-008";

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

/** Sends a release to a log that somebody else serves; `note` hears when that log does not take provenance. */
export async function sendRelease(
  log: RemoteLog,
  { provenance, measurement }: SignedRelease,
  note: (text: string) => void,
): Promise<LoggedRelease> {
  // The release names its provenance by hash, and its materials hold it: a log may do without.
  if (provenance.length <= MAX_ENVELOPE)
    await log.submit(provenance).catch((error: unknown) => {
      if (!(error instanceof Failure) || error.code !== NOT_THIS_TYPE) throw error;
      note(`the log takes no provenance from you; it stays among the materials`);
    });
  return log.submit(measurement);
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
