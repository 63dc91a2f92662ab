/**
 * Entries as the rules see them.
 * @module
 */
import type { BootMeasurement, Statement } from "@bootproof/statement";
import { tryReadEntry, type UntrustedStatement } from "../read-entry.ts";

/** An entry with its place in the log. */
export interface PlacedEntry {
  readonly index: bigint;
  readonly entry: Uint8Array;
}

/** An entry and what it says, if it says anything. */
export interface WatchedEntry extends PlacedEntry {
  readonly statement: UntrustedStatement | undefined;
}

/** An entry that claims to be a release. */
export interface WatchedRelease extends PlacedEntry {
  readonly statement: UntrustedStatement & { readonly kind: "boot-measurement" };
}

/** Reads an entry; never throws for what is in it. */
export const watchedEntry = ({ index, entry }: PlacedEntry): WatchedEntry => ({
  index,
  entry,
  statement: tryReadEntry(entry),
});

/** Whether an entry claims to be a release. */
export const isRelease = (entry: WatchedEntry): entry is WatchedRelease =>
  entry.statement?.kind === "boot-measurement";

/** The statement of a release. */
export const releaseOf = ({ statement }: WatchedRelease): Statement<BootMeasurement> => statement.statement;

/** A release's name and version, as alerts call it. */
export function releaseTitle(entry: WatchedRelease): string {
  const { name, version } = releaseOf(entry).predicate.release;
  return `${name} ${version}`;
}
