/**
 * Enclave images through the reader: it throws for none, reads little, and gives a layout only of files that every
 * reader reads in one way; the PCRs of those are the ones that plain arithmetic gives.
 * @module
 */
import { readFileSync } from "node:fs";
import path from "node:path";
import { gunzipSync } from "node:zlib";
import {
  formatEifMetadata,
  planEif,
  readEif,
  type EifReading,
  type EifSectionType,
  type EifSource,
} from "@bootproof/boot/eif";
import { crc32 } from "@bootproof/bytes";
import { EifHasher, joinEifDigests, measureNitro } from "@bootproof/measure/nitro";
import { mutateBytes } from "../mutate.ts";
import { readOracleEif } from "../oracle/eif-image.ts";
import type { Random } from "../random.ts";
import { Complaint, type Outcome, type Target } from "../target.ts";

type Bytes = Uint8Array<ArrayBuffer>;

const file = path.resolve(import.meta.dirname, "../../../boot/vectors/eif/images.json.gz");
const { images } = JSON.parse(gunzipSync(readFileSync(file)).toString()) as {
  images: Readonly<Record<string, { readonly base64: string }>>;
};
const IMAGES: readonly Bytes[] = Object.values(images).map(
  ({ base64 }) => new Uint8Array(Buffer.from(base64, "base64")),
);

const METADATA = formatEifMetadata({
  name: "case",
  version: "1",
  buildTool: "fuzz",
  buildToolVersion: "1",
  operatingSystem: "Linux",
  kernelVersion: "6",
});
const HEADER = 548;
/** Bytes that a reader may read of any file: headers, the small sections, the first bytes of the others. */
const MOST_READ = 2 ** 21;

/** The reader beside one that is written from the format's document. */
export const eif: Target = {
  name: "eif",
  about: "enclave images through readEif and EifHasher",
  limit: 200,
  makeCase(random) {
    const { bytes, plain } = makeImage(random);
    let read = 0;
    const source: EifSource = {
      name: "case",
      size: bytes.length,
      read: (offset, length) => {
        read += length;
        if (offset < 0 || length < 0 || offset + length > bytes.length)
          throw new Complaint(`read ${length} bytes at ${offset} of ${bytes.length}`);
        if (read > MOST_READ) throw new Complaint(`read ${read} bytes`);
        return Promise.resolve(bytes.slice(offset, offset + length));
      },
    };
    return {
      bytes,
      given: "readEif",
      run: async () => {
        try {
          read = 0;
          return await readEif(source);
        } catch (error) {
          if (error instanceof Complaint) throw error;
          throw new Complaint(`threw ${error instanceof Error ? (error.stack ?? "") : String(error)}`);
        }
      },
      judge: (reading) => judge({ bytes, plain }, reading as EifReading),
    };
  },
};

interface Made {
  readonly bytes: Bytes;
  /** As it was planned: it must be taken. */
  readonly plain: boolean;
}

/** A vector or an image of our own, changed or not, most often with a right CRC. */
function makeImage(random: Random): Made {
  const vector = random.oneIn(3);
  const changes = random.below(4);
  let image = vector ? random.pick(IMAGES).slice() : plainImage(random);
  for (let change = 0; change < changes; change++)
    image = random.oneIn(3) ? mutateBytes(image, random, IMAGES) : random.pick(KNOWING)(image, random);
  if (image.length >= HEADER && !random.oneIn(4))
    new DataView(image.buffer).setUint32(
      0x220,
      crc32(image.subarray(HEADER), crc32(image.subarray(0, 0x220))),
    );
  return { bytes: image, plain: !vector && changes === 0 };
}

function plainImage(random: Random): Bytes {
  const types: EifSectionType[] = ["kernel", "cmdline", "metadata", "ramdisk"];
  for (let more = random.below(4); more > 0; more--) types.push("ramdisk");
  const plan = planEif({
    architecture: random.pick(["x86_64", "aarch64"]),
    sections: types.map((type) => ({
      type,
      size: type === "metadata" ? METADATA.length : 1 + random.below(200),
    })),
  });
  const image = new Uint8Array(plan.size);
  image.set(plan.header);
  for (const { header, headerOffset, offset, size, type } of plan.sections) {
    image.set(header, headerOffset);
    for (let at = 0; at < size; at++) image[offset + at] = random.below(256);
    if (type === "metadata") image.set(METADATA, offset);
  }
  return image;
}

const view = (image: Bytes): DataView => new DataView(image.buffer, image.byteOffset, image.byteLength);

