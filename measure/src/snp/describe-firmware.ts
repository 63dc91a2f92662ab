/**
 * Two firmware images: sizes, what the GUIDed table and the SEV metadata say, and the bytes that nothing else
 * explains, each with the volume, file or table entry around it. Images end at 4 GiB, so they are aligned at their ends.
 * @module
 */
import { formatHex, ParseError } from "@bootproof/bytes";
import {
  findVolumes,
  type FirmwareVolume,
  type GuidTable,
  type GuidTableEntry,
  parseGuidTable,
  parseSevMetadata,
  partFinder,
  RESET_BLOCK_GUID,
  SECRET_AREA_GUID,
  HASH_TABLE_GUID,
  SEV_METADATA_GUID,
  type SevMetadata,
  type SevSection,
} from "@bootproof/ovmf";
import { differences, type DifferentStretch } from "../explain/byte-differences.ts";
import type { Finding } from "../explain/explanation.ts";
import { type ComparedSection, describeSections } from "./describe-sections.ts";
import { LAUNCH_DIGEST, PAGE_SIZE } from "./page-info.ts";

const FOUR_GIB = 0x1_0000_0000;
/** Parts of an image listed one by one; two builds from different sources differ in every file. */
const MAX_PARTS = 24;

/** A difference of two images in words, at its distance from the images' end. */
interface Placed {
  readonly finding: Finding;
  /** Bytes from the place to the end of the image, so that images of different sizes compare. */
  readonly fromEnd: number;
}

/** Ranges that a difference in words accounts for, by distance from the end. */
interface Accounted {
  readonly from: number;
  readonly to: number;
}

/** How a platform measures an image: page by page, or as one piece. */
export type ImageUnit = "pages" | "whole";

