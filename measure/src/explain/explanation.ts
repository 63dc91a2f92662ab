/**
 * What an explanation says: the first difference in words, then the others.
 * @module
 */

import type { GroupSummary } from "./describe-events.ts";

/** One difference in words. */
export interface Finding {
  /** What differs, by a stable name that programs can switch on: `firmware`, `cpu`, `cmdline`... */
  readonly subject: string;
  /** One sentence for people, lower case, without a full stop. */
  readonly what: string;
  /** The two values, when there are two that fit a line. */
  readonly a?: string;
  readonly b?: string;
  /** Exact numbers and likely causes, a line each. */
  readonly details: readonly string[];
  /** What to do about it. */
  readonly next?: string;
  /** The register that sees it; absent when none does. */
  readonly register?: string;
  /** Position in the list of events from which on the register differs. */
  readonly eventIndex?: number;
}

/** One register on both sides; a side that does not have it, or does not know it, lacks its value. */
export interface ComparedRegister {
  readonly name: string;
  readonly a?: string;
  readonly b?: string;
}

/** The answer of comparing two launches. */
export interface Explanation {
  /** `undecided`: what is known does not suffice to tell. */
  readonly verdict: "same" | "differs" | "undecided";
  readonly platform: string;
  /** Why a side cannot launch, where one cannot. */
  readonly problems?: { readonly a?: string; readonly b?: string };
  readonly registers: readonly ComparedRegister[];
  readonly first?: Finding;
  readonly others: readonly Finding[];
  /** Every group of events that differ, in order; absent when one side has no events. */
  readonly events?: { readonly groups: readonly GroupSummary[]; readonly more: number } | undefined;
  /** Inputs that differ and that no register sees. */
  readonly unseen: readonly Finding[];
  /** What to do next. */
  readonly next: readonly string[];
}
