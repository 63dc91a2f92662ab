/**
 * Dependencies between packages: `a (>= 1), b | c:any` (Debian policy 7.1).
 * @module
 */
import { ParseError, quote } from "@bootproof/bytes";
import type { VersionRelation } from "./debian-version.ts";

/** One alternative of a dependency. */
export interface Dependency {
  readonly name: string;
  readonly constraint: VersionConstraint | undefined;
}

/** A bound on a version. */
export interface VersionConstraint {
  readonly relation: VersionRelation;
  readonly version: string;
}

// `:any` and `:native` ask for this machine's kind of package; another architecture's is never in our closure.
const SPELLING =
  /^([a-z0-9][a-z0-9+.-]+)(?::(any|native|amd64))?(?: ?\((<<|<=|=|>=|>>) ?([0-9][A-Za-z0-9.+~:-]*)\))?$/;

/** Every group of a dependency field, each a list of alternatives in the order written; throws {@link ParseError}. */
export function parseDependencies(text: string, field: string): readonly (readonly Dependency[])[] {
  const trimmed = text.trim();
  if (trimmed === "") return [];
  return trimmed
    .split(/\s*,\s*/)
    .map((group) => group.split(/\s*\|\s*/).map((alternative) => parseDependency(alternative, field)));
}

function parseDependency(text: string, field: string): Dependency {
  const [, name, , relation, version] = SPELLING.exec(text) ?? [];
  if (name === undefined)
    throw new ParseError("BAD_ENCODING", field, { expected: "name (relation version)", found: quote(text) });
  const constraint =
    relation === undefined || version === undefined
      ? undefined
      : { relation: relation as VersionRelation, version };
  return { name, constraint };
}

/** A dependency as it is written. */
export const formatDependency = ({ name, constraint }: Dependency): string =>
  constraint === undefined ? name : `${name} (${constraint.relation} ${constraint.version})`;
