/**
 * Rule: one register value claimed by two releases. A machine that reports the value booted one of them, and nothing
 * but their artifacts says which.
 * @module
 */
import { claimedSigners } from "../read-entry.ts";
import { makeAlert, type Alert, type Severity } from "./alert.ts";
import { bothEnds } from "./both-ends.ts";
import { claimKey, registerKey } from "./entry-keys.ts";
import type { History } from "./history.ts";
import { registerValues, type RegisterValue } from "./register-values.ts";
import {
  isRelease,
  releaseOf,
  releaseTitle,
  type WatchedEntry,
  type WatchedRelease,
} from "./watched-entry.ts";
import { isMine, publisherOf, type Watched } from "./watched.ts";

/** Reports a release that shares a value with earlier ones, once for each of their names; one of them must be mine. */
export async function sameMeasurement(
  entry: WatchedEntry,
  watched: Watched,
  now: number,
  history: History,
): Promise<Alert[]> {
  if (!isRelease(entry)) return [];
  const alerts = new Map<string, Alert>();
  const shared = await findShared(entry, history);
  for (const index of bothEnds([...shared.keys()].sort((a, b) => (a < b ? -1 : 1)))) {
    const earlier = await history.entry(index);
    const value = shared.get(index);
    if (value === undefined || !isRelease(earlier) || !claims(earlier, value)) continue;
    const [name, mine] = [earlier, entry].map((one) => releaseOf(one).predicate.release.name);
    if (name === undefined || mine === undefined || !(isMine(watched, name) || isMine(watched, mine)))
      continue;
    if (releaseTitle(earlier) === releaseTitle(entry) || alerts.has(name)) continue;
    alerts.set(name, alertOf(earlier, entry, value, watched, now));
  }
  return [...alerts.values()];
}

/** Earlier entries that claim a value of this one, without those that claim exactly the same. */
async function findShared(entry: WatchedRelease, history: History): Promise<Map<bigint, RegisterValue>> {
  const shared = new Map<bigint, RegisterValue>();
  const { values } = registerValues(releaseOf(entry).predicate.measurements);
  const asked = new Set<string>();
  let same: ReadonlySet<bigint> | undefined;
  for (const claimed of values) {
    if (asked.has(claimed.value) || !claimed.telling) continue;
    asked.add(claimed.value);
    const found = await history.find(registerKey(claimed.value), entry.index);
    if (found.length === 0) continue;
    const repeated = (same ??= new Set(await history.find(claimKey(entry), entry.index)));
    for (const index of bothEnds(found.filter((one) => !repeated.has(one))))
      if (!shared.has(index)) shared.set(index, claimed);
  }
  return shared;
}

const claims = (release: WatchedRelease, { value }: RegisterValue): boolean =>
  registerValues(releaseOf(release).predicate.measurements).values.some((one) => one.value === value);

function alertOf(
  earlier: WatchedRelease,
  later: WatchedRelease,
  { place, value }: RegisterValue,
  watched: Watched,
  now: number,
): Alert {
  return makeAlert({
    rule: "same-measurement",
    severity: severityOf(earlier, later, watched),
    origin: watched.origin,
    subject: releaseTitle(later),
    entries: [earlier.index, later.index],
    summary: `${releaseTitle(later)} claims a value that ${releaseTitle(earlier)} claims too`,
    details: {
      register: place,
      value,
      "signed as": claimedSigners(later.statement).join(", "),
      "before signed as": claimedSigners(earlier.statement).join(", "),
    },
    observed: now,
  });
}

/** Two versions that measure the same are everyday; another publisher with my value is not. */
function severityOf(earlier: WatchedRelease, later: WatchedRelease, watched: Watched): Severity {
  const [one, other] = [earlier, later].map((release) => {
    const { name } = releaseOf(release).predicate.release;
    const found = publisherOf(release.statement, name, watched);
    return { name, organisation: "publisher" in found ? found.publisher.organisation : undefined };
  });
  if (one?.organisation === undefined || one.organisation !== other?.organisation) return "alarm";
  return one.name === other.name ? "info" : "warning";
}
