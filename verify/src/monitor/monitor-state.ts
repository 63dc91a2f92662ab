/**
 * What a monitor remembers of one log between two looks at it, bounded however long the log. Form: canonical JSON.
 * @module
 */
import { formatCanonicalJson, ParseError, parseStrictJson, utf8, type JsonValue } from "@bootproof/bytes";
import * as v from "valibot";

/** Entries below `below` had been seen by `at` (POSIX seconds). */
export interface SeenBy {
  readonly below: bigint;
  readonly at: number;
}

/** A signed checkpoint and since when it is known. */
export interface KnownCheckpoint {
  readonly note: string;
  readonly since: number;
}

/** A witness that showed a larger checkpoint than the log did. */
export interface WitnessAhead extends KnownCheckpoint {
  readonly witness: string;
}

/** A monitor's memory of one log. */
export interface MonitorState {
  /** Index of the first entry that was not judged yet. */
  readonly next: bigint;
  /** Entries so far that are no statements. */
  readonly notStatements: number;
  /** Entries so far with values that were not compared. */
  readonly notCompared: number;
  /** First entry whose confirmations are still to be counted, and when the entries from there on were seen. */
  readonly unconfirmedFrom: bigint;
  readonly seenBy: readonly SeenBy[];
  /** The newest checkpoint that was accepted. */
  readonly seen?: KnownCheckpoint | undefined;
  readonly ahead: readonly WitnessAhead[];
  /** Since when the log cannot be read. */
  readonly failingSince?: number | undefined;
  /** IDs of alerts about checkpoints that were raised, newest last, so that each look does not raise them again. */
  readonly raised: readonly string[];
}

/** A monitor that has seen nothing. */
export const NOTHING_SEEN: MonitorState = {
  next: 0n,
  notStatements: 0,
  notCompared: 0,
  unconfirmedFrom: 0n,
  seenBy: [],
  ahead: [],
  raised: [],
};

/** Alerts about checkpoints that are remembered as raised. */
const MAX_RAISED = 256;
const FORMAT = "bootproof/watch-state/1";
/** Checkpoints have at most a megabyte each, and a policy at most some dozens of witnesses. */
const MAX_STATE = 2 ** 26;

/** The state with an alert marked as raised. */
export const withRaised = (state: MonitorState, ids: readonly string[]): MonitorState => ({
  ...state,
  raised: [...state.raised.filter((id) => !ids.includes(id)), ...ids].slice(-MAX_RAISED),
});

const index = v.pipe(
  v.string(),
  v.regex(/^(?:0|[1-9][0-9]{0,18})$/, "an index"),
  v.transform((text) => BigInt(text)),
);
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const known = { note: v.string(), since: count };

const schema = v.strictObject({
  schema: v.literal(FORMAT),
  next: index,
  notStatements: count,
  notCompared: count,
  unconfirmedFrom: index,
  seenBy: v.array(v.strictObject({ below: index, at: count })),
  seen: v.optional(v.strictObject(known)),
  ahead: v.array(v.strictObject({ witness: v.string(), ...known })),
  failingSince: v.optional(count),
  raised: v.array(v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/))),
});

/** The bytes of a state. */
export function formatMonitorState(state: MonitorState): Uint8Array<ArrayBuffer> {
  const { next, unconfirmedFrom, seenBy } = state;
  const plain = {
    ...state,
    schema: FORMAT,
    next: String(next),
    unconfirmedFrom: String(unconfirmedFrom),
    seenBy: seenBy.map(({ below, at }) => ({ below: String(below), at })),
  };
  return utf8(`${formatCanonicalJson(plain as unknown as JsonValue)}\n`);
}

/** Reads a state; throws {@link ParseError}. */
export function parseMonitorState(bytes: Uint8Array): MonitorState {
  const read = v.safeParse(schema, parseStrictJson(bytes, "watch state", MAX_STATE));
  if (!read.success) {
    const [issue] = read.issues;
    throw new ParseError("NOT_CANONICAL", `watch state ${v.getDotPath(issue) ?? ""}`.trim(), {
      expected: issue.expected ?? issue.message,
      found: issue.received,
    });
  }
  const { next, notStatements, notCompared, unconfirmedFrom, seenBy, seen, ahead, failingSince, raised } =
    read.output;
  const state = { next, notStatements, notCompared, unconfirmedFrom, seenBy, ahead, raised };
  if (state.unconfirmedFrom > state.next)
    throw new ParseError("OUT_OF_RANGE", "watch state unconfirmedFrom", {
      expected: `at most ${state.next}`,
      found: String(state.unconfirmedFrom),
    });
  return {
    ...state,
    ...(seen === undefined ? {} : { seen }),
    ...(failingSince === undefined ? {} : { failingSince }),
  };
}
