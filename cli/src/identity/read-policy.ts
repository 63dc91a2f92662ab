/**
 * Guest policies as people type them: a number, or the names of bits.
 * @module
 */
import { buildGuestPolicy, buildSevPolicy, type MinimumVersion } from "@bootproof/measure/identity";

import { badValue, parseUnsigned } from "../frame/given.ts";

const LIMITS = { snp: 0xffff_ffff_ffff_ffffn, sev: 0xffff_ffffn } as const;

/** Reads a policy of a platform: decimal, 0x hex, or names such as `smt,debug`. */
export function readPolicy(
  flag: string,
  platform: "snp" | "sev",
  text: string,
  version?: MinimumVersion,
): bigint {
  if (/^[0-9]/.test(text) || text === "") return parseUnsigned(flag, text, LIMITS[platform]);
  const names = text.split(",").filter((name) => name !== "");
  return platform === "snp" ? buildGuestPolicy(names, version) : buildSevPolicy(names, version);
}

/** Reads a firmware version such as `1.55`. */
export function readVersion(flag: string, text: string): MinimumVersion {
  const match = /^([0-9]{1,3})\.([0-9]{1,3})$/.exec(text);
  const [major, minor] = [Number(match?.[1]), Number(match?.[2])];
  if (match === null || major > 255 || minor > 255)
    throw badValue(flag, "a version such as 1.55, each part from 0 to 255", text);
  return { major, minor };
}
