/**
 * @bootproof/measure/explain: why two launches measure differently, with the words of every platform.
 * @module
 */
import { bootsIgvm, igvmDescriber, igvmSide } from "../igvm/describe-launch.ts";
import { nitroDescriber } from "../nitro/describe-enclaves.ts";
import { nitroTraceRule } from "../nitro/trace-rule.ts";
import { sevTraceRule } from "../sev/trace-rule.ts";
import { compactSide } from "../snp/compact-side.ts";
import { amdDescriber, firmwareSide } from "../snp/describe-launch.ts";
import { snpTraceRule } from "../snp/trace-rule.ts";
import type { TraceRule } from "../trace-replay.ts";
import { alignStarts } from "./align-starts.ts";
import { explainLaunches } from "./explain.ts";
import type { Explanation } from "./explanation.ts";
import { type GuestFiles, measuredSide } from "./measured-side.ts";
import type { Describer, Side } from "./side.ts";

/** What a guest boots decides who has the words for it. */
const describer: Describer = {
  describe: (a, b, groups) =>
    (bootsIgvm(a) || bootsIgvm(b) ? igvmDescriber : amdDescriber).describe(a, b, groups),
};

/** The words of each platform. */
export const DESCRIBERS: Readonly<Record<string, Describer>> = {
  snp: describer,
  sev: describer,
  "sev-es": describer,
  nitro: nitroDescriber,
};

/** How the traces of each platform replay. */
export const TRACE_RULES: Readonly<Record<string, TraceRule>> = {
  snp: snpTraceRule,
  sev: sevTraceRule,
  "sev-es": sevTraceRule,
  nitro: nitroTraceRule,
};

/** Compares two launches of any platform. */
export function explain(a: Side, b: Side): Explanation {
  const [one, other] = a.platform === b.platform ? alignStarts(a, b, TRACE_RULES[a.platform]) : [a, b];
  return explainLaunches(one, other, DESCRIBERS);
}

export { bootsIgvm, compactSide, firmwareSide, type GuestFiles, igvmSide, measuredSide };
