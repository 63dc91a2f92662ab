/**
 * The shapes that a request's axes name.
 * @module
 */
import {
  combineAxes,
  defaultProfile,
  type Profile,
  profileNamed,
  PROFILES,
  type SnpShape,
} from "@bootproof/measure/snp";

import { usage } from "../frame/given.ts";
import type { GuestRequest } from "./guest-request.ts";

/** As many as every vCPU count of a dozen CPUs, feature sets and profiles has. */
const MAX_SHAPES = 1_000_000;

/** Every combination of the axes, vCPU counts fastest. */
export function shapesOf(request: GuestRequest): SnpShape[] {
  const { platform, igvm, axes } = request;
  const { vcpus, cpus, guestFeatures } = axes;
  if (vcpus.length === 0 && platform !== "sev" && igvm === undefined)
    throw usage("--vcpus is missing", "the number of vCPUs that the guest starts with (-smp)");
  const counts = vcpus.length === 0 ? [1] : vcpus;
  if (igvm !== undefined) return igvmShapes(request, counts);
  const profiles = profileNames(request);
  const size = profiles.length * Math.max(1, cpus.length) * Math.max(1, guestFeatures.length) * counts.length;
  if (size > MAX_SHAPES) throw usage(`${size} shapes are too many: at most ${MAX_SHAPES}`);
  const shapes = [...combineAxes({ profiles, cpus, guestFeatures, vcpus: counts })];
  // Whoever chose no profile is told when the choice made for them matters.
  return axes.profiles === undefined
    ? shapes.map(({ profile = "", ...shape }) => ({ ...shape, vmm: profileNamed(profile).vmm }))
    : shapes;
}

/** IGVM files bring their own start state: the profile is the reading. */
function igvmShapes({ axes }: GuestRequest, counts: readonly number[]): SnpShape[] {
  const { profiles, vmm, cpus, guestFeatures } = axes;
  const named = typeof profiles === "string" ? profiles : profiles?.[0];
  const common = {
    ...(named !== undefined && { profile: named }),
    ...(vmm !== undefined && { vmm }),
    guestFeatures: guestFeatures[0],
  };
  return (cpus.length === 0 ? [{}] : cpus).flatMap((cpu) =>
    counts.map((count) => ({ ...common, ...cpu, vcpus: count })),
  );
}

function profileNames(request: GuestRequest): string[] {
  const {
    platform,
    axes: { profiles, vmm },
  } = request;
  const usable = PROFILES.filter((profile) => profile.platform === platform && boots(profile, request));
  if (profiles === "all") {
    const home = vmm === undefined ? undefined : defaultProfile(platform, vmm).vmm;
    return usable.filter((one) => home === undefined || one.vmm === home).map(nameOf);
  }
  if (profiles === undefined) {
    const usual = defaultProfile(platform, vmm ?? (request.regions.length > 0 ? "libkrun" : "qemu"));
    // A VMM that is named is not changed for another that boots such images.
    const booting = usable.find((one) => vmm === undefined || one.vmm === usual.vmm);
    return [boots(usual, request) ? usual.name : nameOf(booting ?? usual)];
  }
  const chosen = profiles.map(profileNamed);
  const alien = chosen.find((one) => one.platform !== platform);
  if (alien !== undefined)
    throw usage(`profile ${alien.name} is one of ${alien.platform}`, `bootproof measure ${alien.platform}`);
  const elsewhere = chosen.find((one) => vmm !== undefined && one.vmm !== vmm);
  if (elsewhere !== undefined)
    throw usage(
      `profile ${elsewhere.name} is one of ${elsewhere.vmm}, not of ${vmm}`,
      "give only one of them",
    );
  return chosen.map(nameOf);
}

/** Whether guests of a profile boot the kind of image that is given. */
function boots(profile: Profile, { svsm, regions }: GuestRequest): boolean {
  if (profile.platform !== "snp") return true;
  return profile.image === (svsm !== undefined ? "svsm" : regions.length > 0 ? "regions" : "ovmf");
}

const nameOf = ({ name }: Profile): string => name;
