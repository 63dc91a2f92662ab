/**
 * Enclave images once more, from the format's document alone and in the plainest way: what a loader finds by the table,
 * what a walk finds, and the three values that the PCRs extend. Shares no code with the reader it judges.
 * @module
 */
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";

/** A section as it lies in the file. */
export interface OracleSection {
  readonly type: number;
  readonly flags: number;
  readonly start: number;
  readonly bytes: Uint8Array;
}

/** An image whose table and walk agree, to the last byte. */
export interface OracleEif {
  readonly flags: number;
  readonly version: number;
  readonly sections: readonly OracleSection[];
  readonly pcrs: readonly [string, string, string];
  readonly crcHolds: boolean;
}

const HEADER = 548;

/** Reads an image, or says why table and walk do not agree. */
export function readOracleEif(image: Uint8Array): OracleEif | string {
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  if (image.length < HEADER) return "too short";
  if (view.getUint32(0) !== 0x2e656966) return "other magic";
  const count = view.getUint16(0x1a);
  if (count > 32) return "too many sections";
  const sections: OracleSection[] = [];
  let at = HEADER;
  while (at < image.length) {
    if (at + 12 > image.length) return "a tail";
    const size = view.getBigUint64(at + 4);
    if (BigInt(at + 12) + size > BigInt(image.length)) return "a section beyond the end";
    const index = sections.length;
    if (index >= count) return "more sections than the table has";
    if (view.getBigUint64(0x1c + 8 * index) !== BigInt(at)) return "another offset in the table";
    if (view.getBigUint64(0x11c + 8 * index) !== size) return "another size in the table";
    const bytes = image.subarray(at + 12, at + 12 + Number(size));
    sections.push({ type: view.getUint16(at), flags: view.getUint16(at + 2), start: at + 12, bytes });
    at += 12 + Number(size);
  }
  if (sections.length !== count) return "fewer sections than the table has";
  return {
    flags: view.getUint16(6),
    version: view.getUint16(4),
    sections,
    pcrs: pcrsOf(sections),
    crcHolds: crc32(image.subarray(HEADER), crc32(image.subarray(0, 0x220))) === view.getUint32(0x220),
  };
}

function pcrsOf(sections: readonly OracleSection[]): [string, string, string] {
  const of = (type: number): OracleSection[] => sections.filter((section) => section.type === type);
  const first = of(3)[0];
  const measured = sections.filter(({ type }) => type >= 1 && type <= 3);
  const boot = measured.filter((section) => section.type !== 3 || section === first);
  const application = of(3).slice(1);
  const pcr = (parts: readonly OracleSection[]): string => {
    const inner = createHash("sha384");
    for (const { bytes } of parts) inner.update(bytes);
    return createHash("sha384").update(new Uint8Array(48)).update(inner.digest()).digest("hex");
  };
  return [pcr(measured), pcr(boot), pcr(application)];
}
