/**
 * Two VMSA pages, field by field.
 * AMD64 Architecture Programmer's Manual volume 2, table B-4 (state-save area of encrypted guests).
 * @module
 */
import { guestFeatureNames } from "./guest-features.ts";

/** A field in which two VMSAs differ. */
export interface VmsaFieldDifference {
  /** As the manual names it. */
  readonly name: string;
  /** Offset in the page. */
  readonly offset: number;
  readonly a: bigint;
  readonly b: bigint;
}

interface Field {
  readonly name: string;
  readonly offset: number;
  readonly length: 1 | 2 | 4 | 8;
}

const SEGMENTS = ["ES", "CS", "SS", "DS", "FS", "GS", "GDTR", "LDTR", "IDTR", "TR"];

const segmentFields = SEGMENTS.flatMap((name, index): Field[] => [
  { name: `${name} selector`, offset: index * 16, length: 2 },
  { name: `${name} attributes`, offset: index * 16 + 2, length: 2 },
  { name: `${name} limit`, offset: index * 16 + 4, length: 4 },
  { name: `${name} base`, offset: index * 16 + 8, length: 8 },
]);

const REGISTERS: Readonly<Record<string, number>> = {
  EFER: 0x0d0,
  XSS: 0x140,
  CR4: 0x148,
  CR3: 0x150,
  CR0: 0x158,
  DR7: 0x160,
  DR6: 0x168,
  RFLAGS: 0x170,
  RIP: 0x178,
  RSP: 0x1d8,
  RAX: 0x1f8,
  CR2: 0x240,
  G_PAT: 0x268,
  RCX: 0x308,
  RDX: 0x310,
  RBX: 0x318,
  RBP: 0x328,
  RSI: 0x330,
  RDI: 0x338,
  R8: 0x340,
  R9: 0x348,
  R10: 0x350,
  R11: 0x358,
  R12: 0x360,
  R13: 0x368,
  R14: 0x370,
  R15: 0x378,
  SEV_FEATURES: 0x3b0,
  VINTR_CTRL: 0x3b8,
  VIRTUAL_TOM: 0x3c8,
  XCR0: 0x3e8,
};

const FIELDS: readonly Field[] = [
  ...segmentFields,
  ...Object.entries(REGISTERS).map(([name, offset]): Field => ({ name, offset, length: 8 })),
  { name: "MXCSR", offset: 0x408, length: 4 },
  { name: "X87_FCW", offset: 0x410, length: 2 },
];

/** The fields in which two VMSA pages differ, in page order; a byte outside every named field is one by itself. */
export function compareVmsas(a: Uint8Array, b: Uint8Array): VmsaFieldDifference[] {
  const found: VmsaFieldDifference[] = [];
  const named = new Set<number>();
  for (const { name, offset, length } of FIELDS) {
    for (let at = offset; at < offset + length; at++) named.add(at);
    const [one, other] = [readField(a, offset, length), readField(b, offset, length)];
    if (one !== other) found.push({ name, offset, a: one, b: other });
  }
  for (let offset = 0; offset < Math.min(a.length, b.length); offset++) {
    if (named.has(offset) || a[offset] === b[offset]) continue;
    const [one, other] = [readField(a, offset, 1), readField(b, offset, 1)];
    found.push({ name: "unnamed byte", offset, a: one, b: other });
  }
  return found.sort((one, other) => one.offset - other.offset);
}

/** `RDX (VMSA offset 0x310): 0x800f12 and 0xa00f11`. */
export function formatFieldDifference({ name, offset, a, b }: VmsaFieldDifference): string {
  return `${name} (VMSA offset 0x${offset.toString(16)}): 0x${a.toString(16)} and 0x${b.toString(16)}`;
}

/** Which guest features one side has and the other lacks, by name. */
export function describeFeatures(a: bigint, b: bigint): string[] {
  const only = (one: bigint, other: bigint, side: string): string[] =>
    (one & ~other) === 0n ? [] : [`only ${side} has ${guestFeatureNames(one & ~other).join(", ")}`];
  return [...only(a, b, "A"), ...only(b, a, "B")];
}

function readField(page: Uint8Array, offset: number, length: number): bigint {
  let value = 0n;
  for (let at = offset + length - 1; at >= offset; at--) value = (value << 8n) | BigInt(page[at] ?? 0);
  return value;
}
