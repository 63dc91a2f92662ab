/**
 * Watches one log: reads what is new, as an auditor that goes on where it stopped, and says what the rules find. Entries
 * are believed only when they hash to the log's signed checkpoint, and a checkpoint only when its tree begins with the
 * one seen before. The state is saved after its alerts have been said.
 * @module
 */
import { equalBytes, formatVkey, utf8, type Sha256 } from "@bootproof/bytes";
import {
  formatLogEvidence,
  makePrefixProof,
  noteVerifiers,
  openCheckpoint,
  TILE_WIDTH,
  type LogReader,
  type SignedCheckpoint,
} from "@bootproof/log";
import type { KeyIndex } from "@bootproof/store/key-index";
import {
  forkedLog,
  isStale,
  Monitor,
  quorumTime,
  shrunkLog,
  staleCheckpoint,
  unreadableLog,
  withRaised,
  type Alert,
  type Freshness,
  type MonitorState,
  type PlacedEntry,
  type TwoCheckpoints,
} from "@bootproof/verify/monitor";

import type { Context } from "../frame/context.ts";
import { ofLog, showLog, Unfollowable, type ShownLog } from "./shown-log.ts";
import type { Sinks } from "./sinks.ts";
import type { WatchConfig, WatchedLog } from "./watch-config.ts";
import type { LogFiles } from "./watch-place.ts";
import { WitnessViews } from "./witness-views.ts";

/** Batches without an alert after which the state is saved, so that little is read again after being killed. */
const SAVE_EVERY = 64;

/** What came of looking at a log once. */
export interface Look {
  readonly log: string;
  /** Entries judged so far. */
  readonly size: bigint;
  /** Alerts that say something about what the log holds or did. */
  readonly alerts: number;
  /** Why it cannot be said that there is nothing new. */
  readonly undecided?: string;
}

/** What a watch works with. */
export interface LogWatchParts {
  readonly context: Context;
  readonly config: WatchConfig;
  readonly log: WatchedLog;
  readonly files: LogFiles;
  readonly sinks: Sinks;
  /** POSIX seconds. */
  readonly now?: () => number;
}

/** Watches one log. */
export class LogWatch {
  readonly #parts: LogWatchParts;
  readonly #origin: string;
  readonly #now: () => number;
  readonly #index: KeyIndex;
  readonly #witnesses: WitnessViews;
  #state: MonitorState;
  #alerts = 0;

  private constructor(parts: LogWatchParts, state: MonitorState, index: KeyIndex) {
    this.#parts = parts;
    this.#origin = parts.log.keys[0].name;
    this.#now = parts.now ?? (() => Math.floor(Date.now() / 1000));
    this.#state = state;
    this.#index = index;
    this.#witnesses = new WitnessViews(parts.context, parts.log, parts.config.witnessAfter);
  }

  /** Opens what is remembered of the log. */
  static async open(parts: LogWatchParts): Promise<LogWatch> {
    return new LogWatch(parts, await parts.files.readState(), parts.files.openIndex());
  }

  /** Closes the index. */
  close(): void {
    this.#index.close();
  }

