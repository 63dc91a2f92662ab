import { createPrivateKey } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { concatBytes, crc32 } from "@bootproof/bytes";
import { encodeEifHeader, encodeSectionHeader, parseEifHeader } from "./header.ts";
import {
  EIF_HEADER_SIZE,
  EIF_SECTION_NUMBERS,
  type EifSectionType,
  type EifSource,
  type UntrustedEifHeader,
} from "./layout.ts";

const FOLDER = join(import.meta.dirname, "../../vectors/eif");

const { images } = JSON.parse(gunzipSync(readFileSync(join(FOLDER, "images.json.gz"))).toString()) as {
  images: Record<string, { note: string; base64: string }>;
};

/** Names of all images of the vectors. */
export const IMAGE_NAMES: readonly string[] = Object.keys(images);

/** An image of the vectors, a copy. */
export function image(name: string): Uint8Array<ArrayBuffer> {
  const found = images[name];
  if (found === undefined) throw new Error(`no image ${name}`);
  return new Uint8Array(Buffer.from(found.base64, "base64"));
}

/** A file in memory that refuses to be read past its end, and counts what was read. */
export function sourceOf(bytes: Uint8Array): EifSource & { readonly bytesRead: () => number } {
  let bytesRead = 0;
  return {
    name: "test.eif",
    size: bytes.length,
    bytesRead: () => bytesRead,
    read: (offset, length) => {
      if (offset < 0 || length < 0 || offset + length > bytes.length)
        return Promise.reject(new Error(`read past the end: ${offset} ${length}`));
      bytesRead += length;
      return Promise.resolve(bytes.subarray(offset, offset + length));
    },
  };
}

/** A section to build an image from; everything that its header says can be set. */
export interface BuiltSection {
  readonly type: EifSectionType | number;
  readonly data: Uint8Array;
  readonly flags?: number;
  /** What its own header says of its size. */
  readonly size?: bigint;
}

/** The header's fields that are not to be what the sections ask for. */
export type HeaderChange = Partial<UntrustedEifHeader>;

/** Builds an image section behind section, with a table of them and the CRC that belongs to it. */
export function build(
  sections: readonly BuiltSection[],
  change: HeaderChange | ((header: UntrustedEifHeader) => HeaderChange) = {},
): Uint8Array<ArrayBuffer> {
  let position = EIF_HEADER_SIZE;
  const offsets: bigint[] = [];
  const body = sections.map(({ type, data, flags = 0, size }) => {
    offsets.push(BigInt(position));
    position += 12 + data.length;
    const typeNumber = typeof type === "number" ? type : EIF_SECTION_NUMBERS[type];
    return concatBytes(encodeSectionHeader({ typeNumber, flags, size: size ?? BigInt(data.length) }), data);
  });
  const fill = (values: readonly bigint[]): bigint[] =>
    Array.from({ length: 32 }, (_, at) => values[at] ?? 0n);
  const header: UntrustedEifHeader = {
    version: 4,
    flags: 0,
    defaultMemory: 1n << 30n,
    defaultCpus: 2n,
    reserved: 0,
    sectionCount: sections.length,
    sectionOffsets: fill(offsets),
    sectionSizes: fill(sections.map(({ data }) => BigInt(data.length))),
    unused: 0,
    crc32: 0,
  };
  const changed = { ...header, ...(typeof change === "function" ? change(header) : change) };
  return withCrc(concatBytes(encodeEifHeader(changed), ...body));
}

/** The same file with the CRC that a reader wants who walks to its end. */
export function withCrc(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const header = parseEifHeader(bytes);
  const crc = crc32(bytes.subarray(EIF_HEADER_SIZE), crc32(bytes.subarray(0, 0x220)));
  return concatBytes(encodeEifHeader({ ...header, crc32: crc }), bytes.subarray(EIF_HEADER_SIZE));
}

/** The sections of a good image, with their bytes. */
export function sectionsOf(name: string): (BuiltSection & { readonly type: EifSectionType })[] {
  const bytes = image(name);
  const { sectionOffsets, sectionSizes, sectionCount } = parseEifHeader(bytes);
  const types = Object.keys(EIF_SECTION_NUMBERS) as EifSectionType[];
  return Array.from({ length: sectionCount }, (_, index) => {
    const offset = Number(sectionOffsets[index]);
    const typeNumber = (bytes[offset] ?? 0) * 256 + (bytes[offset + 1] ?? 0);
    const type = types.find((name) => EIF_SECTION_NUMBERS[name] === typeNumber)!;
    return { type, data: bytes.slice(offset + 12, offset + 12 + Number(sectionSizes[index])) };
  });
}

/** A certificate of the vectors as PEM, and its private key. */
export function signer(name: "es256" | "es384" | "es512"): { pem: Uint8Array; key: Uint8Array } {
  const key = createPrivateKey(readFileSync(join(FOLDER, `${name}.TEST-ONLY.key`)));
  return {
    pem: new Uint8Array(readFileSync(join(FOLDER, `${name}.pem`))),
    key: new Uint8Array(Buffer.from(key.export({ format: "jwk" }).d ?? "", "base64url")),
  };
}
