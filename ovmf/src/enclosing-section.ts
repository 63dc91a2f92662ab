/**
 * Where in a firmware image a byte lies, in words: for the first difference between two builds.
 * @module
 */
import { ParseError } from "@bootproof/bytes";
import { findVolumes } from "./firmware-volume.ts";
import { parseGuidTable } from "./guid-table.ts";
import { parseSevMetadata } from "./sev-metadata.ts";

/** The innermost named range around a byte. */
export interface EnclosingSection {
  readonly name: string;
  readonly offset: number;
  readonly length: number;
}

/** Finds the innermost part around a byte, or undefined when the byte lies outside the image. */
export type PartFinder = (offset: number) => EnclosingSection | undefined;

/** x86 starts at 4 GiB - 16: the last 16 bytes of the image (AMD64 manual volume 2, section 14.1.3). */
const RESET_VECTOR_LENGTH = 16;

/** Names the innermost part around the byte at `offset`, or undefined when it lies outside the image. Never throws on content. */
export function enclosingSection(firmware: Uint8Array, offset: number): EnclosingSection | undefined {
  return partFinder(firmware)(offset);
}

/** Reads an image's parts once, for naming the places of many bytes. Never throws on content. */
export function partFinder(firmware: Uint8Array): PartFinder {
  const small = [...tableParts(firmware), resetVector(firmware)];
  const volumes = volumeParts(firmware);
  const whole = { name: "firmware image", offset: 0, length: firmware.length };
  return (offset) => {
    if (!Number.isSafeInteger(offset) || offset < 0 || offset >= firmware.length) return undefined;
    const around = (part: EnclosingSection): boolean =>
      part.offset <= offset && offset < part.offset + part.length;
    const volume = lastNotAfter(volumes, offset);
    const file = volume === undefined ? undefined : lastNotAfter(volume.files, offset);
    return small.find(around) ?? [file, volume].find((part) => part !== undefined && around(part)) ?? whole;
  };
}

interface VolumePart extends EnclosingSection {
  readonly files: readonly EnclosingSection[];
}

/** The last of ascending parts that starts at or before `offset`. */
function lastNotAfter<P extends EnclosingSection>(parts: readonly P[], offset: number): P | undefined {
  let [low, high] = [0, parts.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((parts[middle]?.offset ?? 0) <= offset) low = middle + 1;
    else high = middle;
  }
  return parts[low - 1];
}

function resetVector(firmware: Uint8Array): EnclosingSection {
  const length = Math.min(RESET_VECTOR_LENGTH, firmware.length);
  return { name: "reset vector", offset: firmware.length - length, length };
}

/** Fields of the metadata header, 4 bytes each. */
const HEADER_FIELDS = [
  "SEV metadata signature",
  "SEV metadata length",
  "SEV metadata version",
  "number of SEV metadata sections",
];

/** Table entries, then the table itself, then the metadata sections and their header. */
function tableParts(firmware: Uint8Array): EnclosingSection[] {
  return tolerant(() => {
    const table = parseGuidTable(firmware);
    const entries = table.entries.map(({ name, guid, offset, data }) => ({
      name: `GUIDed table entry ${name ?? guid}`,
      offset,
      length: data.length + 18,
    }));
    const whole = { name: "GUIDed table footer", offset: table.offset, length: table.length };
    const metadata = tolerant(() => {
      const { offset, length, sections } = parseSevMetadata(firmware, table);
      const descriptors = sections.map((section) => ({
        name: `SEV metadata section ${section.index} (${section.name ?? `type ${section.type}`})`,
        offset: section.offset,
        length: 12,
      }));
      const fields = HEADER_FIELDS.map((field, index) => ({
        name: field,
        offset: offset + 4 * index,
        length: 4,
      }));
      return [...descriptors, ...fields, { name: "SEV metadata", offset, length }];
    });
    return [...entries, whole, ...metadata];
  });
}

/** Volumes ascending, each with its files ascending. */
function volumeParts(firmware: Uint8Array): VolumePart[] {
  return findVolumes(firmware).map((volume) => {
    const name = volume.name ?? volume.fileSystem;
    const files = volume.files.map((file) => ({
      name: `${name}, file ${file.name === undefined ? file.guid : `${file.guid} (${file.name})`}`,
      offset: file.offset,
      length: file.length,
    }));
    return { name, offset: volume.offset, length: volume.length, files };
  });
}

function tolerant(parts: () => EnclosingSection[]): EnclosingSection[] {
  try {
    return parts();
  } catch (error) {
    if (error instanceof ParseError) return [];
    throw error;
  }
}
