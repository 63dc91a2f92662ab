/**
 * What the witnesses of a log show of it: the checkpoint that each cosigned last. A log that shows its readers another
 * tree than its witnesses, or less of it, is found out here.
 * @module
 */
import { formatVkey, utf8 } from "@bootproof/bytes";
import {
  fetchWitnessed,
  LogError,
  noteVerifiers,
  openCheckpoint,
  type SignedCheckpoint,
} from "@bootproof/log";
import { witnessAhead, type Alert, type WitnessAhead } from "@bootproof/verify/monitor";

import type { Context } from "../frame/context.ts";
import { readWitnessing } from "../places/log-witnesses.ts";
import type { WatchedLog } from "./watch-config.ts";

/** A witness's checkpoint. */
export interface WitnessView {
  readonly witness: string;
  readonly shown: SignedCheckpoint;
}

/** What came of asking all witnesses. */
export interface AllViews {
  /** Those within the log's own checkpoint, which must be of the same tree. */
  readonly within: readonly WitnessView[];
  /** Those that are ahead, to be remembered. */
  readonly ahead: readonly WitnessAhead[];
  /** Those that have been ahead for too long. */
  readonly alerts: readonly Alert[];
}

/** Asks the witnesses of one log. */
export class WitnessViews {
  readonly #context: Context;
  readonly #log: WatchedLog;
  readonly #after: number;

  constructor(context: Context, log: WatchedLog, after: number) {
    this.#context = context;
    this.#log = log;
    this.#after = after;
  }

  /** Asks each witness that has an address; one that does not answer shows what it showed before. */
  async look(before: readonly WitnessAhead[], checkpoint: SignedCheckpoint, now: number): Promise<AllViews> {
    const { witnesses } = this.#log;
    const asked = (witnesses?.witnesses ?? []).flatMap(({ name, url }) =>
      url === undefined ? [] : [{ name, url }],
    );
    const views = await Promise.all(
      asked.map(async ({ name, url }) => {
        const known = before.find(({ witness }) => witness === name);
        return this.#sort(name, known, await this.#ask(url), checkpoint, now);
      }),
    );
    return {
      within: views.flatMap(({ within }) => within),
      ahead: views.flatMap(({ ahead }) => ahead),
      alerts: views.flatMap(({ alerts }) => alerts),
    };
  }

  #sort(
    witness: string,
    known: WitnessAhead | undefined,
    fetched: SignedCheckpoint | undefined,
    checkpoint: SignedCheckpoint,
    now: number,
  ): AllViews {
    // What it showed before still counts: a log cannot take back what it has signed.
    const shown = [
      ...(known === undefined ? [] : this.#open(known.note)),
      ...(fetched === undefined ? [] : [fetched]),
    ];
    const within = shown
      .filter(({ size }) => size <= checkpoint.size)
      .map((one) => ({ witness, shown: one }));
    const larger = shown
      .filter(({ size }) => size > checkpoint.size)
      .reduce<SignedCheckpoint | undefined>(
        (most, one) => (most && most.size >= one.size ? most : one),
        undefined,
      );
    if (larger === undefined) return { within, ahead: [], alerts: [] };
    const since = known?.since ?? now;
    const ahead = { witness, note: new TextDecoder().decode(larger.note), since };
    const origin = this.#log.keys[0].name;
    const alerts = witnessAhead(
      { origin, witness, shown: larger, seen: checkpoint, since, after: this.#after },
      now,
    );
    return { within, ahead: [ahead], alerts };
  }

  /** What was remembered; nothing when the log's keys are others by now. */
  #open(note: string): SignedCheckpoint[] {
    try {
      return [openCheckpoint(utf8(note), noteVerifiers(this.#log.keys), this.#log.keys[0].name)];
    } catch (error) {
      if (error instanceof LogError) return [];
      throw error;
    }
  }

  async #ask(url: string): Promise<SignedCheckpoint | undefined> {
    const { network } = await readWitnessing(this.#context);
    if (network === undefined) return undefined;
    const { checkpoint } = await fetchWitnessed(
      network,
      url,
      this.#log.keys.map(formatVkey),
      this.#log.keys[0].name,
    );
    return checkpoint;
  }
}
