/**
 * Two firmware images: sizes, what the GUIDed table and the SEV metadata say, and the bytes that nothing else
 * explains, each with the volume, file or table entry around it. Images end at 4 GiB, so they are aligned at their ends.
 * @module
 */
import { findVolumes, partFinder } from "@bootproof/ovmf";
import { differences, type DifferentStretch } from "../explain/byte-differences.ts";
import type { Finding } from "../explain/explanation.ts";
import { type Accounted, describeStructure } from "./describe-structure.ts";
import { LAUNCH_DIGEST, PAGE_SIZE } from "./page-info.ts";

const FOUR_GIB = 0x1_0000_0000;
/** Parts told one by one; two builds from different sources differ in every file. */
const MAX_PARTS = 64;

/** A difference of two images in words, at its distance from the images' end. */
interface Placed {
  readonly finding: Finding;
  /** Bytes from the place to the end of the image, so that images of different sizes compare. */
  readonly fromEnd: number;
}

/** How a platform measures an image: page by page, or as one piece. */
export type ImageUnit = "pages" | "whole";

/** Every difference of two images in words, the one that is measured first, first. Never throws on content. */
export function describeFirmwares(a: Uint8Array, b: Uint8Array, unit: ImageUnit = "pages"): Finding[] {
  const shared = Math.min(a.length, b.length);
  const [left, right] = [a.subarray(a.length - shared), b.subarray(b.length - shared)];
  const stretches = differences(left, right)?.stretches ?? [];
  const structure = describeStructure(a, b);
  const accounted = structure.flatMap(({ ranges }) => ranges);
  const loose = stretches.filter((stretch) => !isAccounted(stretch, shared, accounted));
  const placed = [
    ...structure.flatMap(({ findings, ranges }) => place(findings, ranges, stretches, shared)),
    ...describeBytes({ a, b, left, right }, loose),
  ].sort((one, other) => other.fromEnd - one.fromEnd);
  const findings = placed.map(({ finding, fromEnd }) => withPlace(finding, a, b, fromEnd, unit));
  return a.length === b.length ? findings : [describeSizes(a, b, stretches), ...findings];
}

function describeSizes(a: Uint8Array, b: Uint8Array, stretches: readonly DifferentStretch[]): Finding {
  const base = (image: Uint8Array): string =>
    `${image.length} bytes from guest address ${hex(FOUR_GIB - image.length)}`;
  const [longer, shorter, name] = a.length > b.length ? [a, b, "A"] : [b, a, "B"];
  const more = longer.length - shorter.length;
  const other = name === "A" ? "B" : "A";
  const volume = findVolumes(longer.subarray(0, more)).at(0);
  return {
    subject: "firmwareSize",
    what: "the firmware images have different sizes, so they start at different guest addresses",
    a: base(a),
    b: base(b),
    details: [
      stretches.length === 0
        ? `${other} is ${name} without its first ${hex(more)} bytes; aligned at the end, all else is equal`
        : `${name} has ${hex(more)} bytes more; aligned at the end, the images differ in other places too`,
      ...(volume === undefined
        ? []
        : [`they begin with the ${volume.name ?? `volume ${volume.fileSystem}`}`]),
      ...(stretches.length === 0 && volume?.files.length === 0
        ? ["as an image with its variable store (OVMF.fd) and one without (OVMF_CODE.fd)"]
        : []),
    ],
    register: LAUNCH_DIGEST,
    eventIndex: 0,
  };
}

interface Images {
  readonly a: Uint8Array;
  readonly b: Uint8Array;
  /** The bytes that both have, aligned at the end. */
  readonly left: Uint8Array;
  readonly right: Uint8Array;
}

/** The bytes that no words account for, by the part of the image around them. */
function describeBytes({ a, b, left, right }: Images, stretches: readonly DifferentStretch[]): Placed[] {
  if (stretches.length === 0) return [];
  const [find, findOther] = [partFinder(a), partFinder(b)];
  const parts = new Map<string, { first: number; count: number; stretches: number; other: string }>();
  for (const { offset, count } of stretches) {
    const name = find(offset + a.length - left.length)?.name ?? "firmware image";
    const other = findOther(offset + b.length - right.length)?.name ?? "firmware image";
    const part = parts.get(name);
    if (part === undefined) parts.set(name, { first: offset, count, stretches: 1, other });
    else {
      part.count += count;
      part.stretches += 1;
    }
  }
  const told = [...parts].slice(0, MAX_PARTS).map(([name, { first, count, stretches: places, other }]) => ({
    fromEnd: left.length - first,
    finding: {
      subject: "firmware",
      what: `${count} ${count === 1 ? "byte" : "bytes"} of ${name} ${count === 1 ? "differs" : "differ"}`,
      a: byteAt(left, first),
      b: byteAt(right, first),
      details: [
        ...(places > 1 ? [`in ${places} places`] : []),
        ...(other === name ? [] : [`in B the first of them lies in ${other}`]),
      ],
    },
  }));
  const next = [...parts.values()][MAX_PARTS];
  if (next === undefined) return told;
  const what = `${parts.size - told.length} more parts of the image differ`;
  return [
    ...told,
    { fromEnd: left.length - next.first, finding: { subject: "firmware", what, details: [] } },
  ];
}

function withPlace(
  finding: Finding,
  a: Uint8Array,
  b: Uint8Array,
  fromEnd: number,
  unit: ImageUnit,
): Finding {
  const [one, other] = [a.length - fromEnd, b.length - fromEnd];
  const offset = one === other ? hex(one) : `${hex(one)} of A and ${hex(other)} of B`;
  const address = FOUR_GIB - fromEnd;
  const page = unit === "pages" ? `, in the NORMAL page at ${hex(address - (address % PAGE_SIZE))}` : "";
  return {
    ...finding,
    details: [
      `first differing byte: file offset ${offset}, guest address ${hex(address)}${page}`,
      ...finding.details,
    ],
    register: LAUNCH_DIGEST,
    ...(one === other && { eventIndex: unit === "pages" ? Math.floor(one / PAGE_SIZE) : 0 }),
  };
}

/** Findings placed at the first byte that differs in their ranges, in their order. */
function place(
  findings: readonly Finding[],
  ranges: readonly Accounted[],
  stretches: readonly DifferentStretch[],
  shared: number,
): Placed[] {
  const first = stretches.find((stretch) => isAccounted(stretch, shared, ranges))?.offset ?? 0;
  return findings.map((finding) => ({ finding, fromEnd: shared - first }));
}

function isAccounted(
  { offset, length }: DifferentStretch,
  shared: number,
  ranges: readonly Accounted[],
): boolean {
  const [from, to] = [shared - offset, shared - offset - length];
  return ranges.some((range) => from <= range.from && to >= range.to);
}

const byteAt = (bytes: Uint8Array, offset: number): string =>
  `0x${(bytes[offset] ?? 0).toString(16).padStart(2, "0")}`;
const hex = (value: number): string => `0x${value.toString(16)}`;
