/**
 * The launch digest of a guest that boots an IGVM file, by one reading, with everything that explains it.
 * @module
 */
import { equalBytes, formatHex } from "@bootproof/bytes";
import { parseIgvm } from "@bootproof/ovmf/igvm";
import { makeMeasurement, type Measurement, type MeasureWarning } from "../measurement.ts";
import { LAUNCH_DIGEST } from "../snp/page-info.ts";
import type { AmdPlatform } from "../snp/profile.ts";
import { cpuWarnings } from "../snp/measure-snp.ts";
import { resolveShape, type SnpShape } from "../snp/shape.ts";
import { compareReadings, type ReadingAnswer } from "./compare-readings.ts";
import { igvmCoverage } from "./igvm-coverage.ts";
import { extendIgvm, igvmDigest, type IgvmEvent, igvmEvents, igvmStart } from "./igvm-digest.ts";
import { igvmFaults } from "./igvm-faults.ts";
import { idBlocks, type IgvmGuest, openGuest } from "./igvm-guest.ts";
import { contextsByProcessor, launchFeatures, type Processors } from "./igvm-processors.ts";
import { igvmReading, type IgvmReading, type IgvmReadingName } from "./readings.ts";
import { refuseUnlaunchable } from "./refuse.ts";

/** What the launch digest of an IGVM file depends on besides the file. */
export interface IgvmShape extends Pick<SnpShape, "cpu" | "vcpuSig" | "family" | "model" | "stepping"> {
  /** `snp` when absent. */
  readonly platform?: AmdPlatform | undefined;
  /** `qemu` when absent. */
  readonly reading?: string | undefined;
  /** 1 when absent. KVM measures each, so a CPU is needed when the file describes fewer. */
  readonly vcpus?: number | undefined;
}

/** A resolved shape as JSON. */
export interface IgvmShapeJson {
  readonly reading: IgvmReadingName;
  readonly vcpus: number;
  /** Of processors in reset state; absent when there are none. */
  readonly cpuSignature?: string;
  readonly guestFeatures: string;
}

/** The launch digest in the file's own SNP_ID_BLOCK. */
export interface IgvmIdBlockComparison {
  /** Lower-case hex, or undefined when the file has no ID block for the platform. */
  readonly launchDigest: string | undefined;
  /** Whether it is the measured one: `not there` without an ID block. */
  readonly matches: "yes" | "no" | "not there";
}

/** A measurement with what the file and other tools say of it. */
export interface IgvmMeasurement extends Measurement<IgvmShapeJson, IgvmEvent> {
  readonly idBlock: IgvmIdBlockComparison;
  /** Every reading of the platform, compared with the chosen one. */
  readonly readings: readonly ReadingAnswer[];
}

/**
 * Predicts the launch digest of an IGVM file. Throws ParseError for a file that no loader reads, MeasureError for one
 * that the reading does not launch and for a shape that does not fit the file.
 */
export function measureIgvm(bytes: Uint8Array, shape: IgvmShape = {}): IgvmMeasurement {
  const guest = openGuest(parseIgvm(bytes), shape.platform ?? "snp");
  const reading = igvmReading(shape.reading ?? "qemu");
  const { processors, warnings: shapeWarnings } = resolveProcessors(guest, shape);
  refuseUnlaunchable(guest, reading, processors);
  const digest = igvmDigest(guest, reading, processors);
  const readings = compareReadings(guest, processors, reading);
  const idBlock = compareIdBlock(guest, digest);
  const measurement = makeMeasurement<IgvmShapeJson, IgvmEvent>({
    platform: guest.platform,
    shape: shapeJson(guest, reading, processors),
    registers: { [LAUNCH_DIGEST]: digest },
    start: igvmStart(guest),
    extend: extendIgvm,
    events: () => igvmEvents(guest, reading, processors),
    coverage: igvmCoverage(guest),
    warnings: [...shapeWarnings, ...measureWarnings(guest, reading, processors, readings, idBlock)],
  });
  // Spreading would call the getter that makes events only when someone looks at them.
  return Object.assign(measurement, { idBlock, readings });
}

/** The processors of a shape; the CPU counts only where some processor is in reset state. */
function resolveProcessors(
  guest: IgvmGuest,
  shape: IgvmShape,
): { processors: Processors; warnings: readonly MeasureWarning[] } {
  const vcpus = shape.vcpus ?? 1;
  const { cpu, vcpuSig, family, model, stepping } = shape;
  const given = [cpu, vcpuSig, family, model, stepping].some((part) => part !== undefined);
  // Also judges the number of vCPUs; the signature of a CPU that nobody gave is thrown away.
  const identity = given ? { cpu, vcpuSig, family, model, stepping } : { vcpuSig: 0 };
  const { cpuSignature } = resolveShape({ profile: "qemu", vcpus, ...identity });
  const processors = { vcpus, cpuSignature: given ? cpuSignature : undefined };
  const used = inReset(guest, processors) > 0;
  return { processors, warnings: used ? cpuWarnings(cpu) : [] };
}

/** How many processors no VP context describes. */
function inReset(guest: IgvmGuest, { vcpus }: Processors): number {
  const described = [...contextsByProcessor(guest).keys()].filter((vcpu) => vcpu < vcpus);
  return guest.platform === "sev" ? 0 : vcpus - described.length;
}

function shapeJson(guest: IgvmGuest, reading: IgvmReading, processors: Processors): IgvmShapeJson {
  const { vcpus, cpuSignature } = processors;
  return {
    reading: reading.name,
    vcpus,
    ...(cpuSignature !== undefined && { cpuSignature: `0x${cpuSignature.toString(16)}` }),
    guestFeatures: `0x${launchFeatures(guest).toString(16)}`,
  };
}

/** Compares a digest with the one that the file's ID block expects. */
export function compareIdBlock(guest: IgvmGuest, digest: Uint8Array): IgvmIdBlockComparison {
  const [block] = idBlocks(guest);
  if (block === undefined) return { launchDigest: undefined, matches: "not there" };
  const matches = equalBytes(block.launchDigest, digest) ? "yes" : "no";
  return { launchDigest: formatHex(block.launchDigest), matches };
}

function measureWarnings(
  guest: IgvmGuest,
  reading: IgvmReading,
  processors: Processors,
  readings: readonly ReadingAnswer[],
  idBlock: IgvmIdBlockComparison,
): MeasureWarning[] {
  const warnings: [code: string, message: string][] = [];
  for (const { message } of igvmFaults(guest))
    warnings.push(["BP-IGVM-103", `upstream QEMU refuses the file: ${message}`]);
  const reset = inReset(guest, processors);
  if (reading.contexts === "each processor, last" && reset > 0)
    warnings.push([
      "BP-IGVM-104",
      `${reset} of ${processors.vcpus} vCPUs have no VP context: KVM measures them in reset state`,
    ]);
  if (idBlock.matches === "no")
    warnings.push([
      "BP-IGVM-102",
      `the file's ID block expects launch digest ${idBlock.launchDigest ?? ""}: the processor refuses this launch`,
    ]);
  for (const { reading: name, launchDigest, differences } of readings) {
    const [first, ...more] = differences;
    if (first === undefined) continue;
    const rest = more.length === 0 ? "" : `, and ${more.length} more`;
    warnings.push(["BP-IGVM-101", `reading ${name} gives ${launchDigest ?? ""}: ${first.message}${rest}`]);
  }
  return warnings.map(([code, message]) => ({ code, message, artifact: "firmware" }));
}
