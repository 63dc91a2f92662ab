/**
 * Published measurements, shape by shape: what each machine would report.
 * @module
 */
import { formatDigest } from "@bootproof/bytes";
import { MeasureError } from "@bootproof/measure";
import { defaultProfile, expandCounts } from "@bootproof/measure/snp";
import { hasAxes, parseCounts, type PlatformMeasurements, type SnpMeasurements } from "@bootproof/statement";
import type { Check } from "./answer.ts";

/** The registers of one shape. */
export interface ExpandedMeasurement {
  readonly platform: string;
  readonly shape: Readonly<Record<string, string | number>>;
  readonly registers: Readonly<Record<string, string>>;
}

/** Axes come from a publisher; their product bounds our work, not theirs. */
const MAX_SHAPES = 65_536;

/** Every shape of an entry with its registers; throws {@link MeasureError} for what cannot be derived here. */
export function* expandMeasurements(entry: PlatformMeasurements): Generator<ExpandedMeasurement> {
  if (!hasAxes(entry)) {
    yield { platform: entry.platform, shape: entry.shape, registers: entry.registers };
    return;
  }
  const counts = parseCounts(entry.axes.vcpus, "vcpus");
  const shapes = counts.length * entry.axes.cpu.length * entry.axes.guestFeatures.length;
  if (shapes > MAX_SHAPES)
    throw new MeasureError("BP-SNP-001", "too many shapes", {
      expected: `at most ${MAX_SHAPES}`,
      found: `${shapes}`,
    });
  for (const cpu of entry.axes.cpu)
    for (const guestFeatures of entry.axes.guestFeatures)
      yield* expandShapes(entry, { cpu, guestFeatures }, counts);
}

/** Whether every platform's values can be derived for every CPU and feature set that its axes name. */
export function checkMeasurements(entries: readonly PlatformMeasurements[]): Check {
  const name = "measurements";
  try {
    for (const entry of entries.filter(hasAxes)) {
      const [vcpus = 1] = parseCounts(entry.axes.vcpus, "vcpus");
      for (const cpu of entry.axes.cpu)
        for (const guestFeatures of entry.axes.guestFeatures)
          expandShapes(entry, { cpu, guestFeatures }, [vcpus]).next();
    }
  } catch (error) {
    if (error instanceof MeasureError) return { name, answer: "undecided", reason: error.message };
    throw error;
  }
  const platforms = [...new Set(entries.map(({ platform }) => platform))].join(", ");
  return { name, answer: "yes", reason: `expected registers for ${platforms}` };
}

function* expandShapes(
  entry: SnpMeasurements,
  { cpu, guestFeatures }: { cpu: string; guestFeatures: string },
  counts: readonly number[],
): Generator<ExpandedMeasurement> {
  const { name: profile, vmm } = defaultProfile("snp", entry.vmm);
  const shape = { cpu, guestFeatures: BigInt(guestFeatures) };
  for (const { vcpus, launchDigest } of expandCounts({ profile, ...entry.reference }, shape, counts))
    yield {
      platform: entry.platform,
      shape: { vmm, vcpus, cpu, guestFeatures },
      registers: { launchDigest: formatDigest(launchDigest) },
    };
}
