/**
 * The log as a sequencer needs it, and what its failures mean.
 * @module
 */
import { LogError, type Appended, type WitnessPanel } from "@bootproof/log";

/** A log that this process writes to. */
export interface OpenedLog {
  readonly log: {
    /** Answers when the entries are public; `committed` hears where they are as soon as that is durable. */
    append(
      entries: readonly Uint8Array[],
      committed?: (appended: readonly Appended[]) => void,
    ): Promise<Appended[]>;
    /** Publishes again: with new cosignatures, or what could not be published before. */
    refresh(): Promise<void>;
    /** Entries with an index. */
    readonly size: bigint;
    /** Whether it takes no more. */
    readonly frozen: boolean;
  };
  readonly witnesses?: WitnessPanel | undefined;
  /** Publishes the cosignatures that come late, and lets another process write. */
  readonly close: () => Promise<void>;
}

/** What to do about a failure of the log. */
export type Consequence =
  /** The entries have their index; only witnesses are missing. */
  | "ask again"
  /** Open the log again: that decides what was committed. */
  | "reopen"
  /** Another process writes. */
  | "stand by"
  /** Nothing is taken any more, but the log can be read. */
  | "frozen"
  /** Writing on could fork the log. */
  | "never again";

/** What a failure of the log means for whoever writes to it. */
export function consequenceOf(error: unknown): Consequence {
  if (!(error instanceof LogError)) return "reopen";
  switch (error.kind) {
    case "UNWITNESSED":
      return "ask again";
    case "LOCKED":
      return "stand by";
    case "FROZEN":
      return "frozen";
    case "ROLLBACK":
    case "FORK":
    case "WRONG_LOG":
    case "BAD_SIGNATURE":
    case "NO_LOG":
      return "never again";
    case "CONFLICT":
    case "CORRUPT_OBJECT":
    case "ENTRY_TOO_LARGE":
    case "EXISTS":
    case "MISSING_OBJECT":
    case "OUT_OF_TREE":
    case "STOPPED":
      return "reopen";
  }
}
