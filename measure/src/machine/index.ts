/**
 * @bootproof/measure/machine: shapes from what people start machines with.
 * @module
 */
export type {
  MachineCpu,
  MachineDescription,
  MachineNote,
  MachineNoteCode,
  MachinePart,
  MachineSource,
  MissingPart,
} from "./description.ts";
export { parseKataConfiguration } from "./parse-kata.ts";
export { parseLibvirtDomain } from "./parse-libvirt.ts";
export { parseQemuCommandLine } from "./parse-qemu.ts";
export { type GivenParts, type MachineFiles, type MachineShape, toShape } from "./to-shape.ts";
