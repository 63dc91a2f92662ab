/**
 * Many shapes of one guest at once: axes, and the launch digest of each combination.
 * @module
 */
import type { Sha384 } from "@bootproof/bytes";
import { eachOnce, type MeasureWarning } from "../measurement.ts";
import type { BootPlan } from "./boot-plan.ts";
import type { OpenedFirmware } from "./firmware-source.ts";
import { prepareMeasured, type SnpLaunch } from "./launch.ts";
import { shapeWarnings } from "./measure-snp.ts";
import { profileNamed } from "./profiles.ts";
import { type ResolvedShape, resolveShape, type SnpShape } from "./shape.ts";

/** The CPU of a shape, in one of the ways of naming it. */
export type CpuNaming = Pick<SnpShape, "cpu" | "vcpuSig" | "family" | "model" | "stepping">;

/** Values to combine. */
export interface ShapeAxes {
  /** Profiles by name. */
  readonly profiles: readonly string[];
  /** Empty: no CPU is named, which suits profiles that measure none. */
  readonly cpus: readonly CpuNaming[];
  /** Empty: what each profile gives. */
  readonly guestFeatures: readonly bigint[];
  readonly vcpus: readonly number[];
}

/** One combination and its launch digest. */
export interface MatrixRow {
  readonly shape: ResolvedShape;
  readonly launchDigest: Sha384;
}

/** Every combination, vCPU counts fastest; a profile that measures no CPU stands once, whatever CPUs are named. */
export function* combineAxes({ profiles, cpus, guestFeatures, vcpus }: ShapeAxes): Generator<SnpShape> {
  for (const profile of profiles)
    for (const cpu of namedCpus(profile, cpus))
      for (const features of guestFeatures.length === 0 ? [undefined] : guestFeatures)
        for (const count of vcpus) yield { profile, ...cpu, guestFeatures: features, vcpus: count };
}

/** The launch digests of many shapes. Throws like `measureSnp`; warnings, each once, go to `warn`. */
export function* measureMatrix(
  firmware: OpenedFirmware,
  boot: BootPlan,
  shapes: Iterable<SnpShape>,
  warn: (warning: MeasureWarning) => void,
): Generator<MatrixRow> {
  const launches = new Map<string, SnpLaunch>();
  const warnOnce = eachOnce(warn);
  warnOnce(boot.warnings);
  for (const given of shapes) {
    const shape = resolveShape(given);
    const launch = launches.get(shape.profile.name) ?? prepareMeasured(firmware, boot.digests, shape.profile);
    launches.set(shape.profile.name, launch);
    warnOnce([...launch.warnings, ...shapeWarnings(given, shape)]);
    yield { shape, launchDigest: launch.digest(shape) };
  }
}

function namedCpus(name: string, cpus: readonly CpuNaming[]): readonly CpuNaming[] {
  const profile = profileNamed(name);
  const measuresCpu = profile.platform !== "sev" && profile.vmsa.rdx === "cpu signature";
  return cpus.length === 0 || (!measuresCpu && cpus.length > 1) ? [{}] : cpus;
}
