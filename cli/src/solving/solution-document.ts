/**
 * A solution as the document `bootproof/solution/1`.
 * @module
 */
import { formatHex } from "@bootproof/bytes";
import type { Difference, Match } from "@bootproof/measure/solve";

import type { GuestInput } from "../measuring/guest-files.ts";
import type { TimedSolution } from "./run-search.ts";
import type { GuestSpace } from "./search-guest.ts";

/** Everything that is said about one search. */
export interface Answer {
  readonly platform: string;
  /** The digest that was searched for, hex. */
  readonly observed: string;
  /** What the inputs as given measure to; undefined when they do not launch, or are not complete. */
  readonly predicted: string | undefined;
  readonly solution: TimedSolution;
  readonly space: GuestSpace;
  readonly inputs: readonly GuestInput[];
  readonly command: string | undefined;
  readonly hints: readonly string[];
  readonly notTried: readonly { readonly what: string; readonly why: string }[];
  readonly next: readonly string[];
}

/** The answer for programs. */
export function solutionDocument(answer: Answer): object {
  const { platform, observed, predicted, solution, inputs, command, hints, notTried, next } = answer;
  const { verdict, match, equivalent, digests, seconds, axes, stages } = solution;
  return {
    schema: "bootproof/solution/1",
    verdict,
    platform,
    observed,
    predicted,
    inputs,
    ...(match !== undefined && {
      match: { ...matchDocument(match), guest: guestDocument(answer.space, match), command },
      equivalent: equivalent.map(matchDocument),
    }),
    tried: { digests, seconds: Number(seconds.toFixed(3)), inputs: axes, stages },
    notTried,
    hints,
    next,
  };
}

function matchDocument({ differences, tools, reversed }: Match): object {
  return { differences: differences.map(differenceDocument), tools, reversed };
}

const differenceDocument = ({ input, standing, given, found, cause }: Difference): object => ({
  input,
  standing,
  ...(given !== undefined && { given }),
  found,
  ...(cause !== undefined && { cause }),
});

/** The guest of a match: what a measurement's shape says, and how its files are used. */
function guestDocument(space: GuestSpace, match: Match): object {
  const { profile, cpu, guestFeatures, loaded, kernelHashes, bootFiles, cmdline } = space.guess(match.choice);
  const ignored = space.ignored(match.choice, match.rung);
  const measured = !ignored.has("cpu");
  return {
    profile: profile.name,
    vmm: profile.vmm,
    vcpus: match.rung,
    ...(measured && cpu.model !== undefined && { cpu: cpu.model }),
    ...(measured && { cpuSignature: `0x${cpu.signature.toString(16)}` }),
    guestFeatures: `0x${guestFeatures.toString(16)}`,
    firmware: loaded.name,
    kernelHashes,
    ...(kernelHashes && { bootFiles }),
    ...(kernelHashes && cmdline.text !== undefined && { cmdline: formatHex(cmdline.text) }),
  };
}
