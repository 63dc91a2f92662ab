/**
 * Which register sees each byte of each input, through what, or why none does: derived from the events themselves.
 * Knows no platform; a platform says which of its events hash the bytes they come from.
 * @module
 */
import type { MeasuredEvent } from "./event.ts";
import type { Coverage } from "./measurement.ts";

/** A register that sees something, and through what. */
export interface Sight {
  readonly register: string;
  readonly through: string;
}

/** Bytes of an input that a register sees. */
export interface CoverageClaim extends Sight {
  readonly artifact: string;
  readonly offset: number;
  readonly length: number;
}

/** An input whose coverage is asked for. */
export interface CoveredArtifact {
  readonly role: string;
  readonly size: number;
  /** Why bytes are unseen that no claim is about. */
  readonly unseen: string;
}

/** Neighbouring bytes of an input with one answer. */
export interface CoverageRange {
  readonly offset: number;
  readonly length: number;
  /** Empty when no register sees them. */
  readonly seen: readonly Sight[];
  /** Why none does. */
  readonly why?: string;
}

/** The answer for one input: its ranges, in order and without gaps. */
export interface ArtifactCoverage {
  readonly role: string;
  readonly size: number;
  readonly ranges: readonly CoverageRange[];
}

/** The answer for one launch parameter: a register sees it, or `why` says why none does. */
export interface ParameterCoverage extends Partial<Sight> {
  readonly name: string;
  readonly why?: string;
}

/** Which registers see which inputs of a launch. */
export interface CoverageMap {
  readonly artifacts: readonly ArtifactCoverage[];
  readonly parameters: readonly ParameterCoverage[];
}

/** What a platform knows of an event: how its register sees the bytes of its source, or undefined when it does not. */
export type Look<E extends MeasuredEvent> = (event: E) => string | undefined;

/** The claims that events make on the bytes they come from. */
export function claimsOf<E extends MeasuredEvent>(events: Iterable<E>, look: Look<E>): CoverageClaim[] {
  const claims: CoverageClaim[] = [];
  for (const event of events) {
    const { artifact, offset, length } = event.source;
    if (offset === undefined || length === undefined || length === 0) continue;
    const through = look(event);
    if (through === undefined) continue;
    claims.push({ artifact: fileOf(event, artifact), offset, length, register: event.register, through });
  }
  return claims;
}

/** Of several regions each is a file of its own, named as its events are. */
const fileOf = ({ label }: MeasuredEvent, artifact: string): string =>
  artifact === "region" ? label : artifact;

/** Every byte of every artifact with the claims on it. */
export function mapCoverage(
  artifacts: readonly CoveredArtifact[],
  claims: readonly CoverageClaim[],
  parameters: readonly ParameterCoverage[],
): CoverageMap {
  return {
    artifacts: artifacts.map((artifact) => ({
      role: artifact.role,
      size: artifact.size,
      ranges: rangesOf(
        artifact,
        claims.filter((claim) => claim.artifact === artifact.role),
      ),
    })),
    parameters,
  };
}

/** The map in short: inputs seen in whole or in part, inputs that nobody sees, and the parameters. */
export function summariseCoverage({ artifacts, parameters }: CoverageMap): Coverage {
  const sights = artifacts.flatMap(({ role, ranges }) =>
    distinct(ranges.flatMap(({ seen }) => seen)).map((sight) => ({ input: role, ...sight })),
  );
  const unseen = artifacts.flatMap(({ role, ranges }) => {
    const blind = ranges.filter(({ seen }) => seen.length === 0);
    const bytes = blind.reduce((sum, { length }) => sum + length, 0);
    const part = blind.length === ranges.length ? role : `${role}, ${bytes} bytes of it`;
    return blind.length === 0 ? [] : [{ input: part, why: blind[0]?.why ?? "" }];
  });
  return {
    covered: [
      ...sights,
      ...parameters.flatMap(({ name, register, through }) =>
        register === undefined || through === undefined ? [] : [{ input: name, register, through }],
      ),
    ],
    notCovered: [
      ...unseen,
      ...parameters.flatMap(({ name, why }) => (why === undefined ? [] : [{ input: name, why }])),
    ],
  };
}

/** Walks over the starts and ends of claims; between two of them the answer is one. */
function rangesOf({ size, unseen }: CoveredArtifact, claims: readonly CoverageClaim[]): CoverageRange[] {
  const starts = claims.toSorted((one, other) => one.offset - other.offset);
  const ends = claims.toSorted((one, other) => end(one) - end(other));
  const active = new Map<string, { readonly sight: Sight; count: number }>();
  const ranges: CoverageRange[] = [];
  let [start, next, done] = [0, 0, 0];
  while (start < size) {
    for (let claim = starts[next]; claim !== undefined && claim.offset <= start; claim = starts[++next])
      change(active, claim, 1);
    for (let claim = ends[done]; claim !== undefined && end(claim) <= start; claim = ends[++done])
      change(active, claim, -1);
    const stop = Math.min(size, starts[next]?.offset ?? size, nextEnd(ends, done, start) ?? size);
    append(
      ranges,
      start,
      stop - start,
      [...active.values()].map(({ sight }) => sight),
      unseen,
    );
    start = stop;
  }
  return ranges;
}

function nextEnd(ends: readonly CoverageClaim[], done: number, start: number): number | undefined {
  const claim = ends[done];
  return claim === undefined || end(claim) <= start ? undefined : end(claim);
}

function change(
  active: Map<string, { readonly sight: Sight; count: number }>,
  { register, through }: CoverageClaim,
  by: 1 | -1,
): void {
  const key = sightKey({ register, through });
  const entry = active.get(key) ?? { sight: { register, through }, count: 0 };
  entry.count += by;
  if (entry.count === 0) active.delete(key);
  else active.set(key, entry);
}

function append(
  ranges: CoverageRange[],
  offset: number,
  length: number,
  seen: readonly Sight[],
  unseen: string,
): void {
  const sights = distinct(seen);
  const last = ranges.at(-1);
  if (last?.seen.map(sightKey).join("\n") === sights.map(sightKey).join("\n"))
    ranges[ranges.length - 1] = { ...last, length: last.length + length };
  else ranges.push({ offset, length, seen: sights, ...(sights.length === 0 && { why: unseen }) });
}

function distinct(sights: readonly Sight[]): Sight[] {
  const byKey = new Map(sights.map((sight) => [sightKey(sight), sight]));
  return [...byKey].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, sight]) => sight);
}

const sightKey = ({ register, through }: Sight): string => `${register} ${through}`;
const end = ({ offset, length }: CoverageClaim): number => offset + length;
