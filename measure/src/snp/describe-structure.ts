/**
 * What two firmware images say of themselves in other words: metadata sections, entries of the GUIDed table, files of
 * volumes; each with the bytes that it accounts for.
 * @module
 */
import { formatHex, ParseError } from "@bootproof/bytes";
import {
  findVolumes,
  type FirmwareVolume,
  type GuidTable,
  type GuidTableEntry,
  HASH_TABLE_GUID,
  parseGuidTable,
  parseSevMetadata,
  RESET_BLOCK_GUID,
  SECRET_AREA_GUID,
  SEV_METADATA_GUID,
  type SevMetadata,
  type SevSection,
} from "@bootproof/ovmf";
import type { Finding } from "../explain/explanation.ts";
import { type ComparedSection, describeSections } from "./describe-sections.ts";

/** Files told one by one; two builds from different sources may have many of their own. */
const MAX_FILES = 24;

/** Ranges that a difference in words accounts for, by distance from the end. */
export interface Accounted {
  readonly from: number;
  readonly to: number;
}

/** Findings of one kind and the bytes that they account for. */
export interface Structural {
  readonly findings: readonly Finding[];
  readonly ranges: readonly Accounted[];
}

/** Everything that the images' own structure says differently. Never throws on content. */
export function describeStructure(a: Uint8Array, b: Uint8Array): Structural[] {
  return [...describeMetadata(a, b), ...describeTable(a, b), ...describeFiles(a, b)];
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
    const details = findings.slice(1, MAX_FILES).map(({ what }) => what);
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

const range = (image: Uint8Array, offset: number, length: number): Accounted => ({
  from: image.length - offset,
  to: image.length - offset - length,
});

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
