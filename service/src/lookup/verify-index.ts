/**
 * Proves a lookup index complete: every key of every entry is in it, and nothing else. The keys are computed again from
 * entries that hash to the checkpoint, and compared in both directions.
 * @module
 */
import { formatHex } from "@bootproof/bytes";
import type { LogReader } from "@bootproof/log";
import { keysOf, SEARCH_ME } from "@bootproof/verify";

import type { LookupIndex } from "./lookup-index.ts";

/** The first entry for which index and log differ. */
export interface IndexFault {
  readonly entry: bigint;
  readonly reason: string;
}

/** What was compared. */
export interface IndexReport {
  /** Entries whose keys were compared. */
  readonly entries: bigint;
  /** Keys that were found where they belong. */
  readonly keys: bigint;
  readonly fault?: IndexFault;
}

/** Compares an index with the tree that a verified checkpoint describes when `open` is called; `progress` hears of entries done. */
export async function verifyIndex(
  index: LookupIndex,
  open: () => Promise<LogReader>,
  progress: (entries: bigint) => void = () => undefined,
): Promise<IndexReport> {
  // The tree is opened after the index stands still: then it is never behind the index of a log that grows meanwhile.
  return index.keys.snapshot(async () => compareAll(index, await open(), progress));
}

async function compareAll(
  index: LookupIndex,
  reader: LogReader,
  progress: (entries: bigint) => void,
): Promise<IndexReport> {
  const counts = new EntryCounts(index);
  try {
    return await compareWith(counts, index, reader, progress);
  } finally {
    counts.close();
  }
}

async function compareWith(
  counts: EntryCounts,
  index: LookupIndex,
  reader: LogReader,
  progress: (entries: bigint) => void,
): Promise<IndexReport> {
  const { size } = reader.head;
  let keys = 0n;
  for await (const { index: at, entry } of reader.entries()) {
    const fault =
      at >= index.entries ? notCovered(at, size) : compare(index, at, keysOf(entry), counts.of(at));
    if (fault !== undefined) return { entries: at, keys, fault: { entry: at, reason: fault } };
    if (counts.isAstray) return { entries: at, keys, fault: { entry: at, reason: NOT_OF_LOG } };
    keys += counts.of(at);
    progress(at + 1n);
  }
  const next = counts.nextFrom(size);
  const beyond = index.entries > size || counts.isAstray ? size : next;
  if (beyond === undefined) return { entries: size, keys };
  return { entries: size, keys, fault: { entry: beyond, reason: NOT_OF_LOG } };
}

const NOT_OF_LOG = "the index holds entries that the log does not have";

const notCovered = (at: bigint, size: bigint): string =>
  `the index covers ${at} of ${size} entries; it is to be built further`;

function compare(
  index: LookupIndex,
  at: bigint,
  expected: readonly Uint8Array[],
  found: bigint,
): string | undefined {
  const missing = expected.filter((key) => !index.keys.has(key, at));
  const [first] = missing;
  if (first !== undefined)
    return `${missing.length} of its ${expected.length} keys are missing, such as ${describe(first)}`;
  const extra = found - BigInt(expected.length);
  return extra === 0n ? undefined : `the index holds ${extra} keys of it that it does not have`;
}

/** A key in words: kind, then digest. */
function describe(key: Uint8Array): string {
  const [kind] = key;
  if (kind === SEARCH_ME[0]) return "that it has to be searched itself";
  return `${kind === 1 ? "digest" : "signer"} ${formatHex(key.subarray(1))}`;
}

/** How many keys the index holds of each entry, read in step with the entries. */
class EntryCounts {
  readonly #rows: Generator<{ readonly entry: bigint; readonly keys: bigint }>;
  #row: { readonly entry: bigint; readonly keys: bigint } | undefined;
  #asked: { readonly entry: bigint; readonly keys: bigint } | undefined;
  /** Whether it holds a number that nobody asked for: one below zero, or no whole one. */
  isAstray = false;

  constructor(index: LookupIndex) {
    this.#rows = index.keys.keyCounts();
    this.#step();
  }

  /** The count of one entry; they have to be asked for in order. */
  of(entry: bigint): bigint {
    while (this.#row !== undefined && this.#row.entry < entry) {
      this.isAstray ||= this.#row !== this.#asked;
      this.#step();
    }
    this.#asked = this.#row?.entry === entry ? this.#row : undefined;
    return this.#row?.entry === entry ? this.#row.keys : 0n;
  }

  /** The first entry from `entry` on that has keys. */
  nextFrom(entry: bigint): bigint | undefined {
    this.of(entry);
    return this.#row?.entry;
  }

  /** Ends the query. */
  close(): void {
    this.#rows.return(undefined);
  }

  #step(): void {
    const next = this.#rows.next();
    this.#row = next.done === true ? undefined : next.value;
  }
}
