/**
 * Names the part of an enclave image that a byte lies in, by the table of its header. It only helps people to find the
 * place where two files differ; what a file means is for the strict reader to say.
 * @module
 */
import {
  EIF_HEADER_SIZE,
  EIF_MAX_SECTIONS,
  EIF_SECTION_HEADER_SIZE,
  EIF_SECTION_NUMBERS,
  startsEif,
} from "@bootproof/boot/eif";

const COUNT_AT = 0x1a;
const OFFSETS_AT = 0x1c;
const SIZES_AT = 0x11c;

/** A section around an offset. */
export interface EifPlace {
  /** As in `ramdisk 2`. */
  readonly section: string;
  readonly bytes: Uint8Array;
  /** In the section. */
  readonly offset: number;
}

/** The section around an offset, its header as text, or undefined for another file and for bytes of no section. */
export function findEifSection(file: Uint8Array, offset: number): EifPlace | string | undefined {
  if (!startsEif(file) || file.length < EIF_HEADER_SIZE) return undefined;
  if (offset < EIF_HEADER_SIZE) return "EIF header";
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const counts = new Map<string, number>();
  const sections = Math.min(view.getUint16(COUNT_AT), EIF_MAX_SECTIONS);
  for (let index = 0; index < sections; index++) {
    const header = Number(view.getBigUint64(OFFSETS_AT + 8 * index));
    const size = Number(view.getBigUint64(SIZES_AT + 8 * index));
    const start = header + EIF_SECTION_HEADER_SIZE;
    if (header < EIF_HEADER_SIZE || start + size > file.length) continue;
    const type = typeName(view.getUint16(header));
    const count = (counts.get(type) ?? 0) + 1;
    counts.set(type, count);
    const section = type === "ramdisk" ? `ramdisk ${String(count)}` : type;
    if (offset >= header && offset < start) return `header of ${section}`;
    if (offset >= start && offset < start + size)
      return { section, bytes: file.subarray(start, start + size), offset: offset - start };
  }
  return undefined;
}

function typeName(number: number): string {
  const known = Object.entries(EIF_SECTION_NUMBERS).find(([, value]) => value === number);
  return known?.[0] ?? `section of type ${String(number)}`;
}
