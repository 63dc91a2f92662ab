/**
 * Collects what a definition tells a person beside its values.
 * @module
 */
import type { MachineNote, MachineNoteCode, MachinePart, MachineSource, MissingPart } from "./description.ts";

/** Notes and missing parts, in the order in which they are found. */
export class Findings {
  readonly source: MachineSource;
  readonly notes: MachineNote[] = [];
  readonly missing: MissingPart[] = [];

  constructor(source: MachineSource) {
    this.source = source;
  }

  /** The words of the definition that is read: libvirt's users write no QEMU options. */
  words(qemu: string, libvirt: string): string {
    return this.source === "libvirt" ? libvirt : qemu;
  }

  /** Something to know; a digest is still right. */
  note(code: MachineNoteCode, found: string, means: string): void {
    this.notes.push({ code, found, means, stops: false });
  }

  /** Something with which a digest would be wrong, or no machine starts. */
  stop(code: MachineNoteCode, found: string, means: string): void {
    this.notes.push({ code, found, means, stops: true });
  }

  /** A part that has to come from elsewhere. */
  lack(what: MachinePart, why: string, give: string): void {
    this.missing.push({ what, why, give });
  }
}
