/**
 * Why two launches measure differently: the verdict from their registers, the words from the platform.
 * @module
 */
import { groupChanges } from "./change-groups.ts";
import { compareEvents } from "./compare-events.ts";
import { describeGroup, type GroupSummary, summarise } from "./describe-events.ts";
import type { ComparedRegister, Explanation, Finding } from "./explanation.ts";
import type { Describer, Side } from "./side.ts";

/** Findings told one by one: nobody reads more. */
const MAX_FINDINGS = 200;
/** Groups listed one by one; the rest is counted. */
const MAX_GROUPS = 200;

/** Compares two launches; `describers` are the platforms' by name. */
export function explainLaunches(
  a: Side,
  b: Side,
  describers: Readonly<Record<string, Describer>>,
): Explanation {
  if (a.platform !== b.platform) return otherPlatforms(a, b);
  const groups =
    a.events !== undefined && b.events !== undefined
      ? groupChanges(compareEvents(a.events, b.events))
      : undefined;
  const registers = compareRegisters(a, b);
  const problems = problemsOf(a, b);
  // What cannot launch measures nothing, so not the same as what can; of two that cannot nobody knows.
  const verdict = problems === undefined ? judge(registers, groups?.length) : judgeProblems(problems);
  const describer = Object.hasOwn(describers, a.platform) ? describers[a.platform] : undefined;
  const found = describer?.describe(a, b, groups) ?? groups?.map(describeGroup) ?? [];
  // Equal registers see nothing of what differs, whatever the words say.
  const seen = verdict === "same" ? [] : found.filter(({ register }) => register !== undefined);
  const unseen = verdict === "same" ? found.map(withoutRegister) : found.filter((it) => !seen.includes(it));
  const [first, ...more] = seen;
  return {
    verdict,
    platform: a.platform,
    ...(problems && { problems }),
    registers,
    ...(first && { first }),
    others: bounded(more),
    unseen: bounded(unseen),
    ...(groups && { events: summaries(groups) }),
    next: nextSteps(a, b, verdict, first),
  };
}

/** The first findings, and how many more there are. */
function bounded(findings: readonly Finding[]): Finding[] {
  const told = findings.slice(0, MAX_FINDINGS);
  const more = findings.length - told.length;
  return more === 0 ? told : [...told, { subject: "more", what: `${more} more differences`, details: [] }];
}

function otherPlatforms(a: Side, b: Side): Explanation {
  const first: Finding = {
    subject: "platform",
    what: "the launches are of different platforms",
    a: a.platform,
    b: b.platform,
    details: ["their registers hold different things, so nothing else can be compared"],
  };
  return {
    verdict: "differs",
    platform: a.platform,
    registers: compareRegisters(a, b),
    first,
    others: [],
    unseen: [],
    next: [],
  };
}

function compareRegisters(a: Side, b: Side): ComparedRegister[] {
  const names = [...new Set([...Object.keys(a.registers), ...Object.keys(b.registers)])];
  return names.map((name) => ({
    name,
    ...(a.registers[name] !== undefined && { a: a.registers[name] }),
    ...(b.registers[name] !== undefined && { b: b.registers[name] }),
  }));
}

/** Registers decide; without a register that both have, the events do. */
function judge(
  registers: readonly ComparedRegister[],
  differing: number | undefined,
): Explanation["verdict"] {
  const shared = registers.filter(({ a, b }) => a !== undefined && b !== undefined);
  if (shared.some(({ a, b }) => a !== b)) return "differs";
  if (shared.length > 0) return "same";
  if (differing === undefined) return "undecided";
  return differing === 0 ? "same" : "differs";
}

function problemsOf({ problem: a }: Side, { problem: b }: Side): Explanation["problems"] {
  if (a === undefined && b === undefined) return undefined;
  return { ...(a !== undefined && { a }), ...(b !== undefined && { b }) };
}

function judgeProblems({ a, b }: NonNullable<Explanation["problems"]>): Explanation["verdict"] {
  return a !== undefined && b !== undefined ? "undecided" : "differs";
}

function withoutRegister({ subject, what, a, b, details }: Finding): Finding {
  return { subject, what, ...(a !== undefined && { a }), ...(b !== undefined && { b }), details };
}

function summaries(groups: Parameters<typeof summarise>[0][]): Explanation["events"] {
  const listed: GroupSummary[] = groups.slice(0, MAX_GROUPS).map(summarise);
  return { groups: listed, more: groups.length - listed.length };
}

function nextSteps(a: Side, b: Side, verdict: Explanation["verdict"], first: Finding | undefined): string[] {
  if (verdict === "same") return [];
  if (verdict === "undecided" && a.problem === undefined)
    return ["measure both sides: bootproof measure ... --json writes what explain can compare"];
  if (first === undefined)
    return [
      "measure both sides again with --trace --json: the documents say too little to name what differs",
    ];
  const advice = first.next === undefined ? [] : [first.next];
  return a.events === undefined || b.events === undefined
    ? [
        ...advice,
        "with --trace --json on both measurements, or their files at hand, explain also names the bytes",
      ]
    : advice;
}