const KNOWING: readonly ((image: Bytes, random: Random) => Bytes)[] = [
  function headerField(image, random) {
    const at = random.pick([0, 4, 6, 8, 16, 0x18, 0x1a, 0x1a, 0x21c]);
    if (at + 2 <= image.length) view(image).setUint16(at, random.telling(view(image).getUint16(at)) & 0xffff);
    return image;
  },
  function tablePlace(image, random) {
    const at = random.pick([0x1c, 0x11c]) + 8 * random.below(random.oneIn(4) ? 32 : 6);
    if (at + 8 > image.length) return image;
    const now = view(image).getUint32(at + 4);
    view(image).setUint32(at + 4, random.oneIn(2) ? random.telling(now) : now + random.below(40) - 20);
    if (random.oneIn(8)) view(image).setUint32(at, random.telling(0));
    return image;
  },
  function swapPlaces(image, random) {
    if (image.length < HEADER) return image;
    const [a, b] = [random.below(6), random.below(6)];
    for (const table of [0x1c, 0x11c]) {
      const [first, second] = [table + 8 * a, table + 8 * b];
      const [one, other] = [view(image).getBigUint64(first), view(image).getBigUint64(second)];
      view(image).setBigUint64(first, other);
      view(image).setBigUint64(second, one);
    }
    return image;
  },
  function sectionHeader(image, random) {
    const at = sectionStart(image, random);
    if (at === undefined) return image;
    if (random.oneIn(2)) view(image).setUint16(at, random.pick([0, 1, 2, 3, 4, 5, 6, 0xffff]));
    else if (random.oneIn(2)) view(image).setUint16(at + 2, random.below(3));
    else view(image).setUint32(at + 8, random.telling(view(image).getUint32(at + 8)));
    return image;
  },
  function append(image, random) {
    const tail = new Uint8Array(random.pick([1, 11, 12, 13, 40]));
    if (tail.length >= 12) {
      view(tail).setUint16(0, 1 + random.below(5));
      view(tail).setUint32(8, tail.length - 12);
    }
    const longer = new Uint8Array(image.length + tail.length);
    longer.set(image);
    longer.set(tail, image.length);
    return longer;
  },
  /** What the command line ends with goes to the section behind it, or the other way round: no PCR sees it. */
  function moveBoundary(image, random) {
    const at = sectionStart(image, random);
    if (at === undefined || at < HEADER + 12) return image;
    return image.copyWithin(at - 1, at, at + 12);
  },
];

/** Where the header of one of the table's sections starts. */
function sectionStart(image: Bytes, random: Random): number | undefined {
  if (image.length < HEADER) return undefined;
  const at = view(image).getUint32(
    0x1c + 8 * random.below(Math.min(6, view(image).getUint16(0x1a)) || 1) + 4,
  );
  return at >= HEADER && at + 12 <= image.length ? at : undefined;
}

function judge({ bytes, plain }: Made, { layout, findings, header }: EifReading): Outcome {
  const oracle = readOracleEif(bytes);
  const grave = findings.filter(({ severity }) => severity !== "notice").map(({ code }) => code);
  if ((layout === undefined) !== grave.length > 0)
    throw new Complaint(
      `${grave.join(", ") || "nothing grave"} and ${layout === undefined ? "no" : "a"} layout`,
    );
  for (const { offset, message } of findings)
    if (offset !== undefined && (!Number.isSafeInteger(offset) || offset < 0))
      throw new Complaint(`finding at ${offset}: ${message}`);
  if (layout === undefined || header === undefined) {
    if (plain) throw new Complaint(`refused an image as planned: ${grave.join(", ")}`);
    return "refused";
  }
  if (typeof oracle === "string") throw new Complaint(`gave a layout of an image with ${oracle}`);
  if (oracle.flags > 1 || ![2, 3, 4].includes(oracle.version))
    throw new Complaint(`gave a layout for flags ${oracle.flags}, version ${oracle.version}`);
  const ours = layout.sections.map(({ offset, size }) => `${offset}+${size}`).join();
  const theirs = oracle.sections.map(({ start, bytes: { length } }) => `${start}+${length}`).join();
  if (ours !== theirs) throw new Complaint(`sections ${ours}, not ${theirs}`);
  const hasher = new EifHasher(layout.sections);
  for (let at = 0; at < bytes.length; at += 97) hasher.update(bytes.subarray(at, at + 97), at);
  const digests = joinEifDigests(hasher.finish());
  const { registers } = measureNitro(digests);
  for (const [index, pcr] of oracle.pcrs.entries())
    if (registers[`PCR${index}`] !== pcr)
      throw new Complaint(`PCR${index} ${registers[`PCR${index}`] ?? ""}, not ${pcr}`);
  if ((digests.crc32 === layout.crc32) !== oracle.crcHolds) throw new Complaint("another CRC");
  return "accepted";
}
