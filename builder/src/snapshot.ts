/**
 * An archive of old states of Debian as a mirror: `<base>/archive/debian/<time>/pool/...` for a time
 * soon after the Release that the lock was made from, when everything it names was in the pool.
 * @module
 */
import type { LockedRelease } from "./lock.ts";
import type { Mirror } from "./mirrors.ts";
import { parseReleaseDate } from "./release.ts";

const DAY_MS = 86_400_000;

/** One mirror for each Release of the lock, or none without a base URL. */
export function snapshotMirrors(
  base: string | undefined,
  releases: readonly LockedRelease[],
): readonly Mirror[] {
  if (base === undefined) return [];
  const root = base.replace(/\/+$/, "");
  // States are taken a few times a day and named by their start: a day later one surely has this Release.
  const times = releases.map(({ date }) => new Date(parseReleaseDate(date, "Release date") + DAY_MS));
  const stamps = times.map((time) => time.toISOString().replace(/[-:]|\.[0-9]+/g, ""));
  return [...new Set(stamps)].map((stamp) => ({ kind: "archive", url: `${root}/archive/debian/${stamp}` }));
}
