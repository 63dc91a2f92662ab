/**
 * From a machine's description to what `measure` takes: a shape, files, the exact command line.
 * @module
 */
import type { AmdPlatform } from "../snp/profile.ts";
import type { SnpShape } from "../snp/shape.ts";
import type { MachineCpu, MachineDescription, MachineNote, MissingPart } from "./description.ts";

/** What a person gives beside the description; wins over it. */
export interface GivenParts extends Partial<Omit<SnpShape, "vmm">> {
  readonly platform?: AmdPlatform | undefined;
  readonly firmware?: string | undefined;
  readonly igvm?: string | undefined;
  readonly kernel?: string | undefined;
  readonly initrd?: string | undefined;
  readonly cmdline?: string | undefined;
}

/** Paths as the definition writes them; only what is measured. */
export interface MachineFiles {
  readonly firmware?: string;
  readonly igvm?: string;
  readonly kernel?: string;
  readonly initrd?: string;
}

/** Everything that a measurement takes, or why there is none. */
export type MachineShape =
  | {
      readonly ready: true;
      readonly platform: AmdPlatform;
      /** On SEV neither vCPUs nor CPU are measured: the shape has one vCPU and no CPU unless the definition gives them. */
      readonly shape: SnpShape;
      readonly files: MachineFiles;
      /** With a measured kernel only; exact. */
      readonly cmdline?: string;
    }
  | {
      readonly ready: false;
      readonly missing: readonly MissingPart[];
      readonly stops: readonly MachineNote[];
    };

/** The shape and files of a description, completed with what is given; else what is missing or stops a measurement. */
export function toShape(description: MachineDescription, given: GivenParts = {}): MachineShape {
  const missing = description.missing.filter((part) => !gives(given, part));
  const stops = description.notes.filter((note) => note.stops);
  const platform = given.platform ?? description.platform;
  if (platform === undefined || missing.length > 0 || stops.length > 0)
    return { ready: false, missing, stops };
  const kernel = given.kernel ?? (description.kernelHashes === true ? description.kernel : undefined);
  return {
    ready: true,
    platform,
    shape: shapeOf(description, given),
    files: filesOf(description, given, kernel),
    ...(kernel !== undefined && { cmdline: given.cmdline ?? description.cmdline ?? "" }),
  };
}

function gives(given: GivenParts, { what }: MissingPart): boolean {
  if (what === "cpu") return cpuGiven(given);
  if (what === "firmware") return given.firmware !== undefined || given.igvm !== undefined;
  return given[what] !== undefined;
}

const cpuGiven = ({ cpu, vcpuSig, family, model, stepping }: GivenParts): boolean =>
  [cpu, vcpuSig, family, model, stepping].some((part) => part !== undefined);

function shapeOf(description: MachineDescription, given: GivenParts): SnpShape {
  const { cpu, vcpuSig, family, model, stepping } = given;
  return {
    vmm: description.vmm,
    profile: given.profile ?? description.profileHints[0],
    vcpus: given.vcpus ?? description.vcpus ?? 1,
    guestFeatures: given.guestFeatures ?? description.guestFeatures,
    ...(cpuGiven(given) ? { cpu, vcpuSig, family, model, stepping } : cpuShape(description.cpu)),
  };
}

function cpuShape(cpu: MachineCpu | undefined): Partial<SnpShape> {
  if (cpu?.kind === "model") return { cpu: cpu.name };
  if (cpu?.kind === "identity") return { family: cpu.family, model: cpu.model, stepping: cpu.stepping };
  return {};
}

function filesOf(description: MachineDescription, given: GivenParts, kernel?: string): MachineFiles {
  const igvm = given.igvm ?? (given.firmware === undefined ? description.igvm : undefined);
  const firmware = igvm === undefined ? (given.firmware ?? description.firmware) : undefined;
  const initrd = kernel === undefined ? undefined : (given.initrd ?? description.initrd);
  return {
    ...(firmware !== undefined && { firmware }),
    ...(igvm !== undefined && { igvm }),
    ...(kernel !== undefined && { kernel }),
    ...(initrd !== undefined && { initrd }),
  };
}
