/**
 * Published measurements, shape by shape: what each machine would report.
 * @module
 */
import { formatDigest, ParseError } from "@bootproof/bytes";
import { MeasureError } from "@bootproof/measure";
import { contradictionWithManifest } from "@bootproof/measure/nitro/manifest";
import {
  checkReference,
  chooseProfile,
  defaultProfile,
  expandCounts,
  type SnpProfile,
} from "@bootproof/measure/snp";
import {
  hasAxes,
  parseCounts,
  type PlatformMeasurements,
  type ShapeRegisters,
  type SnpMeasurements,
} from "@bootproof/statement";
import type { Check } from "./answer.ts";

/** The registers of one shape. */
export interface ExpandedMeasurement {
  readonly platform: string;
  readonly shape: Readonly<Record<string, string | number>>;
  readonly registers: Readonly<Record<string, string>>;
}

/** Axes come from a publisher; their product bounds our work, not theirs. */
const MAX_SHAPES = 65_536;
/** VMSAs measured for one entry: a single shape of 4096 vCPUs takes as many. */
const MAX_VMSAS = 262_144;

/** What an entry asks for: shapes, and the VMSAs measured on the way to them. */
export interface ExpansionSize {
  readonly shapes: number;
  readonly vmsas: number;
}

/** How much there is to expand in an entry. */
export function expansionSize(entry: PlatformMeasurements): ExpansionSize {
  if (!hasAxes(entry)) return { shapes: 1, vmsas: 0 };
  const counts = parseCounts(entry.axes.vcpus, "vcpus");
  const guests = entry.axes.cpu.length * entry.axes.guestFeatures.length;
  return { shapes: counts.length * guests, vmsas: Math.max(...counts) * guests };
}

/** Every shape of an entry with its registers; throws {@link MeasureError} for what cannot be derived here. */
export function* expandMeasurements(entry: PlatformMeasurements): Generator<ExpandedMeasurement> {
  if (!hasAxes(entry)) {
    yield { platform: entry.platform, shape: entry.shape, registers: entry.registers };
    return;
  }
  const counts = parseCounts(entry.axes.vcpus, "vcpus");
  const { shapes, vmsas } = expansionSize(entry);
  if (shapes > MAX_SHAPES || vmsas > MAX_VMSAS)
    throw new MeasureError("BP-SNP-001", "too many shapes", {
      expected: `at most ${MAX_SHAPES} shapes with ${MAX_VMSAS} VMSAs`,
      found: `${shapes} with ${vmsas}`,
    });
  for (const cpu of entry.axes.cpu)
    for (const guestFeatures of entry.axes.guestFeatures)
      yield* expandShapes(entry, { cpu, guestFeatures }, counts);
}

/**
 * Whether every platform's values can be derived for every CPU and feature set that its axes name, and follow from the
 * firmware and kernel hashes, or the sections of an enclave image, where an entry states them.
 */
export function checkMeasurements(entries: readonly PlatformMeasurements[]): Check {
  const name = "measurements";
  try {
    for (const entry of entries.filter(hasAxes)) {
      const [vcpus = 1] = parseCounts(entry.axes.vcpus, "vcpus");
      for (const cpu of entry.axes.cpu)
        for (const guestFeatures of entry.axes.guestFeatures)
          expandShapes(entry, { cpu, guestFeatures }, [vcpus]).next();
    }
    const contradiction = entries
      .map((entry) => (hasAxes(entry) ? contradictionIn(entry) : contradictionInSections(entry)))
      .find(Boolean);
    if (contradiction !== undefined) return { name, answer: "no", reason: contradiction };
  } catch (error) {
    if (error instanceof MeasureError) return { name, answer: "undecided", reason: error.message };
    throw error;
  }
  const platforms = [...new Set(entries.map(({ platform }) => platform))].join(", ");
  return { name, answer: "yes", reason: `expected registers for ${platforms}` };
}

/** What the registers of an enclave image say against the sections that are stated beside them. */
const contradictionInSections = ({ registers, sections }: ShapeRegisters): string | undefined =>
  sections && contradictionWithManifest(registers, sections);

/** What an entry says that does not go with the rest of it; throws {@link MeasureError} for what is not known here. */
function contradictionIn(entry: SnpMeasurements): string | undefined {
  const { firmware, kernelHashes } = entry.reference;
  const profile = profileOf(entry);
  if (profile.vmm !== entry.vmm) return `profile ${profile.name} is of ${profile.vmm}, not of ${entry.vmm}`;
  if (firmware === undefined) return undefined;
  if ((kernelHashes !== undefined) !== entry.kernelHashes)
    return `kernel hashes are ${entry.kernelHashes ? "on and not stated" : "off and stated"}`;
  try {
    checkReference({ ...entry.reference, profile: profile.name });
    return undefined;
  } catch (error) {
    if (error instanceof ParseError || (error instanceof MeasureError && error.code === "BP-SNP-011"))
      return error.message;
    throw error;
  }
}

/** The profile that an entry names; older ones name only a VMM. Throws {@link MeasureError} for one not known here. */
const profileOf = ({ profile, vmm }: SnpMeasurements): SnpProfile => chooseProfile("snp", { profile, vmm });

function* expandShapes(
  entry: SnpMeasurements,
  { cpu, guestFeatures }: { cpu: string; guestFeatures: string },
  counts: readonly number[],
): Generator<ExpandedMeasurement> {
  const { name, vmm } = profileOf(entry);
  const shape = { cpu, guestFeatures: BigInt(guestFeatures) };
  // Only what is stated counts as published, so the firmware part, which gives any shape, stays out.
  const { prefix, vmsas } = entry.reference;
  const special = name === defaultProfile("snp", vmm).name ? {} : { profile: name };
  for (const { vcpus, launchDigest } of expandCounts({ profile: name, prefix, vmsas }, shape, counts))
    yield {
      platform: entry.platform,
      shape: { vmm, ...special, vcpus, cpu, guestFeatures },
      registers: { launchDigest: formatDigest(launchDigest) },
    };
}
