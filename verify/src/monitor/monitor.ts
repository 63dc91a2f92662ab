/**
 * The monitor of one log: entries in, alerts and a new state out. It believes that the entries are those of the log,
 * which whoever reads them has to verify; clock, index and entries are handed in. How the entries are cut into batches
 * makes no difference to the alerts.
 * @module
 */
import type { Alert } from "./alert.ts";
import { conflictingStatements } from "./conflicting-statements.ts";
import { entryKeys } from "./entry-keys.ts";
import { History, type MonitorIndex, type ReadAgain } from "./history.ts";
import type { MonitorState } from "./monitor-state.ts";
import { newStatement } from "./new-statement.ts";
import { rebuildMismatch } from "./rebuild-mismatch.ts";
import { revokedKey } from "./revoked-key.ts";
import { sameMeasurement } from "./same-measurement.ts";
import { dueBelow, rememberSeen, unconfirmedRelease } from "./unconfirmed-release.ts";
import { noStatement, notCompared } from "./uncounted.ts";
import { watchedEntry, type PlacedEntry, type WatchedEntry } from "./watched-entry.ts";
import type { Watched } from "./watched.ts";

/** What came of looking at some entries. */
export interface Judged {
  readonly alerts: readonly Alert[];
  /** To be kept once the alerts have been delivered. */
  readonly state: MonitorState;
}

/** Releases whose confirmations are counted at a time. */
const COUNT_AT_ONCE = 256n;

/** Judges the entries of one log. */
export class Monitor {
  readonly #watched: Watched;
  readonly #index: MonitorIndex;
  readonly #readAgain: ReadAgain;

  constructor(watched: Watched, index: MonitorIndex, readAgain: ReadAgain) {
    this.#watched = watched;
    this.#index = index;
    this.#readAgain = readAgain;
  }

  /** Index of the first entry that the index lacks: entries from there up to the state's next are to be learnt first. */
  get known(): bigint {
    return this.#index.entries;
  }

  /** Puts entries that were judged before into an index that was lost. */
  async learn(batch: readonly PlacedEntry[]): Promise<void> {
    const history = this.#history();
    for (const placed of batch) {
      const entry = watchedEntry(placed);
      history.add(entry, entryKeys(entry));
    }
    await history.save();
  }

  /** Judges the entries that follow those judged before; throws RangeError for any others. */
  async take(state: MonitorState, batch: readonly PlacedEntry[], now: number): Promise<Judged> {
    if (this.#index.entries < state.next)
      throw new RangeError("the index lacks entries that were judged before");
    const history = this.#history();
    const alerts: Alert[] = [];
    let next = state;
    for (const placed of batch) {
      if (placed.index !== next.next) throw new RangeError(`entry ${next.next} comes before ${placed.index}`);
      const entry = watchedEntry(placed);
      alerts.push(...(await this.#judge(entry, now, history)));
      for (const count of [noStatement, notCompared]) {
        const counted = count(next, entry, this.#watched, now);
        alerts.push(...counted.alerts);
        next = counted.state;
      }
      history.add(entry, entryKeys(entry));
      next = { ...next, next: placed.index + 1n };
    }
    await history.save();
    return { alerts, state: this.#withTimes(next, now) };
  }

  /**
   * Counts the confirmations of releases whose time is up, some at a time; to be called until `done`, when all entries
   * of the log have been taken.
   */
  async count(state: MonitorState, now: number): Promise<Judged & { readonly done: boolean }> {
    const { confirmations } = this.#watched;
    if (confirmations === undefined) return { alerts: [], state, done: true };
    const due = dueBelow(state, now, confirmations.within);
    const from = state.unconfirmedFrom;
    const end = due - from > COUNT_AT_ONCE ? from + COUNT_AT_ONCE : due;
    if (end <= from) return { alerts: [], state, done: true };
    const history = this.#history();
    const alerts: Alert[] = [];
    for (let index = from; index < end; index += 1n) {
      const entry = await history.entry(index);
      alerts.push(...(await unconfirmedRelease(entry, this.#watched, now, history, state.next)));
    }
    const seenBy = state.seenBy.filter(({ below }) => below > end);
    return { alerts, state: { ...state, unconfirmedFrom: end, seenBy }, done: end === due };
  }

  #history(): History {
    return new History(this.#index, this.#readAgain);
  }

  async #judge(entry: WatchedEntry, now: number, history: History): Promise<Alert[]> {
    const watched = this.#watched;
    return [
      ...newStatement(entry, watched, now),
      ...revokedKey(entry, watched, now),
      ...(await conflictingStatements(entry, watched, now, history)),
      ...(await sameMeasurement(entry, watched, now, history)),
      ...(await rebuildMismatch(entry, watched, now, history)),
    ];
  }

  #withTimes(state: MonitorState, now: number): MonitorState {
    const { confirmations } = this.#watched;
    // Without the rule nobody counts: what comes in meanwhile is not owed a confirmation when the rule is switched on.
    if (confirmations === undefined) return { ...state, unconfirmedFrom: state.next, seenBy: [] };
    return { ...state, seenBy: rememberSeen(state.seenBy, state.next, now, confirmations.within) };
  }
}
