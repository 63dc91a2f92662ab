/**
 * Whether two releases of one name and version claim different things.
 * @module
 */
import { releaseArtifacts } from "@bootproof/statement";
import { registerValues } from "./register-values.ts";
import { releaseOf, type WatchedRelease } from "./watched-entry.ts";

/** The first difference between two claims, in words; shapes that only one of them has are none. */
export function claimsDiffer(earlier: WatchedRelease, later: WatchedRelease): string | undefined {
  return artifactsDiffer(earlier, later) ?? registersDiffer(earlier, later);
}

function artifactsDiffer(earlier: WatchedRelease, later: WatchedRelease): string | undefined {
  const before = new Map(releaseArtifacts(releaseOf(earlier)).map((one) => [one.name, one]));
  const after = releaseArtifacts(releaseOf(later));
  for (const { name, sha256 } of after) {
    const other = before.get(name);
    if (other === undefined) return `artifact ${name} is new`;
    if (other.sha256 !== sha256) return `artifact ${name} is ${sha256}, before ${other.sha256}`;
    before.delete(name);
  }
  const [gone] = before.keys();
  return gone === undefined ? undefined : `artifact ${gone} is gone`;
}

function registersDiffer(earlier: WatchedRelease, later: WatchedRelease): string | undefined {
  const { values: before } = registerValues(releaseOf(earlier).predicate.measurements);
  const claimed = new Map(before.map(({ place, value }) => [place, value]));
  const { values: after } = registerValues(releaseOf(later).predicate.measurements);
  const changed = after.find(({ place, value }) => (claimed.get(place) ?? value) !== value);
  return changed === undefined
    ? undefined
    : `${changed.place} is ${changed.value}, before ${claimed.get(changed.place) ?? ""}`;
}
