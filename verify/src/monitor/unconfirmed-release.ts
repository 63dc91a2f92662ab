/**
 * Rule: a release of mine that too few organisations have confirmed in time. When its time is up, the release is read
 * again and the rebuilds in the log are counted, so what is remembered is bounded however many releases are waiting.
 * @module
 */
import { formatHex } from "@bootproof/bytes";
import { leafHash } from "@bootproof/log";
import { keyidOf } from "@bootproof/statement";
import { judgeRebuild } from "../check-rebuilds.ts";
import type { RebuildRule } from "../policy.ts";
import { makeAlert, type Alert } from "./alert.ts";
import { rebuildByKey } from "./entry-keys.ts";
import type { History } from "./history.ts";
import type { MonitorState, SeenBy } from "./monitor-state.ts";
import {
  isRelease,
  releaseOf,
  releaseTitle,
  type WatchedEntry,
  type WatchedRelease,
} from "./watched-entry.ts";
import { isMine, publisherOf, type Watched } from "./watched.ts";

/** Times that are remembered for entries whose time is not up; those between two of them wait for the later. */
const TIMES = 128;
/** Rebuilds that are read of those that claim to be by one key: its owner has no reason to repeat them. */
const MAX_REBUILDS = 32;

/** Remembers when entries were seen: those before `below`, now. */
export function rememberSeen(
  seenBy: readonly SeenBy[],
  below: bigint,
  now: number,
  within: number,
): readonly SeenBy[] {
  const step = Math.max(1, Math.floor(within / TIMES));
  const at = Math.ceil(now / step) * step;
  const last = seenBy.at(-1);
  // A clock that was set back must not make the list longer.
  return last === undefined || at > last.at
    ? [...seenBy, { below, at }]
    : [...seenBy.slice(0, -1), { below, at: last.at }];
}

/** The entries whose time is up: from the first that was not counted to the end given here. */
export function dueBelow({ seenBy }: MonitorState, now: number, within: number): bigint {
  return seenBy.reduce((below, seen) => (now - seen.at >= within ? seen.below : below), 0n);
}

/** Reports a release of mine, signed by a publisher of mine, that lacks confirmations. */
export async function unconfirmedRelease(
  entry: WatchedEntry,
  watched: Watched,
  now: number,
  history: History,
  below: bigint,
): Promise<Alert[]> {
  const { confirmations } = watched;
  if (confirmations === undefined || !isRelease(entry)) return [];
  const { name } = releaseOf(entry).predicate.release;
  if (!isMine(watched, name)) return [];
  const found = publisherOf(entry.statement, name, watched);
  // What a stranger published under my name is reported as such; nobody owes it a confirmation.
  if (watched.publishers.length > 0 && !("publisher" in found)) return [];
  const publisher = "publisher" in found ? found.publisher.organisation : undefined;
  const { rule } = confirmations;
  const organisations = await confirmedBy(entry, watched.origin, publisher, rule, history, below);
  if (organisations.length >= rule.need) return [];
  return [
    makeAlert({
      rule: "unconfirmed-release",
      severity: "warning",
      origin: watched.origin,
      subject: releaseTitle(entry),
      entries: [entry.index],
      summary: `${releaseTitle(entry)} was confirmed by ${organisations.length} of ${rule.need} organisations in time`,
      details: { "confirmed by": organisations.join(", ") || "nobody", needed: String(rule.need) },
      observed: now,
    }),
  ];
}

async function confirmedBy(
  release: WatchedRelease,
  origin: string,
  publisher: string | undefined,
  rule: RebuildRule,
  history: History,
  below: bigint,
): Promise<string[]> {
  const hash = leafHash(release.entry);
  const statement = releaseOf(release);
  const claim = { statement, origin, index: release.index, leafHash: hash, publisher };
  const organisations = new Set<string>();
  for (const { key, organisation } of rule.rebuilders) {
    if (organisations.has(organisation)) continue;
    const found = await history.find(rebuildByKey(formatHex(hash), keyidOf(key)), below);
    for (const index of found.slice(0, MAX_REBUILDS)) {
      const { statement: rebuild } = await history.entry(index);
      if (rebuild?.kind !== "rebuild") continue;
      const judged = judgeRebuild(claim, rebuild.envelope, rebuild.statement, rule);
      if (judged.outcome === "confirms" && judged.organisation !== undefined)
        organisations.add(judged.organisation);
    }
  }
  return [...organisations].sort();
}
