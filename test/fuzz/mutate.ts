/**
 * Changes to bytes: anywhere, and at the structures of an OVMF image, where a change means something.
 * @module
 */
import { findLandmarks, type Landmarks } from "./oracle/firmware-image.ts";
import type { Random } from "./random.ts";

type Bytes = Uint8Array<ArrayBuffer>;
type Mutation = (image: Bytes, random: Random, others: readonly Bytes[]) => Bytes;

/** Bytes at the end of an image in which edk2 puts table and metadata. */
const STRUCTURES = 0x600;

const patched = (image: Bytes, at: number, size: 1 | 2 | 4, value: number): Bytes => {
  if (at < 0 || at + size > image.length) return image;
  const view = new DataView(image.buffer, image.byteOffset);
  if (size === 1) view.setUint8(at, value);
  else if (size === 2) view.setUint16(at, value, true);
  else view.setUint32(at, value, true);
  return image;
};

const readU32 = (image: Bytes, at: number): number =>
  at < 0 || at + 4 > image.length ? 0 : new DataView(image.buffer, image.byteOffset).getUint32(at, true);

/** A new array with `insert` in place of the bytes from `start` to `end`. */
function spliced(image: Bytes, start: number, end: number, insert: Uint8Array): Bytes {
  const result = new Uint8Array(image.length - (end - start) + insert.length);
  result.set(image.subarray(0, start));
  result.set(insert, start);
  result.set(image.subarray(end), start + insert.length);
  return result;
}

/** Changes that know nothing of the format. */
const BLIND: readonly Mutation[] = [
  function flipBit(image, random) {
    const at = random.below(image.length);
    return patched(image, at, 1, (image[at] ?? 0) ^ (1 << random.below(8)));
  },
  function setNumber(image, random) {
    const at = random.below(image.length);
    return patched(image, at, random.pick([1, 2, 4]), random.telling(readU32(image, at)));
  },
  function truncate(image, random) {
    const length = random.oneIn(2)
      ? 64 * random.below(image.length / 64 + 1)
      : random.below(image.length + 1);
    return random.oneIn(2) ? image.slice(0, length) : image.slice(image.length - length);
  },
  function remove(image, random) {
    const start = random.below(image.length + 1);
    return spliced(image, start, Math.min(image.length, start + 1 + random.below(64)), new Uint8Array());
  },
  function insert(image, random) {
    const start = random.below(image.length + 1);
    return spliced(image, start, start, new Uint8Array(1 + random.below(64)).fill(random.below(256)));
  },
  function cross(image, random, others) {
    const other = random.pick(others);
    const fromEnd = random.below(Math.min(image.length, other.length) + 1);
    return spliced(image, image.length - fromEnd, image.length, other.subarray(other.length - fromEnd));
  },
  function copyWithin(image, random) {
    const from = random.below(image.length);
    const length = 1 + random.below(48);
    return image.copyWithin(random.below(image.length), from, from + length);
  },
];

/** Changes to a generic file. */
export function mutateBytes(start: Bytes, random: Random, others: readonly Bytes[]): Bytes {
  let bytes = start;
  do {
    if (bytes.length === 0) return bytes;
    bytes = random.pick(BLIND)(bytes, random, others);
  } while (!random.oneIn(2));
  return bytes;
}

/** Changes to a firmware image, most of them to its structures. */
export function mutateFirmware(start: Bytes, random: Random, others: readonly Bytes[]): Bytes {
  let image = start;
  do {
    if (image.length === 0) return image;
    image = random.oneIn(4)
      ? random.pick(BLIND)(image, random, others)
      : random.pick(KNOWING)(image, random, others);
  } while (!random.oneIn(3));
  return image;
}

const aimed =
  (change: (image: Bytes, random: Random, marks: Landmarks) => Bytes): Mutation =>
  (image, random) =>
    change(image, random, findLandmarks(image));

