/**
 * A suite's Packages index, as much of it as resolving needs.
 * @module
 */
import { ParseError, parseDecimal, quote } from "@bootproof/bytes";
import { readDeb822, type Paragraph } from "./deb822.ts";
import { compareDebianVersions, parseDebianVersion } from "./debian-version.ts";
import type { LockedPackage } from "./lock.ts";

/** A package of the index; dependencies stay text until somebody needs them. */
export interface IndexedPackage extends LockedPackage {
  readonly preDepends: string;
  readonly depends: string;
  /** Smaller is more important: `required` is 0. */
  readonly priority: number;
}

/** A package that stands for a name, in a version when it says so. */
export interface Provider {
  readonly package: IndexedPackage;
  readonly version: string | undefined;
}

/** Packages by name (the newest of each) and by the virtual names they provide. */
export interface PackageIndex {
  readonly packages: ReadonlyMap<string, IndexedPackage>;
  readonly providers: ReadonlyMap<string, readonly Provider[]>;
}

const FIELDS = [
  "Package",
  "Version",
  "Architecture",
  "Filename",
  "Size",
  "SHA256",
  "Depends",
  "Pre-Depends",
  "Provides",
  "Priority",
];
const PRIORITIES = ["required", "important", "standard", "optional", "extra"];
const MAX_PACKAGES = 500_000;
const MAX_DEB_SIZE = 16n * 1024n * 1024n * 1024n;
const POOL_PATH =
  /^pool\/(?:[A-Za-z0-9_+-][A-Za-z0-9._+~-]{0,199}\/){1,8}[A-Za-z0-9][A-Za-z0-9._+~-]{0,199}$/;
const PROVIDED = /^([a-z0-9][a-z0-9+.-]+)(?::(?:any|amd64))?(?: ?\(= ?([0-9][A-Za-z0-9.+~:-]*)\))?$/;

/** Reads a Packages index piece by piece; throws {@link ParseError}. */
export async function readPackageIndex(pieces: AsyncIterable<Uint8Array>): Promise<PackageIndex> {
  const packages = new Map<string, IndexedPackage>();
  const provides = new Map<string, string>();
  let count = 0;
  for await (const paragraph of readDeb822(pieces, FIELDS)) {
    if (++count > MAX_PACKAGES)
      throw new ParseError("TOO_LARGE", "Packages", { expected: `at most ${MAX_PACKAGES} packages` });
    const entry = readPackage(paragraph);
    if (entry === undefined) continue;
    const other = packages.get(entry.name);
    if (other !== undefined && compareDebianVersions(other.version, entry.version) >= 0) continue;
    packages.set(entry.name, entry);
    provides.delete(entry.name);
    const provided = paragraph.get("Provides");
    if (provided !== undefined) provides.set(entry.name, provided);
  }
  return { packages, providers: invert(packages, provides) };
}

/** A package this machine's kind can use, or undefined for another architecture. */
function readPackage(paragraph: Paragraph): IndexedPackage | undefined {
  const arch = field(paragraph, "Architecture", /^[a-z0-9-]+$/);
  if (arch !== "amd64" && arch !== "all") return undefined;
  const version = field(paragraph, "Version", /^[!-~]+$/);
  parseDebianVersion(version);
  const priority = PRIORITIES.indexOf(paragraph.get("Priority") ?? "optional");
  return {
    name: field(paragraph, "Package", /^[a-z0-9][a-z0-9+.-]{1,99}$/),
    version,
    arch,
    size: Number(parseDecimal(field(paragraph, "Size", /^[0-9]+$/), "Packages field Size", MAX_DEB_SIZE)),
    sha256: field(paragraph, "SHA256", /^[0-9a-f]{64}$/),
    path: field(paragraph, "Filename", POOL_PATH),
    preDepends: paragraph.get("Pre-Depends") ?? "",
    depends: paragraph.get("Depends") ?? "",
    priority: priority === -1 ? PRIORITIES.length : priority,
  };
}

function field(paragraph: Paragraph, name: string, spelling: RegExp): string {
  const value = paragraph.get(name);
  if (value === undefined)
    throw new ParseError("MISSING", `Packages field ${name} of ${paragraph.get("Package") ?? "a package"}`);
  if (!spelling.test(value))
    throw new ParseError("BAD_ENCODING", `Packages field ${name}`, { found: quote(value) });
  return value;
}

/** Virtual names to their providers, the most important first, then by name: the same choice everywhere. */
function invert(
  packages: ReadonlyMap<string, IndexedPackage>,
  provides: ReadonlyMap<string, string>,
): Map<string, Provider[]> {
  const providers = new Map<string, Provider[]>();
  for (const [name, provided] of provides) {
    const entry = packages.get(name);
    if (entry === undefined) continue;
    for (const item of provided.split(",")) {
      const [, virtual, version] = PROVIDED.exec(item.trim()) ?? [];
      if (virtual === undefined)
        throw new ParseError("BAD_ENCODING", `Packages field Provides of ${name}`, { found: quote(item) });
      const list = providers.get(virtual) ?? [];
      list.push({ package: entry, version });
      providers.set(virtual, list);
    }
  }
  for (const list of providers.values()) list.sort(byImportance);
  return providers;
}

const byImportance = (a: Provider, b: Provider): number =>
  a.package.priority - b.package.priority ||
  (a.package.name < b.package.name ? -1 : a.package.name > b.package.name ? 1 : 0);
