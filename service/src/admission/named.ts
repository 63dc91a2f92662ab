/**
 * Which names a statement speaks about: those that its publisher must be allowed to speak about.
 * @module
 */
import { formatHex } from "@bootproof/bytes";
import { leafHash } from "@bootproof/log";
import {
  readProvenance,
  RECIPE_BUILD_TYPE,
  releaseArtifacts,
  type Rebuild,
  type Statement,
} from "@bootproof/statement";
import { tryReadEntry, type ReadStatement } from "@bootproof/verify";

/** The log that statements are about. */
export interface AboutLog {
  readonly origin: string;
  /** The entry at an index; undefined when there is none yet. */
  entry(index: bigint): Promise<Uint8Array | undefined>;
}

/** The names that a statement speaks about; or why that cannot be told; "elsewhere" for a release in another log. */
export type Named =
  { readonly names: readonly string[] } | { readonly reason: string } | { readonly elsewhere: string };

/** The names that a statement speaks about. */
export async function namesOf(read: ReadStatement, log: AboutLog): Promise<Named> {
  switch (read.kind) {
    case "boot-measurement":
      return { names: [read.statement.predicate.release.name] };
    case "rebuild":
      return rebuiltName(read.statement.predicate, log);
    case "provenance":
      return { names: provenanceNames(read.statement) };
    case "other":
      return { names: subjectNames(read.statement) };
  }
}

const subjectNames = ({ subject }: Statement): string[] => subject.map(({ name }) => name);

/** The release that our own builds say they are of; what others built is named by its files. */
function provenanceNames(statement: Statement): string[] {
  const { buildType, externalParameters } = readProvenance(statement).predicate.buildDefinition;
  const { release } = externalParameters;
  if (buildType !== RECIPE_BUILD_TYPE || typeof release !== "object" || release === null)
    return subjectNames(statement);
  const name = "name" in release ? release.name : undefined;
  return typeof name === "string" ? [name] : subjectNames(statement);
}

/** A rebuild names only an entry; what that is called, and which files it has, the entry itself says. */
async function rebuiltName({ of, artifacts }: Rebuild, log: AboutLog): Promise<Named> {
  if (of.origin !== log.origin) return { elsewhere: of.origin };
  const entry = await log.entry(BigInt(of.index));
  if (entry === undefined || formatHex(leafHash(entry)) !== of.leafHash)
    return { reason: `this log has no entry ${of.index} with that leaf hash` };
  const release = tryReadEntry(entry);
  if (release?.kind !== "boot-measurement") return { reason: `entry ${of.index} is no release` };
  const published = releaseArtifacts(release.statement);
  const claimed = artifacts.map(({ name, expected }) => `${name} ${expected.sha256} ${expected.size}`);
  if (claimed.join("\n") !== published.map((one) => `${one.name} ${one.sha256} ${one.size}`).join("\n"))
    return { reason: `it expects other artifacts than entry ${of.index} has` };
  return { names: [release.statement.predicate.release.name] };
}
