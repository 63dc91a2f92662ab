/**
 * IGVM_VHS_SUPPORTED_PLATFORM.
 * @module
 */
import { ParseError } from "@bootproof/bytes";
import type { HeaderBody } from "./header-body.ts";
import type { IgvmPlatform, IgvmPlatformName } from "./igvm-file.ts";

/** IgvmPlatformType, by number. */
const PLATFORMS: readonly IgvmPlatformName[] = ["native", "vsm", "snp", "tdx", "sev", "sev-es", "cca"];
const VERSION = 1;

/** Reads a platform and checks it against those before it, or throws {@link ParseError}. */
export function readPlatform(
  body: HeaderBody,
  architecture: "x64" | "aarch64",
  before: readonly IgvmPlatform[],
): IgvmPlatform {
  const mask = body.u32("compatibility mask");
  const highestVtl = body.u8("highest VTL");
  const type = body.u8("platform type");
  const version = body.u16("platform version");
  const sharedGpaBoundary = body.u64("shared GPA boundary");
  const platform = PLATFORMS[type];
  if (platform === undefined) throw body.fault("platform type", "0 to 6", `${type}`);
  if (mask === 0 || (mask & (mask - 1)) !== 0)
    throw body.fault("compatibility mask", "exactly one bit", `0x${mask.toString(16)}`);
  if (highestVtl !== 0 && highestVtl !== 2) throw body.fault("highest VTL", "0 or 2", `${highestVtl}`);
  if (version !== VERSION) throw body.fault("platform version", `${VERSION}`, `${version}`);
  if ((platform === "native" || platform === "vsm") && sharedGpaBoundary !== 0n)
    throw body.fault("shared GPA boundary", "0", `0x${sharedGpaBoundary.toString(16)}`);
  // VSM exists on both architectures.
  const needs = platform === "cca" ? "aarch64" : "x64";
  if (platform !== "vsm" && architecture !== needs)
    throw body.fault("platform type", `a platform of ${architecture}`, platform);
  for (const other of before) {
    const same = (other.platform === platform && "platform") || (other.mask === mask && "mask");
    if (same !== false)
      throw new ParseError("DUPLICATE", body.field(`${same} ${same === "mask" ? hex(mask) : platform}`), {
        offset: body.place.offset,
        expected: "each platform and each mask once",
        found: "a second header with it",
      });
  }
  return {
    kind: "SUPPORTED_PLATFORM",
    ...body.place,
    mask,
    platform,
    highestVtl,
    version,
    sharedGpaBoundary,
  };
}

const hex = (value: number): string => `0x${value.toString(16)}`;
