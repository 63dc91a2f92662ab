/**
 * The answer of a solver: which inputs differ from those given, or what was tried.
 * @module
 */
import { type Axis, candidateAt, type Choice, deviationsOf, type Standing, surpriseOf } from "./axis.ts";
import type { Hit, SearchResult, StageCount } from "./search.ts";
import type { Ladder, Space } from "./space.ts";

/** An input whose value is not the one given. */
export interface Difference {
  readonly input: string;
  /** How sure the user was of the other value. */
  readonly standing: Standing;
  /** Undefined for an input that was open. */
  readonly given: string | undefined;
  readonly found: string;
  readonly cause: string | undefined;
}

/** One way to come by the digest. */
export interface Match {
  readonly choice: Choice;
  readonly rung: number;
  /** The likeliest to name first; empty when everything is as given. */
  readonly differences: readonly Difference[];
  /** The tools whose known mistakes this takes: hardware reports another digest. */
  readonly tools: readonly string[];
  /** The bytes of the observed digest stand in reverse. */
  readonly reversed: boolean;
}

/** `match`: as given; `other-shape`: only with other inputs than those given; `none`: with nothing that was tried. */
export type SolutionVerdict = "match" | "other-shape" | "none";

/** How many values of an input were there to try. */
export interface AxisCount {
  readonly input: string;
  readonly values: number;
}

/** What a search ended with. */
export interface Solution {
  readonly verdict: SolutionVerdict;
  readonly match: Match | undefined;
  /** The same digest by other names, likeliest first. */
  readonly equivalent: readonly Match[];
  readonly digests: number;
  readonly stages: readonly StageCount[];
  readonly axes: readonly AxisCount[];
}

/** Judges what a search found. */
export function judge(space: Space, { hits, stages, digests }: SearchResult): Solution {
  const [match, ...others] = ranked(space, hits);
  const axes = space.axes.map(({ name, candidates }) => ({ input: name, values: candidates.length }));
  if (space.ladder !== undefined) axes.push({ input: space.ladder.name, values: space.ladder.rungs });
  const common = { equivalent: distinct(match, others), digests, stages, axes };
  if (match === undefined) return { verdict: "none", match, ...common };
  const asGiven = match.differences.every(({ standing }) => standing === "open");
  const real = match.tools.length === 0 && !match.reversed;
  return { verdict: asGiven && real ? "match" : "other-shape", match, ...common };
}

function ranked(space: Space, hits: readonly Hit[]): Match[] {
  const { axes, ladder } = space;
  const weighed = hits.map((hit) => ({
    match: toMatch(space, hit),
    tools: toolsOf(space, hit).length,
    deviations: deviationsOf(axes, hit.choice) + (ladder !== undefined && deviates(ladder, hit.rung) ? 1 : 0),
    surprise: surpriseOf(axes, hit.choice),
  }));
  weighed.sort((a, b) => a.tools - b.tools || a.deviations - b.deviations || a.surprise - b.surprise);
  return weighed.map(({ match }) => match);
}

const deviates = ({ standing, given }: Ladder, rung: number): boolean =>
  standing !== "open" && given !== rung;

/** Other names of the first match: none that says the same again, or the same and more. */
function distinct(first: Match | undefined, others: readonly Match[]): Match[] {
  const kept = first === undefined ? [] : [saying(first)];
  return others.filter((match) => {
    const said = saying(match);
    if (kept.some((earlier) => [...earlier].every((word) => said.has(word)))) return false;
    kept.push(said);
    return true;
  });
}

const saying = ({ differences }: Match): Set<string> => new Set(differences.map(({ found }) => found));

function toMatch(space: Space, hit: Hit): Match {
  const { choice, rung, needle } = hit;
  const ignored = space.ignored(choice, rung);
  const differences = space.axes.flatMap((axis, index) => {
    const position = choice[index] ?? 0;
    const same = position === 0 && axis.standing !== "open";
    return same || ignored.has(axis.name) ? [] : [axisDifference(axis, position)];
  });
  const { ladder } = space;
  const rungs = ladder === undefined || ignored.has(ladder.name) ? [] : ladderDifference(ladder, rung);
  return {
    choice,
    rung,
    differences: [...rungs, ...differences],
    tools: toolsOf(space, hit),
    reversed: needle > 0,
  };
}

function axisDifference(axis: Axis, position: number): Difference {
  const { label, cause } = candidateAt(axis, position);
  const given = axis.standing === "open" ? undefined : candidateAt(axis).label;
  return { input: axis.name, standing: axis.standing, given, found: label, cause };
}

function ladderDifference(ladder: Ladder, rung: number): Difference[] {
  const { name, standing, given } = ladder;
  const found = { input: name, found: ladder.label(rung), cause: ladder.cause(rung) };
  if (standing === "open") {
    const contradicted = ladder.contradicted?.(rung);
    const real = contradicted === undefined ? standing : "assumed";
    return [{ ...found, standing: real, given: contradicted }];
  }
  return given === rung
    ? []
    : [{ ...found, standing, given: given === undefined ? undefined : String(given) }];
}

function toolsOf({ axes, ladder }: Space, { choice, rung }: Hit): string[] {
  const tools = [
    ...choice.map((position, index) => candidateAt(axes[index], position).tool),
    ladder?.tool(rung),
  ];
  return tools.filter((tool) => tool !== undefined);
}
