/**
 * Rule: somebody rebuilt one of my releases and something else came out, or nothing. The rebuild may stand in the log
 * before the release, when that one was held back.
 * @module
 */
import { formatHex } from "@bootproof/bytes";
import { leafHash } from "@bootproof/log";
import type { Rebuild, RebuildVerdict } from "@bootproof/statement";
import { signedBy } from "../check-statement.ts";
import { claimedSigners } from "../read-entry.ts";
import { makeAlert, type Alert, type Severity } from "./alert.ts";
import { bothEnds } from "./both-ends.ts";
import { leafKey, rebuildKey } from "./entry-keys.ts";
import type { History } from "./history.ts";
import {
  isRelease,
  releaseOf,
  releaseTitle,
  type WatchedEntry,
  type WatchedRelease,
} from "./watched-entry.ts";
import { isMine, type Watched } from "./watched.ts";

/** Reports rebuilds of my releases that did not confirm them, whichever of the two is new. */
export async function rebuildMismatch(
  entry: WatchedEntry,
  watched: Watched,
  now: number,
  history: History,
): Promise<Alert[]> {
  const mine = (release: WatchedRelease): boolean =>
    isMine(watched, releaseOf(release).predicate.release.name);
  if (isRelease(entry) && !mine(entry)) return [];
  const pairs = isRelease(entry) ? await rebuildsOf(entry, history) : await releasesOf(entry, history);
  return pairs
    .filter(({ release }) => mine(release))
    .flatMap(({ release, rebuild }) => alertsOf(release, rebuild, watched, now));
}

interface Rebuilt {
  readonly release: WatchedRelease;
  readonly rebuild: WatchedEntry;
}

async function rebuildsOf(release: WatchedRelease, history: History): Promise<Rebuilt[]> {
  const hash = formatHex(leafHash(release.entry));
  const found = bothEnds(await history.find(rebuildKey(hash), release.index));
  const rebuilds = await Promise.all(found.map((index) => history.entry(index)));
  return rebuilds
    .filter((rebuild) => rebuildIn(rebuild)?.of.leafHash === hash)
    .map((rebuild) => ({ release, rebuild }));
}

async function releasesOf(rebuild: WatchedEntry, history: History): Promise<Rebuilt[]> {
  const hash = rebuildIn(rebuild)?.of.leafHash;
  if (hash === undefined) return [];
  // One leaf stands in a log once, unless the log lets it be added again; then the first counts.
  const [index] = await history.find(leafKey(hash), rebuild.index);
  const release = index === undefined ? undefined : await history.entry(index);
  if (release === undefined || !isRelease(release) || formatHex(leafHash(release.entry)) !== hash) return [];
  return [{ release, rebuild }];
}

const rebuildIn = ({ statement }: WatchedEntry): Rebuild | undefined =>
  statement?.kind === "rebuild" ? statement.statement.predicate : undefined;

function alertsOf(release: WatchedRelease, entry: WatchedEntry, watched: Watched, now: number): Alert[] {
  const { statement } = entry;
  if (statement?.kind !== "rebuild" || confirms(statement.statement.predicate.verdict)) return [];
  const { verdict, reason = "" } = statement.statement.predicate;
  const signed = signedBy(statement.envelope, watched.confirmations?.rule.rebuilders ?? []);
  const owner = "owner" in signed ? signed.owner.organisation : undefined;
  const who = owner ?? claimedSigners(statement).join(", ");
  return [
    makeAlert({
      rule: "rebuild-mismatch",
      severity: severityOf(verdict, owner !== undefined),
      origin: watched.origin,
      subject: releaseTitle(release),
      entries: [release.index, entry.index].sort((a, b) => (a < b ? -1 : 1)),
      summary: `a rebuild of ${releaseTitle(release)} came to ${verdict}`,
      details: { verdict, reason, [owner === undefined ? "signed as" : "rebuilder"]: who },
      observed: now,
    }),
  ];
}

function confirms(verdict: RebuildVerdict): boolean {
  return verdict === "IDENTICAL" || verdict === "MEASUREMENT-EQUAL";
}

/** Anybody can say that a build failed; a difference that a known rebuilder saw is the real thing. */
const severityOf = (verdict: RebuildVerdict, known: boolean): Severity =>
  verdict === "DIVERGED" && known ? "alarm" : "warning";
