/**
 * Builds IGVM files from parts, whole and broken ones, so that tests of loaders and verifiers need no binary files.
 * The subpath `@bootproof/ovmf/igvm-builder`; nothing that measures or verifies imports it.
 * @module
 */
import { ByteWriter, concatBytes, crc32, utf8 } from "@bootproof/bytes";

/** One variable header: its type, and its body once the place of its file data is known. */
export interface HeaderPart {
  readonly type: number;
  readonly data?: Uint8Array;
  /** Instead of the body's own length. */
  readonly length?: number;
  body(fileOffset: number): Uint8Array;
}

/** A file before it is bytes; fields left out are right. */
export interface FileParts {
  readonly version?: number;
  readonly architecture?: number;
  readonly pageSize?: number;
  readonly headers: readonly HeaderPart[];
  readonly totalSize?: number;
  readonly headersStart?: number;
  readonly headersSize?: number;
  readonly checksum?: number;
  /** File data that no header refers to; one byte unless given, as the loaders' parser demands. */
  readonly trailer?: Uint8Array;
}

/** Bytes of a small page. */
export const PAGE = 4096;
/** Platform types by name. */
export const PLATFORM = { native: 0, vsm: 1, snp: 2, tdx: 3, sev: 4, "sev-es": 5, cca: 6 } as const;

/** The bytes of a file. */
export function buildIgvm(parts: FileParts): Uint8Array<ArrayBuffer> {
  const version = parts.version ?? 1;
  const fixedLength = version === 1 ? 24 : 32;
  const start = parts.headersStart ?? fixedLength;
  // Body lengths do not depend on where the data goes.
  const size = parts.headers.reduce((sum, part) => sum + 8 + padded(part.body(0).length), 0);
  const blobs: Uint8Array[] = [];
  let dataEnd = fixedLength + size;
  const place = (data: Uint8Array | undefined): number => {
    if (data === undefined || data.length === 0) return 0;
    const offset = dataEnd;
    blobs.push(data);
    dataEnd += data.length;
    return offset;
  };
  const writer = new ByteWriter(size);
  for (const part of parts.headers) {
    const body = part.body(place(part.data));
    writer.u32le(part.type).u32le(part.length ?? body.length);
    writer.bytes(body).zeros(padded(body.length) - body.length);
  }
  const variable = writer.finish();
  blobs.push(parts.trailer ?? new Uint8Array(blobs.length === 0 ? 1 : 0));
  const data = concatBytes(...blobs);
  const fixed = (checksum: number): Uint8Array => {
    const header = new ByteWriter().bytes(utf8("IGVM")).u32le(version);
    header.u32le(start).u32le(parts.headersSize ?? size);
    header.u32le(parts.totalSize ?? fixedLength + size + data.length).u32le(checksum);
    if (version !== 1) header.u32le(parts.architecture ?? 0).u32le(parts.pageSize ?? PAGE);
    return header.finish();
  };
  const checksum = parts.checksum ?? crc32(variable, crc32(fixed(0)));
  return concatBytes(fixed(checksum), variable, data);
}

const padded = (length: number): number => Math.ceil(length / 8) * 8;

/** Any header. */
export const header = (type: number, body: Uint8Array, data?: Uint8Array, length?: number): HeaderPart => ({
  type,
  body: () => body,
  ...(data !== undefined && { data }),
  ...(length !== undefined && { length }),
});

/** IGVM_VHS_SUPPORTED_PLATFORM; SNP with mask 1 unless told otherwise. */
export interface PlatformParts {
  readonly mask?: number;
  readonly vtl?: number;
  readonly type?: number;
  readonly version?: number;
  readonly boundary?: bigint;
}

/** A supported platform. */
export const platform = ({
  mask = 1,
  vtl = 0,
  type = 2,
  version = 1,
  boundary = 0n,
}: PlatformParts = {}): HeaderPart =>
  header(0x1, new ByteWriter().u32le(mask).u8(vtl).u8(type).u16le(version).u64le(boundary).finish());

/** A guest policy. */
export const guestPolicy = (policy = 0x30000n, mask = 1, reserved = 0): HeaderPart =>
  header(0x101, new ByteWriter().u64le(policy).u32le(mask).u32le(reserved).finish());

/** IGVM_VHS_RELOCATABLE_REGION. */
export interface RelocationParts {
  readonly alignment?: bigint;
  readonly address?: bigint;
  readonly size?: bigint;
  readonly minimum?: bigint;
  readonly maximum?: bigint;
}

