/**
 * Rule: two statements about one name and version that claim different artifacts or registers. Whoever holds one of
 * them was told something else than whoever holds the other.
 * @module
 */
import { claimedSigners } from "../read-entry.ts";
import { makeAlert, type Alert } from "./alert.ts";
import { claimsDiffer } from "./claims-differ.ts";
import { claimKey, releaseKey } from "./entry-keys.ts";
import { bothEnds } from "./both-ends.ts";
import type { History } from "./history.ts";
import { isRelease, releaseOf, releaseTitle, type WatchedEntry } from "./watched-entry.ts";
import { isMine, type Watched } from "./watched.ts";

/** Reports a release of mine that contradicts an earlier entry: the first one that it contradicts. */
export async function conflictingStatements(
  entry: WatchedEntry,
  watched: Watched,
  now: number,
  history: History,
): Promise<Alert[]> {
  if (!isRelease(entry)) return [];
  const { release } = releaseOf(entry).predicate;
  if (!isMine(watched, release.name)) return [];
  const same = new Set(await history.find(claimKey(entry), entry.index));
  const others = (await history.find(releaseKey(release), entry.index)).filter((index) => !same.has(index));
  for (const index of bothEnds(others)) {
    const earlier = await history.entry(index);
    if (!isRelease(earlier) || releaseTitle(earlier) !== releaseTitle(entry)) continue;
    const difference = claimsDiffer(earlier, entry);
    if (difference === undefined) continue;
    return [
      makeAlert({
        rule: "conflicting-statements",
        severity: "alarm",
        origin: watched.origin,
        subject: releaseTitle(entry),
        entries: [index, entry.index],
        summary: `${releaseTitle(entry)} was published again with other contents`,
        details: {
          difference,
          "signed as": claimedSigners(entry.statement).join(", "),
          "before signed as": claimedSigners(earlier.statement).join(", "),
        },
        observed: now,
      }),
    ];
  }
  return [];
}
