/**
 * An IGVM file as a table for people: one row a header, and one row for many pages that continue each other.
 * @module
 */
import { formatDigest, formatHex, sha256, sha384 } from "@bootproof/bytes";
import type { IgvmDirective, IgvmFile, IgvmInitialization, IgvmPlatform } from "./igvm-file.ts";

/** One row: plain data, addresses in hex. */
export interface IgvmRow {
  /** Index of the first header of the row, among all variable headers. */
  readonly index: number;
  /** Offset of that header in the file. */
  readonly offset: number;
  /** How many headers the row stands for. */
  readonly headers: number;
  /** The specification's name without IGVM_VHT_. */
  readonly type: string;
  /** Platforms that the row's mask names; undefined when the header has no mask. */
  readonly platforms: readonly string[] | undefined;
  readonly guestAddress: string | undefined;
  /** Guest memory or bytes, together. */
  readonly size: number | undefined;
  readonly detail: string;
}

/** An IGVM file, described. */
export interface IgvmDescription {
  readonly size: number;
  readonly sha256: string;
  readonly sha384: string;
  readonly version: 1 | 2;
  readonly architecture: string;
  readonly checksum: string;
  readonly platforms: readonly {
    readonly platform: string;
    readonly mask: string;
    readonly highestVtl: number;
    readonly sharedGpaBoundary: string;
  }[];
  readonly rows: readonly IgvmRow[];
}

/** Describes a parsed file; `bytes` are the file it was parsed from. */
export function describeIgvm(file: IgvmFile, bytes: Uint8Array): IgvmDescription {
  return {
    size: file.size,
    sha256: formatDigest(sha256(bytes)),
    sha384: formatDigest(sha384(bytes)),
    version: file.version,
    architecture: file.architecture,
    checksum: hex(file.checksum),
    platforms: file.platforms.map(({ platform, mask, highestVtl, sharedGpaBoundary }) => ({
      platform,
      mask: hex(mask),
      highestVtl,
      sharedGpaBoundary: hex(sharedGpaBoundary),
    })),
    rows: igvmRows(file),
  };
}

/** The rows of all headers behind the platforms, in file order. */
export function igvmRows({ platforms, initialization, directives }: IgvmFile): IgvmRow[] {
  const rows: Row[] = [];
  // One list a mask, so that rows of one mask can be told by it.
  const names = new Map<number, readonly string[]>();
  const namesOf = (mask: number): readonly string[] => {
    const known = names.get(mask) ?? maskNames(mask, platforms);
    names.set(mask, known);
    return known;
  };
  for (const header of [...initialization, ...directives]) {
    const row = toRow(header, namesOf);
    const last = rows.at(-1);
    if (header.kind === "PAGE_DATA" && last !== undefined && continues(last, row)) {
      last.headers += 1;
      last.size = (last.size ?? 0) + header.size;
    } else rows.push(row);
  }
  return rows.map((row) => ({
    ...row,
    guestAddress: row.guestAddress === undefined ? undefined : hex(row.guestAddress),
  }));
}

type Row = {
  -readonly [Key in keyof Omit<IgvmRow, "guestAddress">]: IgvmRow[Key];
} & { guestAddress: bigint | undefined };

function continues(last: Row, next: Row): boolean {
  return (
    last.type === next.type &&
    last.detail === next.detail &&
    last.index + last.headers === next.index &&
    last.platforms === next.platforms &&
    last.guestAddress !== undefined &&
    last.guestAddress + BigInt(last.size ?? 0) === next.guestAddress
  );
}

function toRow(
  header: IgvmInitialization | IgvmDirective,
  namesOf: (mask: number) => readonly string[],
): Row {
  return {
    index: header.index,
    offset: header.offset,
    headers: 1,
    type: igvmHeaderName(header),
    platforms: "mask" in header ? namesOf(header.mask) : undefined,
    guestAddress: "guestAddress" in header ? header.guestAddress : undefined,
    size: "size" in header ? Number(header.size) : undefined,
    detail: detail(header),
  };
}

/** The specification's name of a header's type, without IGVM_VHT_. */
export function igvmHeaderName(header: IgvmInitialization | IgvmDirective | IgvmPlatform): string {
  if (header.kind === "PARAMETER") return header.parameter;
  if (header.kind === "FOREIGN") return header.name;
  return header.kind === "OPTIONAL" ? `type ${hex(header.type)}` : header.kind;
}

function maskNames(mask: number, platforms: readonly IgvmPlatform[]): string[] {
  return platforms.filter((platform) => (platform.mask & mask) !== 0).map(({ platform }) => platform);
}

function detail(header: IgvmInitialization | IgvmDirective): string {
  switch (header.kind) {
    case "GUEST_POLICY":
      return `policy ${hex(header.policy)}`;
    case "PAGE_DATA":
      return [
        header.dataType,
        header.size === 4096 ? "4 KiB pages" : "2 MiB pages",
        ...(header.data.length === 0 ? ["no data"] : []),
        ...(header.unmeasured ? ["unmeasured"] : []),
        ...(header.shared ? ["shared"] : []),
      ].join(", ");
    case "PARAMETER_AREA":
    case "PARAMETER_INSERT":
      return `area ${header.area}`;
    case "PARAMETER":
      return `into area ${header.area} at ${hex(header.byteOffset)}`;
    case "VP_CONTEXT":
      return `processor ${header.vpIndex}`;
    case "SNP_ID_BLOCK":
      return `expects launch digest ${formatHex(header.launchDigest)}`;
    case "RELOCATABLE_REGION":
    case "PAGE_TABLE_RELOCATION_REGION":
      return `processor ${header.vpIndex}, VTL ${header.vtl}`;
    case "CORIM_DOCUMENT":
    case "CORIM_SIGNATURE":
      return `${header.data.length} bytes`;
    case "OPTIONAL":
      return `${header.length} bytes, may be skipped`;
    case "REQUIRED_MEMORY":
    case "ERROR_RANGE":
    case "FOREIGN":
      return "";
  }
}

const hex = (value: number | bigint): string => `0x${value.toString(16)}`;
