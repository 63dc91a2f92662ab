/**
 * What each key has added today. Only what is newly appended counts; a day begins at midnight UTC by the clock handed
 * in.
 * @module
 */
import { formatHex, parseStrictJson } from "@bootproof/bytes";
import * as v from "valibot";

import type { Quota } from "./publishers.ts";

const DAY = 86_400;

/** Entries and bytes. */
export interface Used {
  readonly entries: number;
  readonly bytes: number;
}

/** What was used on one day, by key ID. */
export interface QuotaState {
  /** Days since 1970. */
  readonly day: number;
  readonly used: ReadonlyMap<string, Used>;
}

/** What taking from a quota comes to. */
export type Taken =
  | { readonly ok: true; readonly giveBack: () => void }
  | { readonly ok: false; readonly found: string; readonly retryAfter: number };

/** A statement that is charged. */
interface Charged {
  readonly bytes: number;
  readonly identity: Uint8Array;
}

interface Held {
  readonly statement: string;
  readonly day: number;
  readonly keyid: string;
  readonly bytes: number;
}

/** Counts what keys use. */
export class QuotaLedger {
  readonly #now: () => number;
  #day: number;
  #used: Map<string, Used>;
  /** How many hold each statement's charge, by identity. */
  readonly #holders = new Map<string, number>();
  #changes = 0;

  /** `now` gives POSIX seconds; `state` is what an earlier process noted. */
  constructor(now: () => number, state?: QuotaState) {
    this.#now = now;
    this.#day = state?.day ?? 0;
    this.#used = new Map(state?.used);
  }

  /** How often it has changed: whoever saves it can tell whether it has to. */
  get changes(): number {
    return this.#changes;
  }

  /** What was used on the day it counts now. */
  get state(): QuotaState {
    return { day: this.#day, used: new Map(this.#used) };
  }

  /**
   * Takes one entry of `bytes` bytes from the day's quota; gives it back when it was not appended after all. A statement
   * that is sent again meanwhile, by whoever it may be, is charged once.
   */
  take(keyid: string, quota: Quota | "any", { bytes, identity }: Charged): Taken {
    const day = this.#today();
    const statement = formatHex(identity);
    if (this.#holders.has(statement)) return this.#hold({ statement, day, keyid, bytes });
    const { entries, bytes: size } = this.#used.get(keyid) ?? { entries: 0, bytes: 0 };
    if (quota !== "any" && (entries + 1 > quota.entriesPerDay || size + bytes > quota.bytesPerDay)) {
      const found = `${entries} of ${quota.entriesPerDay} entries and ${size} of ${quota.bytesPerDay} bytes used`;
      return { ok: false, found, retryAfter: Math.max(1, (day + 1) * DAY - Math.floor(this.#now())) };
    }
    this.#add(keyid, 1, bytes);
    return this.#hold({ statement, day, keyid, bytes });
  }

  #hold({ statement, day, keyid, bytes }: Held): Taken {
    this.#holders.set(statement, (this.#holders.get(statement) ?? 0) + 1);
    let given = false;
    const giveBack = (): void => {
      // What was taken before midnight is not given back to the new day.
      if (given || this.#day !== day) return;
      given = true;
      const left = (this.#holders.get(statement) ?? 1) - 1;
      if (left > 0) this.#holders.set(statement, left);
      else {
        this.#holders.delete(statement);
        this.#add(keyid, -1, -bytes);
      }
    };
    return { ok: true, giveBack };
  }

  #add(keyid: string, entries: number, bytes: number): void {
    const used = this.#used.get(keyid) ?? { entries: 0, bytes: 0 };
    this.#used.set(keyid, { entries: used.entries + entries, bytes: used.bytes + bytes });
    this.#changes++;
  }

  /** A clock that is set back does not give a day twice. */
  #today(): number {
    const day = Math.floor(this.#now() / DAY);
    if (day > this.#day) {
      this.#day = day;
      this.#used = new Map();
      this.#holders.clear();
    }
    return this.#day;
  }
}

const amount = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const schema = v.strictObject({
  schema: v.literal("bootproof/quota/1"),
  day: amount,
  used: v.array(v.strictObject({ keyid: v.string(), entries: amount, bytes: amount })),
});

/** The text of a state. */
export function formatQuotaState({ day, used }: QuotaState): string {
  const rows = [...used].map(([keyid, amounts]) => ({ keyid, ...amounts }));
  return `${JSON.stringify({ schema: "bootproof/quota/1", day, used: rows })}\n`;
}

/** Reads a state; undefined for what is none. */
export function parseQuotaState(bytes: Uint8Array): QuotaState | undefined {
  let value: unknown;
  try {
    value = parseStrictJson(bytes, "quota", 2 ** 20);
  } catch {
    return undefined;
  }
  const read = v.safeParse(schema, value);
  if (!read.success) return undefined;
  const { day, used } = read.output;
  return { day, used: new Map(used.map(({ keyid, entries, bytes }) => [keyid, { entries, bytes }])) };
}
