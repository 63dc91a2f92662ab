/**
 * A guest as its options name it, read and in order, but no file opened yet.
 * @module
 */
import { parseDigest, ParseError, type Sha384 } from "@bootproof/bytes";
import type { AmdPlatform } from "@bootproof/measure/snp";

import { badValue, type Given, parseUnsigned, usage } from "../frame/given.ts";
import { parseList, parseNumbers } from "./number-list.ts";

/** One CPU in one of the ways of naming it. */
export interface CpuGiven {
  readonly cpu?: string | undefined;
  readonly vcpuSig?: number | undefined;
  readonly family?: number | undefined;
  readonly model?: number | undefined;
  readonly stepping?: number | undefined;
}

/** The values to measure; each with several values is an axis. */
export interface ShapeAxes {
  /** Names, or `all` profiles of the platform; absent: the VMM's default. */
  readonly profiles: readonly string[] | "all" | undefined;
  readonly vmm: string | undefined;
  readonly vcpus: readonly number[];
  readonly cpus: readonly CpuGiven[];
  /** Empty: what the profile gives. */
  readonly guestFeatures: readonly bigint[];
}

/** Measured memory of a guest that boots no OVMF. */
export interface RegionGiven {
  readonly guestAddress: bigint;
  readonly path: string;
}

/** What to measure. */
export interface GuestRequest {
  readonly platform: AmdPlatform;
  /** A firmware image or a firmware reference. */
  readonly firmware: string | undefined;
  readonly firmwareDigest: Sha384 | undefined;
  readonly igvm: string | undefined;
  readonly reading: string | undefined;
  readonly svsm: string | undefined;
  readonly varsSize: number | undefined;
  readonly varsFile: string | undefined;
  readonly regions: readonly RegionGiven[];
  readonly kernel: string | undefined;
  readonly initrd: string | undefined;
  readonly append: string | undefined;
  readonly appendFile: string | undefined;
  readonly kernelHashes: boolean | undefined;
  readonly axes: ShapeAxes;
}

const U32 = 0xffff_ffffn;
const U64 = 0xffff_ffff_ffff_ffffn;
/** QEMU's largest variable store is far below. */
const MAX_VARS = 1n << 26n;

/** sev-snp-measure's modes and the platforms they mean. */
const MODES: ReadonlyMap<string, AmdPlatform> = new Map([
  ["snp", "snp"],
  ["snp:svsm", "snp"],
  ["snp:ovmf-hash", "snp"],
  ["sev", "sev"],
  ["seves", "sev-es"],
  ["sev-es", "sev-es"],
]);

/** Reads a guest's options; throws a usage failure for what cannot be read or does not go together. */
export function readGuestRequest(given: Given, platform: AmdPlatform): GuestRequest {
  const regions = given.list("region").map(readRegion);
  const request: GuestRequest = {
    platform: readMode(given) ?? platform,
    firmware: either(given, "ovmf", "firmware"),
    firmwareDigest: readFirmwareDigest(given),
    igvm: given.text("igvm"),
    reading: given.text("reading"),
    svsm: given.text("svsm"),
    varsSize: number(given, "varsSize", MAX_VARS),
    varsFile: given.text("varsFile"),
    regions,
    kernel: given.text("kernel"),
    initrd: given.text("initrd"),
    append: given.text("append"),
    appendFile: given.text("appendFile"),
    kernelHashes: given.refused("kernelHashes") ? false : undefined,
    axes: readAxes(given),
  };
  checkTogether(request);
  return request;
}

function readAxes(given: Given): ShapeAxes {
  const profile = given.text("profile");
  const vcpus = given.text("vcpus");
  const features = given.text("guestFeatures");
  return {
    profiles:
      profile === undefined || profile === "all" ? profile : parseList("--profile", profile.toLowerCase()),
    vmm: either(given, "vmm", "vmmType")?.toLowerCase(),
    vcpus: vcpus === undefined ? [] : parseNumbers("--vcpus", vcpus, 0xffff_ffff),
    cpus: readCpus(given),
    guestFeatures:
      features === undefined
        ? []
        : parseList("--guest-features", features).map((word) => parseUnsigned("--guest-features", word, U64)),
  };
}

