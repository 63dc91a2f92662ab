/**
 * The section manifest of an enclave image (EIF). PCRs hash the data of the sections as one byte string, so bytes can
 * move from one section into its neighbour and every PCR stays; the manifest says where each section ends.
 * @module
 */
import * as v from "valibot";
import { hex, type Schema, size } from "./schema.ts";

/** What a section of an EIF can be. */
export const SECTION_TYPES = ["kernel", "cmdline", "ramdisk", "signature", "metadata"] as const;

/** One section of an EIF, without its header. */
export interface SectionDigest {
  readonly type: (typeof SECTION_TYPES)[number];
  readonly size: number;
  /** Lower-case hex. */
  readonly sha384: string;
}

/** The header of an EIF has places for so many. */
const MAX_SECTIONS = 32;

const only = (sections: readonly SectionDigest[], type: SectionDigest["type"]): boolean =>
  sections.filter((section) => section.type === type).length === 1;

/** All sections of an image in file order: one kernel, one command line, at least one ramdisk. */
export const sectionManifest: Schema<SectionDigest[]> = v.pipe(
  v.array(v.strictObject({ type: v.picklist(SECTION_TYPES), size, sha384: hex(48) })),
  v.maxLength(MAX_SECTIONS, `at most ${MAX_SECTIONS} sections`),
  v.check((sections) => only(sections, "kernel"), "one kernel"),
  v.check((sections) => only(sections, "cmdline"), "one command line"),
  v.check((sections) => sections.some(({ type }) => type === "ramdisk"), "at least one ramdisk"),
);