/** An offset of a section descriptor, or undefined when no metadata is found. */
function descriptor(image: Bytes, random: Random, { metadata }: Landmarks): number | undefined {
  if (metadata === undefined) return undefined;
  const count = readU32(image, metadata + 12);
  return metadata + 16 + 12 * random.below(Math.max(1, Math.min(count, 64)));
}

const KNOWING: readonly Mutation[] = [
  function nearTheEnd(image, random) {
    const at = image.length - 1 - random.below(Math.min(image.length, STRUCTURES));
    return patched(image, at, random.pick([1, 1, 2, 4]), random.telling(readU32(image, at)));
  },
  aimed(function tableLength(image, random, { footer }) {
    return patched(image, footer - 18, 2, random.telling(readU32(image, footer - 18) & 0xffff));
  }),
  aimed(function entry(image, random, { entryEnds }) {
    const end = entryEnds.length === 0 ? image.length : random.pick(entryEnds);
    switch (random.below(4)) {
      case 0:
        return patched(image, end - 18, 2, random.telling(readU32(image, end - 18) & 0xffff));
      case 1:
        return patched(image, end - 1 - random.below(16), 1, random.below(256));
      case 2:
        return patched(image, end - 22, 4, random.telling(readU32(image, end - 22)));
      default:
        return patched(image, end - 26, 4, random.telling(readU32(image, end - 26)));
    }
  }),
  aimed(function duplicateEntry(image, random, { entryEnds }) {
    if (entryEnds.length < 2) return image;
    const [from, to] = [random.pick(entryEnds), random.pick(entryEnds)];
    return from < 18 || to < 18 ? image : image.copyWithin(to - 16, from - 16, from);
  }),
  aimed(function metadataHeader(image, random, { metadata }) {
    if (metadata === undefined) return image;
    const at = metadata + random.pick([0, 4, 8, 12, 12]);
    return patched(image, at, 4, random.telling(readU32(image, at)));
  }),
  aimed(function section(image, random, marks) {
    const at = descriptor(image, random, marks);
    if (at === undefined) return image;
    const field = at + random.pick([0, 4, 8]);
    return patched(image, field, 4, random.telling(readU32(image, field)));
  }),
  aimed(function sectionType(image, random, marks) {
    const at = descriptor(image, random, marks);
    return at === undefined
      ? image
      : patched(image, at + 8, 4, random.pick([0, 1, 2, 3, 4, 5, 0x10, 0x101, 0x8000_0001]));
  }),
  aimed(function moveSection(image, random, marks) {
    const at = descriptor(image, random, marks);
    if (at === undefined) return image;
    // Aligned, so that neighbours meet, overlap or just miss each other.
    const page = 0x1000 * (random.below(0x40) - 0x20);
    return patched(image, at + random.pick([0, 4]), 4, (readU32(image, at) + page) >>> 0);
  }),
  aimed(function moreSections(image, random, { metadata }) {
    if (metadata === undefined) return image;
    const count = readU32(image, metadata + 12);
    const extra = 1 + random.below(3);
    if (count > 64) return image;
    for (let index = count; index < count + extra; index++) {
      const at = metadata + 16 + 12 * index;
      patched(image, at, 4, 0x1000 * random.below(0x1000));
      patched(image, at + 4, 4, 0x1000 * (1 + random.below(4)));
      patched(image, at + 8, 4, random.pick([1, 2, 3, 4, 0x10]));
    }
    patched(image, metadata + 4, 4, 16 + 12 * (count + extra));
    return patched(image, metadata + 12, 4, count + extra);
  }),
  function grow(image, random) {
    const pages = 1 + random.below(random.oneIn(64) ? 64 : 3);
    return spliced(image, 0, 0, new Uint8Array(4096 * pages).fill(random.below(256)));
  },
  function wholePages(image, random) {
    const short = (4096 - (image.length % 4096)) % 4096;
    return spliced(image, 0, 0, new Uint8Array(short + (random.oneIn(8) ? 4096 : 0)));
  },
];
