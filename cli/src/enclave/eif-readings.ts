/**
 * The ways in which a file is read, each with digests, checksum and PCRs of its own: one when all readers agree.
 * @module
 */
import type { EifReading, UntrustedEifSection } from "@bootproof/boot/eif";
import { measureNitro } from "@bootproof/measure/nitro";

import { type EifFile, type EifFileDigests, hashEifFile, type HashOptions } from "./hash-eif.ts";

/** Who reads a file so: by the header's table, from section to section, or everyone. */
export type ReadingName = "table" | "walk" | "both";

/** One way of reading a file. */
export interface ReadingShown {
  readonly reading: ReadingName;
  readonly sections: readonly UntrustedEifSection[];
  /** Of each section; absent when they are more than a few times the file. */
  readonly sha384?: readonly Uint8Array[];
  /** Set when the sections are many times the file, and so were not hashed. */
  readonly repeats?: true;
  /** What this reader computes as the file's CRC-32. */
  readonly crc32?: number;
  /** PCRs of the image; absent when the reading does not come to its end, or nobody knows how it is measured. */
  readonly registers?: Readonly<Record<string, string>>;
}

/** Sections that overlap are hashed more than once; 32 places that all name the whole of a large file are not. */
const MAX_TIMES = 4;

/** Hashes each way of reading a file. */
export async function hashReadings(
  file: EifFile,
  reading: EifReading,
  options: HashOptions,
): Promise<ReadingShown[]> {
  const { table, walk } = reading;
  const complete = completeReadings(reading);
  if (placesOf(table) === placesOf(walk))
    return [
      await hashOne(file, { reading: "both", sections: table }, complete.table && complete.walk, options),
    ];
  return [
    await hashOne(file, { reading: "table", sections: table }, complete.table, options),
    await hashOne(file, { reading: "walk", sections: walk }, complete.walk, options),
  ];
}

async function hashOne(
  file: EifFile,
  shown: ReadingShown,
  complete: boolean,
  options: HashOptions,
): Promise<ReadingShown> {
  const total = shown.sections.reduce((sum, { size }) => sum + size, 0);
  if (shown.sections.length === 0) return shown;
  if (total > MAX_TIMES * file.size) return { ...shown, repeats: true };
  const digests = await hashEifFile(file, shown, options);
  const sha384 = digests.sections.map((section) => section.sha384);
  return complete
    ? { ...shown, sha384, crc32: digests.crc32, registers: pcrsOf(digests) }
    : { ...shown, sha384 };
}

function pcrsOf(digests: EifFileDigests): Record<string, string> {
  const { PCR0 = "", PCR1 = "", PCR2 = "" } = measureNitro(digests).registers;
  return { PCR0, PCR1, PCR2 };
}

/**
 * Whether each reading found all that it looked for: what stops in the middle is measured by nobody. How a file with
 * unknown flags is measured is not public.
 */
function completeReadings({ header, table, findings }: EifReading): { table: boolean; walk: boolean } {
  const known = findings.every(({ severity }) => severity !== "refused");
  return {
    table: known && table.length === header?.sectionCount,
    walk: known && findings.every(({ code }) => code !== "BP-EIF-016"),
  };
}

const placesOf = (sections: readonly UntrustedEifSection[]): string =>
  sections.map(({ headerOffset, size }) => `${headerOffset} ${size}`).join(", ");
