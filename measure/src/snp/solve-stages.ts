/**
 * In which order a search for an SNP launch digest tries things: what goes wrong most often first.
 * @module
 */
import type { Axis, Choice } from "../solve/axis.ts";
import { choices } from "../solve/choices.ts";
import type { Space, Stage } from "../solve/space.ts";

/** What most machines have; a climb this far costs an eighth of a whole one. */
const USUAL_VCPUS = 64;

const FILE_AXES = new Set(["firmware", "reading", "kernelHashes", "bootFiles", "cmdline", "sections"]);
const SHAPE_AXES = new Set(["profile", "guestFeatures", "cpu"]);

/** The stages of a search, the likeliest first; the last ones take longer than anybody waits. */
export function amdStages({ axes, ladder }: Space): Stage[] {
  const all = ladder?.rungs ?? 1;
  const among = (deviations: number, rare: boolean): Iterable<Choice> => choices(axes, { deviations, rare });
  return [
    { name: "the inputs as given", choices: choices(axes, { deviations: 0 }), rungs: ladder?.given ?? all },
    { name: "one input changed", choices: oneChanged(axes), rungs: all },
    {
      name: "every vCPU count, CPU, feature set and profile",
      choices: choices(axes, { axes: SHAPE_AXES }),
      rungs: all,
    },
    { name: "two inputs changed", choices: among(2, false), rungs: all },
    {
      name: "files, kernel hashes and command line in every combination",
      choices: choices(axes, { axes: FILE_AXES, rare: true }),
      rungs: all,
    },
    { name: "three inputs changed", choices: among(3, false), rungs: Math.min(all, USUAL_VCPUS) },
    {
      name: "two inputs changed, rare values too",
      choices: among(2, true),
      rungs: Math.min(all, USUAL_VCPUS),
    },
    { name: "three inputs changed, more vCPUs", choices: among(3, false), rungs: all },
    { name: "everything in every combination", choices: choices(axes, {}), rungs: all },
    {
      name: "everything in every combination, rare values too",
      choices: choices(axes, { rare: true }),
      rungs: all,
    },
  ];
}

/** The number of vCPUs counts as an input: any number of them with nothing else changed comes first. */
function* oneChanged(axes: readonly Axis[]): Generator<Choice, void, undefined> {
  yield* choices(axes, { deviations: 0, rare: true });
  yield* choices(axes, { deviations: 1, rare: true });
}