/** A relocatable region. */
export const relocatableRegion = (parts: RelocationParts = {}): HeaderPart => {
  const { alignment = 0x1000n, address = 0n, size = 0x1000n, minimum = 0n, maximum = 0n } = parts;
  const writer = new ByteWriter().u32le(1).u16le(0).u8(0).u8(0).u64le(alignment);
  return header(0x102, writer.u64le(address).u64le(size).u64le(minimum).u64le(maximum).finish());
};

/** A page table relocation region. */
export const pageTableRelocation = (address = 0n, size = 0x1000n, used = 0x1000n, reserved = 0): HeaderPart =>
  header(
    0x103,
    new ByteWriter().u32le(1).u16le(0).u8(0).u8(reserved).u64le(address).u64le(size).u64le(used).finish(),
  );

/** A CoRIM document or its signature. */
export const corim = (signature: boolean, data: Uint8Array, mask = 1): HeaderPart => ({
  type: signature ? 0x105 : 0x104,
  data,
  body: (offset) => new ByteWriter().u32le(mask).u32le(offset).u32le(data.length).u32le(0).finish(),
});

/** IGVM_VHS_PAGE_DATA; `flags` are 1 for 2 MiB, 2 for unmeasured, 4 for shared. */
export interface PageParts {
  readonly address: bigint;
  readonly mask?: number;
  readonly data?: Uint8Array;
  readonly offset?: number;
  readonly flags?: number;
  readonly type?: number;
  readonly reserved?: number;
}

/** A page. */
export const pageData = ({
  address,
  mask = 1,
  data,
  offset,
  flags = 0,
  type = 0,
  reserved = 0,
}: PageParts): HeaderPart => ({
  type: 0x302,
  ...(data !== undefined && { data }),
  body: (placed: number) =>
    new ByteWriter()
      .u64le(address)
      .u32le(mask)
      .u32le(offset ?? placed)
      .u32le(flags)
      .u16le(type)
      .u16le(reserved)
      .finish(),
});

/** A parameter area. */
export const parameterArea = (
  area: number,
  size: bigint,
  data?: Uint8Array,
  offset?: number,
): HeaderPart => ({
  type: 0x301,
  ...(data !== undefined && { data }),
  body: (placed) =>
    new ByteWriter()
      .u64le(size)
      .u32le(area)
      .u32le(offset ?? placed)
      .finish(),
});

/** The insertion of a parameter area. */
export const parameterInsert = (address: bigint, area: number, mask = 1): HeaderPart =>
  header(0x303, new ByteWriter().u64le(address).u32le(mask).u32le(area).finish());

/** What the VMM writes into an area; `type` says what. */
export const parameter = (type: number, area: number, byteOffset = 0): HeaderPart =>
  header(type, new ByteWriter().u32le(area).u32le(byteOffset).finish());

/** IGVM_VHS_VP_CONTEXT; all zero and at KVM's address unless told otherwise. */
export interface ContextParts {
  readonly address?: bigint;
  readonly mask?: number;
  readonly data?: Uint8Array;
  readonly offset?: number;
  readonly vpIndex?: number;
  readonly reserved?: number;
}

/** The register state of one processor. */
export const vpContext = (parts: ContextParts = {}): HeaderPart => {
  const { address = 0xffff_ffff_f000n, mask = 1, data = new Uint8Array(PAGE), vpIndex = 0 } = parts;
  return {
    type: 0x304,
    data,
    body: (placed) =>
      new ByteWriter()
        .u64le(address)
        .u32le(mask)
        .u32le(parts.offset ?? placed)
        .u16le(vpIndex)
        .u16le(parts.reserved ?? 0)
        .finish(),
  };
};

/** Memory that must exist. */
export const requiredMemory = (address: bigint, size: number, flags = 0, mask = 1): HeaderPart =>
  header(0x305, new ByteWriter().u64le(address).u32le(mask).u32le(size).u32le(flags).u32le(0).finish());

/** Memory that nobody may touch. */
export const errorRange = (address: bigint, size: number): HeaderPart =>
  header(0x30d, new ByteWriter().u64le(address).u32le(1).u32le(size).finish());

/** An ID block that expects `digest`; keys and signatures are zero. */
export const idBlock = (digest: Uint8Array, mask = 1, authorKey = 0): HeaderPart =>
  header(
    0x30b,
    new ByteWriter(696)
      .u32le(mask)
      .u8(authorKey)
      .zeros(3)
      .bytes(digest)
      .zeros(32)
      .u32le(1)
      .zeros(696 - 92)
      .finish(),
  );