function readCpus(given: Given): CpuGiven[] {
  const models = given.text("vcpuType");
  const signatures = given.text("vcpuSig");
  const cpus = models === undefined ? [] : parseList("--vcpu-type", models).map((cpu) => ({ cpu }));
  const sigs =
    signatures === undefined
      ? []
      : parseList("--vcpu-sig", signatures).map((word) => ({
          vcpuSig: Number(parseUnsigned("--vcpu-sig", word, U32)),
        }));
  const [family, model, stepping] = ["vcpuFamily", "vcpuModel", "vcpuStepping"].map((name) =>
    number(given, name, U32),
  );
  const identity = [family, model, stepping].some((part) => part !== undefined)
    ? { family, model, stepping }
    : undefined;
  const ways = [cpus.length > 0, sigs.length > 0, identity !== undefined].filter(Boolean).length;
  // The engine refuses a CPU given twice, in words of its own.
  if (ways > 1) return [{ ...cpus[0], ...sigs[0], ...identity }];
  return [...cpus, ...sigs, ...(identity === undefined ? [] : [identity])];
}

function readFirmwareDigest(given: Given): Sha384 | undefined {
  const text = either(given, "firmwareDigest", "snpOvmfHash");
  try {
    return text === undefined ? undefined : parseDigest("sha384", text, "--firmware-digest");
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    throw badValue("--firmware-digest", "96 hex digits or base64 (SHA-384)", text ?? "");
  }
}

function readMode(given: Given): AmdPlatform | undefined {
  const mode = given.text("mode");
  if (mode === undefined) return undefined;
  const platform = MODES.get(mode);
  if (platform === undefined) throw badValue("--mode", [...MODES.keys()].join(", "), mode);
  if (mode === "snp:svsm" && given.text("svsm") === undefined) throw usage("mode snp:svsm needs --svsm");
  return platform;
}

function readRegion(text: string): RegionGiven {
  const colon = text.indexOf(":");
  if (colon < 1 || colon === text.length - 1)
    throw badValue("--region", "a guest address, a colon and a file, such as 0x0:vmlinux.bin", text);
  const guestAddress = parseUnsigned("--region", text.slice(0, colon), U64);
  return { guestAddress, path: text.slice(colon + 1) };
}

function checkTogether(request: GuestRequest): void {
  const { platform, append, appendFile, firmware, igvm, svsm, varsSize, varsFile, reading, regions } =
    request;
  if (append !== undefined && appendFile !== undefined)
    throw usage("--append and --append-file are both given", "give the command line once");
  checkPaths(request);
  // The system hands over bytes that are no UTF-8 as this character: the digest would be of other bytes than typed.
  if (append !== undefined && (append.includes("\ufffd") || !append.isWellFormed()))
    throw usage(
      "--append holds bytes that are not UTF-8, or the character U+FFFD, which stands for such bytes",
      "give the exact bytes: --append-file",
    );
  const images = [firmware !== undefined, igvm !== undefined, regions.length > 0].filter(Boolean).length;
  if (images > 1) throw usage("more than one of --ovmf, --igvm and --region is given");
  if (platform !== "snp" && (svsm !== undefined || regions.length > 0))
    throw usage(`only SNP guests have an SVSM or measured regions, and this one is ${platform}`);
  if (reading !== undefined && igvm === undefined) throw usage("--reading is given without --igvm");
  if (svsm === undefined && (varsSize !== undefined || varsFile !== undefined))
    throw usage("a variable store is measured by no one; its size matters beside --svsm only");
  if (svsm !== undefined && (varsSize === undefined) === (varsFile === undefined))
    throw usage("--svsm needs one of --vars-size and --vars-file", "the SVSM lies below the variable store");
}

/** An empty path is a script's variable that was never set. */
function checkPaths(request: GuestRequest): void {
  const named = [
    ["--ovmf", request.firmware],
    ["--igvm", request.igvm],
    ["--svsm", request.svsm],
    ["--vars-file", request.varsFile],
    ["--kernel", request.kernel],
    ["--initrd", request.initrd],
    ["--append-file", request.appendFile],
  ] as const;
  for (const [flag, path] of named) if (path === "") throw badValue(flag, "the path of a file", "nothing");
}

/** The value of an option that has two names; both given is a mistake. */
function either(given: Given, name: string, classic: string): string | undefined {
  const [value, other] = [given.text(name), given.text(classic)];
  if (value !== undefined && other !== undefined && value !== other)
    throw usage(`${name} and ${classic} name the same thing and differ`);
  return value ?? other;
}

function number(given: Given, name: string, limit: bigint): number | undefined {
  const value = given.unsigned(name, limit);
  return value === undefined ? undefined : Number(value);
}
