/**
 * The closure of packages under Depends and Pre-Depends. It is a plain function of index and names:
 * the first alternative that can be had is taken, unless another was asked for by name; among the
 * providers of a virtual package, one that was asked for, then the most important, then by name.
 * Recommends, Conflicts and Essential play no part: nothing is installed, only unpacked.
 * @module
 */
import { BuildError } from "./build-error.ts";
import { satisfiesVersion } from "./debian-version.ts";
import { formatDependency, parseDependencies, type Dependency } from "./dependency.ts";
import type { IndexedPackage, PackageIndex } from "./package-index.ts";
import { nearestWord } from "./suggestion.ts";

/** Every package that `names` need, themselves included, sorted by name; throws {@link BuildError} BP-RESOLVE-003. */
export function resolveClosure(index: PackageIndex, names: readonly string[]): readonly IndexedPackage[] {
  const asked = new Set(names);
  const chosen = new Map<string, IndexedPackage>();
  const neededBy = new Map<string, string>();
  const queue: IndexedPackage[] = [];
  const choose = (entry: IndexedPackage, by: string | undefined): void => {
    if (chosen.has(entry.name)) return;
    chosen.set(entry.name, entry);
    if (by !== undefined) neededBy.set(entry.name, by);
    queue.push(entry);
  };
  for (const name of [...asked].sort()) choose(findAsked(index, name), undefined);
  for (let entry = queue.shift(); entry !== undefined; entry = queue.shift()) {
    for (const group of dependenciesOf(entry)) {
      const found = selectAlternative(index, group, asked);
      if (found === undefined) throw unsatisfied(index, entry, group, neededBy);
      choose(found, entry.name);
    }
  }
  return [...chosen.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function findAsked(index: PackageIndex, name: string): IndexedPackage {
  const found = index.packages.get(name);
  if (found !== undefined) return found;
  const providers = index.providers.get(name)?.map((provider) => provider.package.name) ?? [];
  const nearest = nearestWord(name, [...index.packages.keys()]);
  const hint =
    providers.length > 0
      ? `it is virtual; ask for one of ${providers.join(", ")}`
      : nearest === undefined
        ? undefined
        : `did you mean ${nearest}?`;
  throw new BuildError(
    "BP-RESOLVE-003",
    `package ${name} is not in the suite`,
    hint === undefined ? {} : { hint },
  );
}

const dependenciesOf = (entry: IndexedPackage): readonly (readonly Dependency[])[] => [
  ...parseDependencies(entry.preDepends, `Pre-Depends of ${entry.name}`),
  ...parseDependencies(entry.depends, `Depends of ${entry.name}`),
];

function selectAlternative(
  index: PackageIndex,
  group: readonly Dependency[],
  asked: ReadonlySet<string>,
): IndexedPackage | undefined {
  const candidates = group.flatMap((alternative) => candidatesFor(index, alternative));
  return candidates.find((candidate) => asked.has(candidate.name)) ?? candidates[0];
}

/** Packages that satisfy one alternative, the preferred first: the package of that name, then its providers. */
function candidatesFor(index: PackageIndex, { name, constraint }: Dependency): IndexedPackage[] {
  const meets = (version: string | undefined): boolean =>
    constraint === undefined ||
    (version !== undefined && satisfiesVersion(version, constraint.relation, constraint.version));
  const real = index.packages.get(name);
  const providers = index.providers.get(name) ?? [];
  return [
    ...(real !== undefined && meets(real.version) ? [real] : []),
    ...providers.filter((provider) => meets(provider.version)).map((provider) => provider.package),
  ];
}

function unsatisfied(
  index: PackageIndex,
  entry: IndexedPackage,
  group: readonly Dependency[],
  neededBy: ReadonlyMap<string, string>,
): BuildError {
  const chain = [entry.name];
  for (let by = neededBy.get(entry.name); by !== undefined; by = neededBy.get(by)) chain.unshift(by);
  const present = group.flatMap(({ name }) => {
    const found = index.packages.get(name);
    return found === undefined ? [] : [`${name} ${found.version}`];
  });
  return new BuildError(
    "BP-RESOLVE-003",
    `package ${entry.name} needs ${group.map(formatDependency).join(" | ")}, which the suite does not have`,
    {
      expected: group.map(formatDependency).join(" | "),
      found: present.length === 0 ? "nothing of that name" : present.join(", "),
      hint: `needed by ${chain.join(" -> ")}`,
    },
  );
}