/** Every difference of two images in words, the one that is measured first, first. Never throws on content. */
export function describeFirmwares(a: Uint8Array, b: Uint8Array, unit: ImageUnit = "pages"): Finding[] {
  const shared = Math.min(a.length, b.length);
  const [left, right] = [a.subarray(a.length - shared), b.subarray(b.length - shared)];
  const stretches = differences(left, right)?.stretches ?? [];
  const structure = [...describeMetadata(a, b), ...describeTable(a, b), ...describeFiles(a, b)];
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

/** Findings of one kind and the bytes that they account for. */
interface Structural {
  readonly findings: readonly Finding[];
  readonly ranges: readonly Accounted[];
}

function describeMetadata(a: Uint8Array, b: Uint8Array): Structural[] {
  const [one, other] = [metadataOf(a), metadataOf(b)];
  if (one === undefined || other === undefined) return [];
  const findings = describeSections(one.sections.map(toCompared), other.sections.map(toCompared));
  if (findings.length === 0) return [];
  const pointer = (image: Uint8Array): Accounted[] =>
    entriesOf(image)
      .filter(({ guid }) => guid === SEV_METADATA_GUID)
      .map(({ offset, data }) => range(image, offset, data.length));
  const ranges = [
    range(a, one.offset, one.length),
    range(b, other.offset, other.length),
    ...pointer(a),
    ...pointer(b),
  ];
  return [{ findings, ranges }];
}

const toCompared = ({ index, name, type, guestAddress, size }: SevSection): ComparedSection => ({
  index,
  type: name ?? `type ${hex(type)}`,
  guestAddress,
  size,
});

/** What the values of table entries mean, for entries that a launch reads. */
const ENTRY_MEANING: Readonly<Record<string, readonly [subject: string, what: string]>> = {
  [RESET_BLOCK_GUID]: ["resetAddress", "the AP reset address differs"],
  [HASH_TABLE_GUID]: ["hashTable", "the area for the kernel hashes table differs"],
  [SECRET_AREA_GUID]: ["secretArea", "the area for injected secrets differs"],
};

function describeTable(a: Uint8Array, b: Uint8Array): Structural[] {
  const [one, other] = [tableOf(a), tableOf(b)];
  if (one === undefined || other === undefined) return [];
  const guids = (table: GuidTable): string => table.entries.map(({ guid }) => guid).join();
  if (guids(one) !== guids(other)) return [otherEntries(a, b, one, other)];
  return one.entries.flatMap((entry, index): Structural[] => {
    const partner = other.entries[index];
    // The pointer to the metadata is told with the metadata.
    if (partner === undefined || formatHex(entry.data) === formatHex(partner.data)) return [];
    if (entry.guid === SEV_METADATA_GUID) return [];
    const ranges = [range(a, entry.offset, entry.data.length), range(b, partner.offset, partner.data.length)];
    return [{ findings: [describeEntry(entry, partner)], ranges }];
  });
}

function describeEntry(a: GuidTableEntry, b: GuidTableEntry): Finding {
  const name = `GUIDed table entry ${a.name ?? a.guid}`;
  const [subject, what] = ENTRY_MEANING[a.guid] ?? ["tableEntry", `${name} has other data`];
  return {
    subject,
    what,
    a: entryValue(a),
    b: entryValue(b),
    details: [
      name,
      ...(a.guid === RESET_BLOCK_GUID
        ? ["application processors start there: CS base and RIP of their VMSAs differ as well"]
        : []),
    ],
  };
}

function entryValue({ guid, data }: GuidTableEntry): string {
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  if (guid === RESET_BLOCK_GUID && data.length >= 4) return hex(view.getUint32(0, true));
  if (ENTRY_MEANING[guid] !== undefined && data.length >= 8)
    return `${hex(view.getUint32(4, true))} bytes at ${hex(view.getUint32(0, true))}`;
  return data.length > 32 ? `${data.length} bytes` : formatHex(data);
}

function otherEntries(a: Uint8Array, b: Uint8Array, one: GuidTable, other: GuidTable): Structural {
  const names = (table: GuidTable): string[] => table.entries.map(({ name, guid }) => name ?? guid);
  const [left, right] = [names(one), names(other)];
  const only = (side: string, these: string[], those: string[]): string[] =>
    these.filter((name) => !those.includes(name)).map((name) => `only ${side} has the entry ${name}`);
  const details = [...only("A", left, right), ...only("B", right, left)];
  const finding: Finding = {
    subject: "tableEntry",
    what: details[0] ?? "the GUIDed table has its entries in another order or another number",
    a: `${left.length} entries`,
    b: `${right.length} entries`,
    details: [...details, `A: ${left.join(", ")}`, `B: ${right.join(", ")}`],
  };
  return {
    findings: [finding],
    ranges: [range(a, one.offset, one.length), range(b, other.offset, other.length)],
  };
}

/** Files that only one image's volume has: whatever follows them in the volume lies elsewhere. */
function describeFiles(a: Uint8Array, b: Uint8Array): Structural[] {
  const [one, other] = [findVolumes(a), findVolumes(b)];
  return one.flatMap((volume): Structural[] => {
    const partner = other.find((it) => b.length - it.offset === a.length - volume.offset);
    if (partner === undefined) return [];
    const findings = [...onlyFiles("A", volume, partner), ...onlyFiles("B", partner, volume)];
    const [first] = findings;
    if (first === undefined) return [];
    const ranges = [range(a, volume.offset, volume.length), range(b, partner.offset, partner.length)];
    const details = findings.slice(1, MAX_PARTS).map(({ what }) => what);
    return [
      {
        findings: [{ ...first, details: [...details, "what follows in the volume lies elsewhere"] }],
        ranges,
      },
    ];
  });
}

function onlyFiles(side: string, volume: FirmwareVolume, other: FirmwareVolume): Finding[] {
  const theirs = new Set(other.files.map(({ guid }) => guid));
  return volume.files
    .filter(({ guid, name }) => name !== "padding" && !theirs.has(guid))
    .map(({ guid, name, length }) => ({
      subject: "firmwareFile",
      what: `only ${side} has the file ${guid}${name === undefined ? "" : ` (${name})`}, ${length} bytes, in volume ${volume.name ?? volume.fileSystem}`,
      details: [],
    }));
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
  return [...parts].map(([name, { first, count, stretches: places, other }]) => ({
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

const range = (image: Uint8Array, offset: number, length: number): Accounted => ({
  from: image.length - offset,
  to: image.length - offset - length,
});

const byteAt = (bytes: Uint8Array, offset: number): string =>
  `0x${(bytes[offset] ?? 0).toString(16).padStart(2, "0")}`;
const hex = (value: number): string => `0x${value.toString(16)}`;

const tableOf = (image: Uint8Array): GuidTable | undefined => tolerant(() => parseGuidTable(image));
const entriesOf = (image: Uint8Array): readonly GuidTableEntry[] => tableOf(image)?.entries ?? [];
const metadataOf = (image: Uint8Array): SevMetadata | undefined =>
  tolerant(() => parseSevMetadata(image, parseGuidTable(image)));

function tolerant<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch (error) {
    if (error instanceof ParseError) return undefined;
    throw error;
  }
}
