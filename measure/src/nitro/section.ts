/**
 * Sections of an EIF as its measurement sees them: kinds, sizes and digests, in file order.
 * @module
 */
import type { EifSectionType } from "@bootproof/boot/eif";
import type { Sha384 } from "@bootproof/bytes";

/** A section in its place: what is needed to hash it. */
export interface PlannedSection {
  readonly type: EifSectionType;
  /** Bytes of data, without the 12-byte header. */
  readonly size: number;
}

/** A section that was hashed: a line of the section manifest. */
export interface HashedSection extends PlannedSection {
  readonly sha384: Sha384;
}

/** Whether the register values depend on a section's data. */
export const isMeasured = ({ type }: PlannedSection): boolean =>
  type === "kernel" || type === "cmdline" || type === "ramdisk";

/** The name of each section among its kind: `kernel`, `ramdisk 0`, `ramdisk 1`. */
export function sectionNames(sections: readonly PlannedSection[]): string[] {
  let ramdisks = 0;
  return sections.map(({ type }) => (type === "ramdisk" ? `ramdisk ${ramdisks++}` : type));
}