  /** Looks at the log once; throws only for what is not the log's fault. */
  async look(): Promise<Look> {
    this.#alerts = 0;
    try {
      const shown = await showLog(this.#parts.context, this.#parts.log);
      const undecided = (await this.#follow(shown)) ?? (await this.#checkFreshness(shown));
      return this.#answer(undecided);
    } catch (error) {
      if (!(error instanceof Unfollowable) || this.#parts.context.signal.aborted) throw error;
      await this.#noteFailure(error.message);
      return this.#answer(error.message);
    }
  }

  #answer(undecided: string | undefined): Look {
    const look = { log: this.#origin, size: this.#state.next, alerts: this.#alerts };
    return undecided === undefined ? look : { ...look, undecided };
  }

  /** Follows the log to what it shows; returns why it could not. */
  async #follow(shown: ShownLog): Promise<string | undefined> {
    const { checkpoint } = shown;
    const seen = await ofLog(
      () => new Promise<SignedCheckpoint | undefined>((resolve) => resolve(this.#seen())),
    );
    if (seen !== undefined && checkpoint.size < seen.size) return this.#shrunk(seen, checkpoint);
    const reader = await shown.open();
    const root = seen === undefined ? undefined : await this.#rootAt(reader, checkpoint, seen.size);
    if (seen !== undefined && root !== undefined && !equalBytes(root, seen.root)) {
      const two = { origin: this.#origin, seen, shown: checkpoint, by: "the log" };
      await this.#forked(two, root, reader);
      return "the log forked";
    }
    const isSame = seen?.size === checkpoint.size;
    const since = isSame ? (this.#state.seen?.since ?? this.#now()) : this.#now();
    this.#state = {
      ...this.#state,
      failingSince: undefined,
      seen: { note: new TextDecoder().decode(checkpoint.note), since },
    };
    return (await this.#judge(reader)) ?? (await this.#compareWitnesses(reader, checkpoint));
  }

  #seen(): SignedCheckpoint | undefined {
    const { seen } = this.#state;
    const verifiers = noteVerifiers(this.#parts.log.keys);
    return seen === undefined ? undefined : openCheckpoint(utf8(seen.note), verifiers, this.#origin);
  }

  async #rootAt(reader: LogReader, { size, root }: SignedCheckpoint, at: bigint): Promise<Sha256> {
    return at === size ? root : ofLog(() => reader.rootAt(at));
  }

  /** Judges all entries that are new; returns why it stopped early. */
  async #judge(reader: LogReader): Promise<string | undefined> {
    const { names, publishers, revoked, confirmations } = this.#parts.config;
    const rules = { names, publishers, revoked, ...(confirmations === undefined ? {} : { confirmations }) };
    const readAgain = (index: bigint): Promise<Uint8Array> => ofLog(() => reader.entry(index));
    const monitor = new Monitor({ origin: this.#origin, ...rules }, this.#index, readAgain);
    for await (const batch of batches(reader, monitor.known, this.#state.next)) await monitor.learn(batch);
    let unsaved = 0;
    for await (const batch of batches(reader, this.#state.next, reader.head.size)) {
      const stop = this.#stop();
      if (stop !== undefined) return stop;
      const { alerts, state } = await monitor.take(this.#state, batch, this.#now());
      unsaved = alerts.length === 0 && unsaved < SAVE_EVERY ? unsaved + 1 : 0;
      await this.#commit(alerts, state, unsaved === 0);
    }
    for (let done = false; !done;) {
      const stop = this.#stop();
      if (stop !== undefined) return stop;
      const counted = await monitor.count(this.#state, this.#now());
      done = counted.done;
      await this.#commit(counted.alerts, counted.state);
    }
    return undefined;
  }

  #stop(): string | undefined {
    this.#parts.context.signal.throwIfAborted();
    const { full } = this.#parts.sinks;
    return full === undefined
      ? undefined
      : `too many alerts wait for ${full}; nothing more is read until it takes them`;
  }

  async #commit(alerts: readonly Alert[], state: MonitorState, save = true): Promise<void> {
    await this.#parts.sinks.hear(alerts);
    this.#alerts += alerts.filter(
      ({ rule }) => rule !== "stale-checkpoint" && rule !== "unreadable-log",
    ).length;
    this.#state = state;
    if (save || alerts.length > 0) await this.#parts.files.saveState(state);
  }

  /** Says alerts about checkpoints, those that were not said before. */
  async #raise(alerts: readonly Alert[]): Promise<void> {
    const raised = new Set(this.#state.raised);
    const ids = alerts.map(({ id }) => id);
    await this.#commit(
      alerts.filter(({ id }) => !raised.has(id)),
      withRaised(this.#state, ids),
    );
  }

  async #shrunk(seen: SignedCheckpoint, shown: SignedCheckpoint): Promise<string> {
    const alert = shrunkLog({ origin: this.#origin, seen, shown, by: "the log" }, this.#now());
    await this.#raiseWithEvidence(alert, seen, shown, []);
    return alert.summary;
  }

  /** Says that there are two trees, and keeps what proves it to anybody. */
  async #forked({ seen, shown, ...two }: TwoNotes, root: Sha256, reader: LogReader): Promise<void> {
    const alert = forkedLog({ ...two, seen, shown }, root, this.#now());
    const [small, large] = seen.size < shown.size ? [seen.size, shown.size] : [shown.size, seen.size];
    const isPart = small > 0n && small < large;
    const proof = isPart ? await ofLog(() => makePrefixProof(reader.tiles, small, large)) : [];
    await this.#raiseWithEvidence(alert, seen, shown, proof);
  }

  async #raiseWithEvidence(
    alert: Alert,
    seen: SignedCheckpoint,
    shown: SignedCheckpoint,
    proof: readonly Sha256[],
  ): Promise<void> {
    const bytes = formatLogEvidence({
      ...this.#keysOf(seen, shown),
      seen: seen.note,
      shown: shown.note,
      proof,
    });
    const evidence = await this.#parts.files.saveEvidence(`${alert.id.slice(0, 16)}.evidence`, bytes);
    await this.#raise([{ ...alert, details: { ...alert.details, evidence } }]);
  }

  /** The key that signed both, for only then do they convict it alone; else one of each. */
  #keysOf(one: SignedCheckpoint, other: SignedCheckpoint): { vkey: string; otherVkey?: string } {
    const listed = this.#parts.log.keys.map(formatVkey);
    const signers = ({ opened }: SignedCheckpoint): string[] => {
      const signed = new Set(opened.verified.map(({ verifier }) => formatVkey(verifier.vkey)));
      return listed.filter((key) => signed.has(key));
    };
    const [ofOne, ofOther] = [signers(one), signers(other)];
    const both = ofOne.find((key) => ofOther.includes(key));
    if (both !== undefined) return { vkey: both };
    const [[vkey = ""], [otherVkey]] = [ofOne, ofOther];
    return otherVkey === undefined ? { vkey } : { vkey, otherVkey };
  }

  async #compareWitnesses(reader: LogReader, checkpoint: SignedCheckpoint): Promise<string | undefined> {
    const views = await this.#witnesses.look(this.#state.ahead, checkpoint, this.#now());
    let forked: string | undefined;
    for (const { witness, shown } of views.within) {
      const root = await this.#rootAt(reader, checkpoint, shown.size);
      if (equalBytes(root, shown.root)) continue;
      const two = { origin: this.#origin, seen: shown, shown: checkpoint, by: `the witness ${witness}` };
      await this.#forked(two, root, reader);
      forked = `the witness ${witness} shows another tree`;
    }
    this.#state = { ...this.#state, ahead: views.ahead };
    await this.#raise(views.alerts);
    return forked ?? (views.alerts.length > 0 ? "a witness is ahead of the log" : undefined);
  }

  async #checkFreshness({ checkpoint, cosigned }: ShownLog): Promise<string | undefined> {
    const { log, config } = this.#parts;
    const now = this.#now();
    const cosignedAt = log.witnesses === undefined ? undefined : quorumTime(log.witnesses, cosigned, now);
    const freshness: Freshness = {
      origin: this.#origin,
      checkpoint,
      fresh: cosignedAt ?? this.#state.seen?.since ?? now,
      by: cosignedAt === undefined ? "observation" : "cosignatures",
      after: config.staleAfter,
    };
    const [alert] = staleCheckpoint(freshness, now);
    if (alert === undefined || !isStale(freshness, now)) return undefined;
    await this.#raise([alert]);
    return alert.summary;
  }

  async #noteFailure(reason: string): Promise<void> {
    const now = this.#now();
    const since = this.#state.failingSince ?? now;
    this.#state = { ...this.#state, failingSince: since };
    const after = this.#parts.config.unreadableAfter;
    await this.#raise(unreadableLog({ origin: this.#origin, since, reason, after }, now));
  }
}

interface TwoNotes extends TwoCheckpoints {
  readonly seen: SignedCheckpoint;
  readonly shown: SignedCheckpoint;
}

/** Entries in batches, each a whole bundle or what there is of it. */
async function* batches(
  reader: LogReader,
  start: bigint,
  end: bigint,
): AsyncGenerator<readonly PlacedEntry[]> {
  for (let at = start; at < end;) {
    const number = at / BigInt(TILE_WIDTH);
    const first = number * BigInt(TILE_WIDTH);
    const bundle = await ofLog(() => reader.bundle(number));
    const last = first + BigInt(TILE_WIDTH);
    const stop = last < end ? last : end;
    yield bundle
      .slice(Number(at - first), Number(stop - first))
      .map(({ entry }, place) => ({ index: at + BigInt(place), entry }));
    at = stop;
  }
}
