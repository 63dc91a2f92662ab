/**
 * A shape where the answer is about one guest: each axis has at most one value.
 * @module
 */
import type { SnpShape } from "@bootproof/measure/snp";

import { usage } from "../frame/given.ts";
import type { ShapeAxes } from "./guest-request.ts";

/** The one shape of the axes, or undefined when nothing of it is given; a usage failure when there are several. */
export function readOneShape({ profiles, vmm, vcpus, cpus, guestFeatures }: ShapeAxes): SnpShape | undefined {
  const given = vcpus.length + cpus.length + guestFeatures.length;
  if (profiles === undefined && vmm === undefined && given === 0) return undefined;
  const several = [profiles ?? [], vcpus, cpus, guestFeatures].some(({ length }) => length > 1);
  if (profiles === "all" || several) throw usage("the answer is about one shape: give one of each");
  const [count] = vcpus;
  if (count === undefined) throw usage("--vcpus is missing");
  return { profile: profiles?.[0], vmm, vcpus: count, ...cpus[0], guestFeatures: guestFeatures[0] };
}
