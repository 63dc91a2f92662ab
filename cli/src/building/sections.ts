/**
 * Names the part of an artifact that a byte lies in, for the first difference of two builds.
 * @module
 */
import { enclosingSection } from "@bootproof/ovmf";
import { parseKernel } from "@bootproof/boot";
import { ParseError } from "@bootproof/bytes";

import { findEifSection } from "./eif-section.ts";

/** The part of a firmware, kernel, initrd or enclave image around an offset, when the format is known. */
export function describeSection(name: string, bytes: Uint8Array, offset: number): string | undefined {
  const place = findEifSection(bytes, offset);
  if (typeof place === "object") {
    const inner = describeSection(name, place.bytes, place.offset);
    return `${place.section}, ${inner ?? `+ 0x${place.offset.toString(16)}`}`;
  }
  if (place !== undefined) return place;
  return kernelSection(bytes, offset) ?? cpioSection(bytes, offset) ?? firmwareSection(bytes, offset);
}

function firmwareSection(bytes: Uint8Array, offset: number): string | undefined {
  const section = enclosingSection(bytes, offset);
  // The whole image is no place: what is not firmware is reported without one.
  if (section === undefined || section.length === bytes.length) return undefined;
  return `${section.name} + 0x${(offset - section.offset).toString(16)}`;
}

function kernelSection(bytes: Uint8Array, offset: number): string | undefined {
  const header = tolerant(() => parseKernel(bytes));
  if (header === undefined) return undefined;
  return offset < header.setupLength
    ? "real-mode setup"
    : `protected-mode kernel + 0x${(offset - header.setupLength).toString(16)}`;
}

const HEADER = 110;
const NAME_SIZE_AT = 94;
const FILE_SIZE_AT = 54;

/** Walks newc headers up to the offset; stops at the first that is none. */
function cpioSection(bytes: Uint8Array, offset: number): string | undefined {
  const text = (from: number, to: number): string =>
    Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString("latin1");
  for (let at = 0; at + HEADER <= bytes.length;) {
    if (!/^07070[12]$/.test(text(at, at + 6))) return undefined;
    const nameSize = Number.parseInt(text(at + NAME_SIZE_AT, at + NAME_SIZE_AT + 8), 16);
    const fileSize = Number.parseInt(text(at + FILE_SIZE_AT, at + FILE_SIZE_AT + 8), 16);
    if (Number.isNaN(nameSize) || Number.isNaN(fileSize) || nameSize === 0) return undefined;
    const data = at + HEADER + nameSize + padding(HEADER + nameSize);
    const next = data + fileSize + padding(fileSize);
    const name = text(at + HEADER, Math.min(at + HEADER + nameSize - 1, bytes.length));
    if (offset < data) return `header of ${name}`;
    if (offset < next) return `${name} + 0x${(offset - data).toString(16)}`;
    at = next;
  }
  return undefined;
}

function padding(length: number): number {
  return (4 - (length % 4)) % 4;
}

function tolerant<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch (error) {
    if (error instanceof ParseError) return undefined;
    throw error;
  }
}
