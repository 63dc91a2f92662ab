/**
 * The headers of an IGVM file's directive section.
 * @module
 */
import type { HeaderBody } from "./header-body.ts";
import type {
  IgvmDirective,
  IgvmErrorRange,
  IgvmForeign,
  IgvmPageData,
  IgvmPageDataType,
  IgvmPlatform,
  IgvmRequiredMemory,
  IgvmVpContext,
} from "./igvm-file.ts";
import type { ParameterAreas } from "./parameter-areas.ts";
import { readSnpIdBlock } from "./snp-id-block.ts";

const PAGE_SIZE = 4096;
const VBS_MEASUREMENT_LENGTH = 864;
const NO_DATA = new Uint8Array();
const LARGE_PAGE_SIZE = 0x20_0000;
const FLAG = { LARGE: 1, UNMEASURED: 2, SHARED: 4 } as const;
const DATA_TYPES: readonly IgvmPageDataType[] = ["NORMAL", "SECRETS", "CPUID_DATA", "CPUID_XF"];

/** What directives refer to. */
export interface DirectiveContext {
  readonly platforms: readonly IgvmPlatform[];
  readonly areas: ParameterAreas;
}

/** Reads one directive, or throws ParseError. */
export function readDirective(body: HeaderBody, { platforms, areas }: DirectiveContext): IgvmDirective {
  switch (body.name) {
    case "PAGE_DATA":
      return readPageData(body);
    case "PARAMETER_AREA":
      return areas.declare(body);
    case "PARAMETER_INSERT":
      return areas.insert(body);
    case "VP_CONTEXT":
      return readVpContext(body, platforms);
    case "REQUIRED_MEMORY":
      return readRequiredMemory(body);
    case "ERROR_RANGE":
      return readErrorRange(body);
    case "SNP_ID_BLOCK":
      return readSnpIdBlock(body);
    case "VBS_MEASUREMENT":
      return readVbsMeasurement(body);
    default:
      return areas.use(body);
  }
}

function readPageData(body: HeaderBody): IgvmPageData {
  const guestAddress = body.guestAddress();
  const mask = body.u32("compatibility mask");
  const fileOffset = body.u32("file offset");
  const flags = body.u32("flags");
  const type = body.u16("data type");
  body.zeros(2);
  const dataType = DATA_TYPES[type];
  if (dataType === undefined) throw body.fault("data type", "0 to 3", `${type}`);
  if (flags > 7) throw body.fault("flags", "at most 7", `0x${flags.toString(16)}`);
  const size = (flags & FLAG.LARGE) === 0 ? PAGE_SIZE : LARGE_PAGE_SIZE;
  // Every loader reads 4 KiB of data, also for a 2 MiB page: less than that cannot be loaded.
  const data = fileOffset === 0 ? NO_DATA : body.data(fileOffset, PAGE_SIZE, size);
  const unmeasured = (flags & FLAG.UNMEASURED) !== 0;
  const shared = (flags & FLAG.SHARED) !== 0;
  return {
    kind: "PAGE_DATA",
    ...body.place,
    mask,
    guestAddress,
    size,
    unmeasured,
    shared,
    dataType,
    fileOffset,
    data,
  };
}

function readVpContext(body: HeaderBody, platforms: readonly IgvmPlatform[]): IgvmVpContext {
  const address = body.u64("guest address");
  const mask = body.u32("compatibility mask");
  const fileOffset = body.u32("file offset");
  const vpIndex = body.u16("VP index");
  body.zeros(2);
  // What the context is depends on the platform, so it must be exactly one.
  const platform = platforms.find((candidate) => candidate.mask === mask)?.platform;
  if (platform === undefined)
    throw body.fault("compatibility mask", "that of one supported platform", `0x${mask.toString(16)}`);
  if (platform === "tdx") throw body.fault("compatibility mask", "a platform with VP contexts", "tdx");
  // Other platforms leave the address unused.
  const snpLike = platform === "snp" || platform === "sev-es";
  if (snpLike && address % BigInt(PAGE_SIZE) !== 0n)
    throw body.fault("guest address", "a multiple of 0x1000", `0x${address.toString(16)}`);
  const data = body.data(fileOffset, platform === "vsm" ? 0 : PAGE_SIZE, PAGE_SIZE);
  return {
    kind: "VP_CONTEXT",
    ...body.place,
    mask,
    platform,
    guestAddress: address,
    vpIndex,
    fileOffset,
    data: platform === "vsm" ? NO_DATA : data,
  };
}

function readRequiredMemory(body: HeaderBody): IgvmRequiredMemory {
  const guestAddress = body.guestAddress();
  const mask = body.u32("compatibility mask");
  const size = Number(body.pages("size", BigInt(body.u32("size"))));
  const flags = body.u32("flags");
  body.zeros(4);
  if (flags > 1) throw body.fault("flags", "at most 1", `0x${flags.toString(16)}`);
  return { kind: "REQUIRED_MEMORY", ...body.place, mask, guestAddress, size };
}

function readErrorRange(body: HeaderBody): IgvmErrorRange {
  const guestAddress = body.guestAddress();
  const mask = body.u32("compatibility mask");
  return { kind: "ERROR_RANGE", ...body.place, mask, guestAddress, size: body.u32("size") };
}

function readVbsMeasurement(body: HeaderBody): IgvmForeign {
  const mask = body.u32("compatibility mask");
  body.bytes(VBS_MEASUREMENT_LENGTH - 4, "body");
  return { kind: "FOREIGN", name: body.name, ...body.place, mask };
}
