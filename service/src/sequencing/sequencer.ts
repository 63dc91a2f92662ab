/**
 * What puts entries into a log, one batch after the other, and answers when each is public.
 * @module
 */
import type { WitnessOutcome } from "@bootproof/log";

import { Refused } from "../http/answer.ts";

/** Where an entry is. */
export interface Sequenced {
  readonly index: bigint;
  /** Whether it had been logged before. */
  readonly duplicate: boolean;
}

/** How sequencing goes. */
export interface SequencerStatus {
  /** `stand-by`: another process sequences, this one waits for its turn and takes entries. */
  readonly state: "opening" | "writing" | "stand-by" | "recovering" | "frozen" | "stopped";
  /** Entries that have an index, as far as this process knows. */
  readonly size: bigint | undefined;
  /** Entries that wait for one, or for their checkpoint. */
  readonly pending: number;
  /** Since when (milliseconds) nothing could be published, and why. */
  readonly failing: { readonly since: number; readonly error: unknown } | undefined;
  readonly witnesses: readonly WitnessOutcome[];
}

/** Puts entries into a log. */
export interface Sequencer {
  /**
   * Appends an entry (its identity is computed when it is not known), and answers once a checkpoint that covers it is public and durable. Rejects with
   * {@link Refused} when it is not taken or this process stops ({@link StillPending} when it will be logged all the
   * same), and with nothing else.
   */
  submit(entry: Uint8Array, identity?: Uint8Array): Promise<Sequenced>;
  /**
   * Appends an entry as {@link submit} does, and may answer as soon as it has its index for good, before a checkpoint
   * covers it.
   */
  sequence(entry: Uint8Array): Promise<Sequenced>;
  status(): SequencerStatus;
  /** Resolves with the reason when the log can never be written to again: it was rolled back, or has forked. */
  readonly fault: Promise<unknown>;
  /** Takes no more entries, publishes what is sequenced, and lets another process write. */
  stop(): Promise<void>;
}

/** The refusal when too many entries wait; the wait is random so that those refused do not come back together. */
export function poolFull(): Refused {
  return new Refused({
    status: 503,
    code: "BP-SERVE-005",
    message: "too many entries are waiting to be logged; send it again later",
    retryAfter: 30 + Math.floor(Math.random() * 61),
  });
}

/** The refusal when this process stops before an entry is public: whether it has its index, sending it again tells. */
export function stopping(): Refused {
  return new Refused({
    status: 503,
    code: "BP-SERVE-006",
    message: "this server is stopping; send the entry again",
    retryAfter: 5,
    close: true,
  });
}

/** The refusal when the log takes no entries any more. */
export function frozen(): Refused {
  return new Refused({
    status: 410,
    code: "BP-SERVE-010",
    message: "this log is frozen: it takes no more entries",
  });
}

/** Why nobody waits any more for an entry that will be logged all the same: this process stops, another goes on. */
export class StillPending extends Refused {
  constructor() {
    const message = "the entry waits to be logged by another server; this one is stopping";
    super({ status: 503, code: "BP-SERVE-006", message, retryAfter: 5, close: true });
  }
}
