/**
 * What an OVMF image says to QEMU, read a second time: written from the formats alone, without the engine's parsers,
 * so that the two can be compared.
 * @module
 */

/** A metadata section as it stands in the image. */
export interface OracleSection {
  readonly address: number;
  readonly size: number;
  readonly type: number;
}

/** What a launch needs of an image. */
export interface OracleImage {
  readonly size: number;
  readonly resetAddress: number;
  readonly sections: readonly OracleSection[];
  readonly hashTable: { readonly address: number; readonly size: number } | undefined;
}

/** Offsets that mutations aim at. */
export interface Landmarks {
  readonly footer: number;
  /** End of each entry, where its GUID ends. */
  readonly entryEnds: readonly number[];
  readonly metadata: number | undefined;
}

// GUIDs as their bytes stand in an image.
const FOOTER = "de82b596b21ff745baeaa366c55a082d";
const RESET = "de71f7007e1acb4f890e68c77e2fb44e";
const HASHES = "1f3755723b3a044b927b1da6efa8d454";
const METADATA = "666588dc4a989847a75e5585a7bf67cc";

const guidAt = (image: Uint8Array, end: number): string =>
  Buffer.from(image.buffer, image.byteOffset + end - 16, 16).toString("hex");

const viewOf = (image: Uint8Array): DataView =>
  new DataView(image.buffer, image.byteOffset, image.byteLength);

/** Where the structures are, as far as they can be found. */
export function findLandmarks(image: Uint8Array): Landmarks {
  const footer = image.length - 32;
  const entries = walk(image);
  const pointer = entries?.find(({ guid }) => guid === METADATA);
  const distance = pointer && pointer.length >= 4 ? viewOf(image).getUint32(pointer.start, true) : undefined;
  const metadata = distance !== undefined && distance <= image.length ? image.length - distance : undefined;
  return { footer, entryEnds: entries?.map(({ end }) => end) ?? [], metadata };
}

/** Reads an image, or says why QEMU does not launch a guest with it. */
export function readImage(image: Uint8Array): OracleImage | string {
  if (image.length === 0 || image.length % 4096 !== 0 || image.length > 1 << 24) return "size";
  const entries = walk(image);
  if (entries === undefined) return "no table";
  const one = (guid: string): Entry | undefined | string => {
    const [found, second] = entries.filter((entry) => entry.guid === guid);
    return second === undefined ? found : "entry given twice";
  };
  const view = viewOf(image);
  const reset = one(RESET);
  if (typeof reset === "string" || reset === undefined || reset.length < 4) return "reset block";
  const resetAddress = view.getUint32(reset.start, true);
  if (resetAddress === 0) return "reset block";
  const pointer = one(METADATA);
  if (typeof pointer === "string" || pointer === undefined || pointer.length < 4) return "metadata pointer";
  const sections = readSections(image, view.getUint32(pointer.start, true));
  if (typeof sections === "string") return sections;
  const area = one(HASHES);
  if (typeof area === "string" || (area !== undefined && area.length < 8)) return "hash table area";
  const hashTable = area && {
    address: view.getUint32(area.start, true),
    size: view.getUint32(area.start + 4, true),
  };
  return { size: image.length, resetAddress, sections, hashTable };
}

function readSections(image: Uint8Array, distance: number): OracleSection[] | string {
  if (distance < 16 || distance > image.length) return "metadata pointer";
  const at = image.length - distance;
  const view = new DataView(image.buffer, image.byteOffset + at, distance);
  const signature = view.getUint32(0, false);
  const [length, version, count] = [4, 8, 12].map((offset) => view.getUint32(offset, true));
  if (length === undefined || version === undefined || count === undefined) return "metadata header";
  if (signature !== 0x4153_4556 || version !== 1 || length > distance) return "metadata header";
  if (count > 1024 || 16 + 12 * count > length) return "number of sections";
  return Array.from({ length: count }, (_, index) => {
    const [address, size, type] = [0, 4, 8].map((offset) => view.getUint32(16 + 12 * index + offset, true));
    return { address: address ?? 0, size: size ?? 0, type: type ?? 0 };
  });
}

interface Entry {
  readonly guid: string;
  readonly start: number;
  readonly length: number;
  readonly end: number;
}

/** The entries from the footer downwards, or undefined when there is no table. */
function walk(image: Uint8Array): Entry[] | undefined {
  if (image.length < 4096) return undefined;
  const view = viewOf(image);
  const footer = image.length - 32;
  if (guidAt(image, footer) !== FOOTER) return undefined;
  const whole = view.getUint16(footer - 18, true);
  if (whole < 18 || whole > footer) return undefined;
  const entries: Entry[] = [];
  for (let end = footer - 18; end - (footer - whole) >= 18;) {
    const length = view.getUint16(end - 18, true);
    if (length < 18 || end - length < footer - whole) break;
    entries.push({ guid: guidAt(image, end), start: end - length, length: length - 18, end });
    end -= length;
  }
  return entries;
}
