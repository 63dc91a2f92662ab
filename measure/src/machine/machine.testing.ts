/**
 * Machines by their difference, and what descriptions say of them in short.
 * @module
 */
import { expect } from "vitest";

import type { MachineDescription } from "./description.ts";
import { parseQemuCommandLine } from "./parse-qemu.ts";

export const SNP =
  "-enable-kvm -machine q35,confidential-guest-support=s -object sev-snp-guest,id=s,cbitpos=51,reduced-phys-bits=1";
export const snp = (more: string): MachineDescription =>
  parseQemuCommandLine(`qemu-system-x86_64 ${SNP}${more}`);
export const es = (properties: string, more = ""): MachineDescription =>
  parseQemuCommandLine(
    `qemu-kvm -machine q35,confidential-guest-support=s -object sev-guest,id=s,cbitpos=51,reduced-phys-bits=1${properties}${more}`,
  );
export const codes = ({ notes }: MachineDescription): string[] =>
  notes.map(({ code, stops }) => (stops ? `${code} stops` : code));
export const stops = ({ notes }: MachineDescription): string[] =>
  notes.flatMap((note) => (note.stops ? [note.found] : []));
export const lacks = ({ missing }: MachineDescription): string[] => missing.map(({ what }) => what);
export const refusal = (code: string): Error =>
  expect.objectContaining({ name: "MeasureError", code }) as Error;
