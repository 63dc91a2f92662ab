/**
 * A log as it shows itself at one moment: its checkpoint, verified, with the quorum that was asked for. Whatever goes
 * wrong with the log is told apart from what goes wrong here.
 * @module
 */
import { ParseError, formatVkey } from "@bootproof/bytes";
import {
  checkSignatures,
  evaluateQuorum,
  LogError,
  noteVerifiers,
  parseNote,
  type LogReader,
  type SignedCheckpoint,
  type VerifiedSignature,
} from "@bootproof/log";

import { MalformedFile } from "../errors/reading.ts";
import type { Context } from "../frame/context.ts";
import { Failure } from "../frame/failure.ts";
import { errno } from "../frame/files.ts";
import { readLog } from "../places/log-place.ts";
import type { WatchedLog } from "./watch-config.ts";

/** A log that cannot be followed now, and why. */
export class Unfollowable extends Error {
  override readonly name = "Unfollowable";
}

/** What a log shows. */
export interface ShownLog {
  readonly checkpoint: SignedCheckpoint;
  /** Cosignatures by the witnesses of its policy. */
  readonly cosigned: readonly VerifiedSignature[];
  /** Opens the tree. */
  readonly open: () => Promise<LogReader>;
}

/** Reads what a log shows; throws {@link Unfollowable}. */
export async function showLog(context: Context, { place, keys, witnesses }: WatchedLog): Promise<ShownLog> {
  const log = await ofLog(() => readLog(context, place, keys.map(formatVkey).join("\n"), "later"));
  const { note } = log.checkpoint;
  const verifiers = noteVerifiers((witnesses?.witnesses ?? []).map(({ vkey }) => vkey));
  const cosigned = checkSignatures(parseNote(note), verifiers).verified;
  const by = new Set(cosigned.map(({ verifier }) => verifier.vkey));
  if (witnesses !== undefined && !evaluateQuorum(witnesses, ({ vkey }) => by.has(vkey)))
    throw new Unfollowable(
      `its checkpoint of size ${String(log.checkpoint.size)} lacks the quorum: ${String(by.size)} cosignatures`,
    );
  return { checkpoint: log.checkpoint, cosigned, open: () => ofLog(log.open) };
}

/** Does something with a log; what the log is to blame for becomes {@link Unfollowable}. */
export async function ofLog<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isOfLog(error)) throw error;
    throw new Unfollowable(wordsOf(error), { cause: error });
  }
}

function isOfLog(error: unknown): error is Error {
  const kinds = [LogError, ParseError, MalformedFile, Failure];
  return kinds.some((kind) => error instanceof kind) || errno(error) !== undefined;
}

function wordsOf(error: Error): string {
  const detail =
    error instanceof Failure ? error.detail : (error as { readonly file?: string; readonly found?: string });
  const file = detail.file === undefined || error.message.includes(detail.file) ? "" : `${detail.file}: `;
  return `${file}${error.message}${detail.found === undefined ? "" : ` (${detail.found})`}`;
}
