/**
 * A log that goes on where another one ended: its first entry is a signed statement about the old log's final
 * checkpoint, which is verified before it is written and whenever it is read.
 * @module
 */
import { formatHex, ParseError } from "@bootproof/bytes";
import type { Signer } from "@bootproof/bytes/signing";
import { LogError, noteVerifiers, openCheckpoint, parseLogHead, type LogReader } from "@bootproof/log";
import {
  formatStatement,
  IN_TOTO_PAYLOAD_TYPE,
  LOG_CONTINUATION_TYPE,
  makeLogContinuation,
  readLogContinuation,
  signEnvelope,
  type LogContinuation,
} from "@bootproof/statement";
import { tryReadEntry } from "@bootproof/verify";

import type { Context } from "../frame/context.ts";
import { EXIT } from "../frame/exit-code.ts";
import { Failure } from "../frame/failure.ts";
import { openLogStores, placeOf, type LogSurroundings } from "./open-log-place.ts";
import { readLog, type ReadableLog } from "./read-log.ts";

/** The log that one continues, and who says so. */
export interface Continued {
  readonly continuation: LogContinuation;
  readonly signedAs: readonly string[];
}

/** The first entry of a log, and what it says. */
export interface FirstEntry {
  readonly entry: Uint8Array;
  readonly continuation: LogContinuation;
}

/** The first entry of a log that continues the one at a place; throws {@link Failure} when that one is not frozen. */
export async function continuationOf(
  context: Context,
  place: string,
  vkey: string | undefined,
  { signer, surroundings }: { readonly signer: Signer; readonly surroundings: LogSurroundings },
): Promise<FirstEntry> {
  const old = await readLog(context, place, vkey);
  await refuseGrowing(context, place, surroundings);
  // Its right edge hashes to the checkpoint, or this throws.
  await old.open();
  const continuation = describe(old);
  const statement = formatStatement(makeLogContinuation(continuation));
  return { entry: await signEnvelope(IN_TOTO_PAYLOAD_TYPE, statement, signer), continuation };
}

/** What a log continues, by its first entry; undefined when it continues none. Throws when that is not as it says. */
export async function readContinued(reader: LogReader): Promise<Continued | undefined> {
  if (reader.head.size === 0n) return undefined;
  const entry = tryReadEntry(await reader.entry(0n));
  if (entry?.kind !== "other" || entry.statement.predicateType !== LOG_CONTINUATION_TYPE) return undefined;
  const { predicate } = readLogContinuation(entry.statement);
  openContinued(predicate);
  return { continuation: predicate, signedAs: entry.envelope.signatures.map(({ keyid }) => keyid) };
}

/** Whether the log at a place still ends where its successor says; undefined: yes, else what is there. */
export async function endsElsewhere(
  context: Context,
  place: string,
  { origin, keys, size, root }: LogContinuation,
): Promise<string | undefined> {
  const { checkpoint } = await readLog(context, place, keys.join("\n"));
  if (checkpoint.origin !== origin) return `a log called ${checkpoint.origin}`;
  const found = formatHex(checkpoint.root);
  if (checkpoint.size === BigInt(size) && found === root) return undefined;
  return `size ${String(checkpoint.size)}, root ${found}`;
}

function describe({ checkpoint, vkeys }: ReadableLog): LogContinuation {
  const { origin, size, root, note } = checkpoint;
  return {
    origin,
    keys: vkeys,
    size: Number(size),
    root: formatHex(root),
    checkpoint: new TextDecoder().decode(note),
  };
}

function openContinued({ keys, origin, checkpoint }: LogContinuation): void {
  try {
    openCheckpoint(new TextEncoder().encode(checkpoint), noteVerifiers(keys), origin);
  } catch (error) {
    if (!(error instanceof LogError) && !(error instanceof ParseError)) throw error;
    throw new Failure("BP-LOG-047", EXIT.no, "the checkpoint that this log continues is not the old log's", {
      expected: `a checkpoint signed by ${origin}`,
      found: error.message,
      cause: error,
    });
  }
}

/** A log that still grows would leave its successor behind; whether it does can be seen only where it is written. */
async function refuseGrowing(context: Context, place: string, surroundings: LogSurroundings): Promise<void> {
  const isHere = !/^https?:\/\//.test(place) && (await placeOf(place)) !== undefined;
  if (!isHere) {
    context.note("whether the old log is frozen cannot be seen from here");
    return;
  }
  // Without its keys, which may be destroyed by now.
  const { head, close } = await openLogStores(place, surroundings);
  const stored = await head.read().finally(close);
  if (stored !== undefined && parseLogHead(stored.bytes).frozen) return;
  throw new Failure("BP-LOG-046", EXIT.usage, "the log that is to be continued is not frozen", {
    file: place,
    hint: `freeze it first: bootproof log freeze --log ${place}`,
  });
}
