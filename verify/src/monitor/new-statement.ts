/**
 * Rule: a statement about one of my names, by anybody's key. A log shows what was published; whether it was I who
 * published it, only I know.
 * @module
 */
import { keyidOf } from "@bootproof/statement";
import { claimedSigners } from "../read-entry.ts";
import { makeAlert, type Alert } from "./alert.ts";
import { isRelease, releaseOf, releaseTitle, type WatchedEntry } from "./watched-entry.ts";
import { isMine, publisherOf, type Watched } from "./watched.ts";

/** Reports a release under one of my names: as information when one of my publishers signed it, else as an alarm. */
export function newStatement(entry: WatchedEntry, watched: Watched, now: number): Alert[] {
  if (!isRelease(entry)) return [];
  const { name } = releaseOf(entry).predicate.release;
  if (!isMine(watched, name)) return [];
  const title = releaseTitle(entry);
  const found = publisherOf(entry.statement, name, watched);
  const known = "publisher" in found;
  const who = known
    ? `${found.publisher.organisation} (${keyidOf(found.publisher.key)})`
    : claimedSigners(entry.statement).join(", ");
  const stranger = watched.publishers.length === 0 ? "warning" : "alarm";
  return [
    makeAlert({
      rule: "new-statement",
      severity: known ? "info" : stranger,
      origin: watched.origin,
      subject: title,
      entries: [entry.index],
      summary: known
        ? `${title} was published by ${who}`
        : `${title} was published by a key that is not yours`,
      details: known
        ? { publisher: who }
        : { "signed as": who, reason: strangerReason(found.reason, watched) },
      observed: now,
    }),
  ];
}

const strangerReason = (reason: string, { publishers }: Watched): string =>
  publishers.length === 0 ? "no publishers are configured" : reason;
