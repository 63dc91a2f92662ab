/**
 * The guest that the options name, as the solver's space: files read, what is not given left open.
 * @module
 */
import { formatHex, sha256, sha384, utf8 } from "@bootproof/bytes";
import {
  cpuModelSignature,
  cpuSignature,
  isFirmwareReference,
  openFirmware,
  parseFirmwareReference,
  type SevEsProfile,
  type SnpProfile,
} from "@bootproof/measure/snp";
import {
  type BootClaim,
  type CpuGuess,
  type GuestClaim,
  type GuestGuess,
  imageLoaders,
  referenceLoader,
  SevSpace,
  SnpSpace,
  type Space,
  variableStoreLength,
} from "@bootproof/measure/solve";

import { reading } from "../errors/to-failure.ts";
import { usage } from "../frame/given.ts";
import type { GuestFiles } from "../measuring/guest-files.ts";
import type { CpuGiven, GuestRequest } from "../measuring/guest-request.ts";
import type { Observed } from "./observed-input.ts";

/** A space whose choices are guests. */
export type GuestSpace = Space & {
  guess(choice: readonly number[]): GuestGuess<{ readonly name: string }, SnpProfile | SevEsProfile>;
};

/** What is searched, and what is not. */
export interface SearchedGuest {
  readonly space: GuestSpace;
  /** Bytes of the variable store in front of the image; undefined when there is none. */
  readonly storeLength: number | undefined;
  /** Inputs that could not be varied, and why. */
  readonly notTried: readonly { readonly what: string; readonly why: string }[];
  /** Known digests that are no launch digests, and what they are. */
  readonly mistaken: ReadonlyMap<string, string>;
}

/** Reads the files of a request and makes its space. */
export async function searchedGuest(
  request: GuestRequest,
  files: GuestFiles,
  { reportedCpu }: Observed,
): Promise<SearchedGuest> {
  const path = firmwarePath(request);
  const bytes = await files.bytes(path);
  const claim = { ...(await readClaim(request, files)), reportedCpu };
  const variables = request.varsFile === undefined ? undefined : await files.bytes(request.varsFile);
  const read = request.platform === "snp" ? snpGuest : sevGuest;
  const { space, image, digests } = reading(path, () => read(request, { claim, bytes, variables }));
  const storeLength = image === undefined ? undefined : variableStoreLength(image);
  const hashes = await kernelDigests(request, files);
  return {
    space,
    storeLength,
    notTried: notTried(request, image, storeLength),
    mistaken: new Map([...digests, ...hashes]),
  };
}

function firmwarePath({ firmware, igvm, svsm, regions }: GuestRequest): string {
  if (firmware !== undefined && svsm === undefined) return firmware;
  const other = igvm !== undefined ? "--igvm" : svsm !== undefined ? "--svsm" : "--region";
  if (igvm === undefined && svsm === undefined && regions.length === 0)
    throw usage("--observed needs the inputs that the digest should come from", "give --ovmf at least");
  throw usage(
    `guests with ${other} cannot be searched yet`,
    "explain --observed searches guests with --ovmf",
  );
}

interface GuestBytes {
  readonly claim: GuestClaim;
  readonly bytes: Uint8Array;
  readonly variables: Uint8Array | undefined;
}

interface ReadGuest {
  readonly space: GuestSpace;
  readonly image: Uint8Array | undefined;
  readonly digests: readonly (readonly [hex: string, what: string])[];
}

function snpGuest({ firmwareDigest }: GuestRequest, { claim, bytes, variables }: GuestBytes): ReadGuest {
  const image = isFirmwareReference(bytes) ? undefined : bytes;
  const firmware = image ?? parseFirmwareReference(bytes);
  const { reference } = openFirmware({ firmware, firmwareDigest });
  const whole = image !== undefined && firmwareDigest === undefined;
  const loaders = whole ? imageLoaders(image, variables) : referenceLoader(reference);
  return {
    space: new SnpSpace({ ...claim, firmware: loaders }),
    image: whole ? image : undefined,
    digests: [
      [
        formatHex(reference.seed),
        "the digest after the firmware's pages alone (sev-snp-measure --mode snp:ovmf-hash prints it), no launch digest",
      ],
      ...(image === undefined
        ? []
        : [[formatHex(sha384(image)), "the SHA-384 of the firmware file, no launch digest"] as const]),
    ],
  };
}

function sevGuest({ platform }: GuestRequest, { claim, bytes, variables }: GuestBytes): ReadGuest {
  if (isFirmwareReference(bytes))
    throw usage("digests of SEV and SEV-ES need the firmware image: a reference does not have its bytes");
  const sev = platform === "sev" ? "sev" : "sev-es";
  const space = new SevSpace({ ...claim, platform: sev, firmware: bytes, variables });
  return { space, image: bytes, digests: [] };
}

async function readClaim(request: GuestRequest, files: GuestFiles): Promise<GuestClaim> {
  const { axes } = request;
  const several = axes.profiles === "all" || (axes.profiles?.length ?? 0) > 1;
  return {
    boot: await readBoot(request, files),
    // Of several values that the user holds possible, none is given.
    profile: axes.profiles === "all" ? undefined : axes.profiles?.[0],
    profileOpen: several,
    vmm: axes.vmm,
    vcpus: only(axes.vcpus),
    cpu: readCpu(only(axes.cpus)),
    guestFeatures: only(axes.guestFeatures),
  };
}

const only = <Value>(values: readonly Value[]): Value | undefined =>
  values.length === 1 ? values[0] : undefined;

function readCpu(given: CpuGiven | undefined): CpuGuess | undefined {
  if (given === undefined) return undefined;
  const { cpu, vcpuSig, family, model, stepping } = given;
  if (cpu !== undefined) return { model: cpu, signature: cpuModelSignature(cpu) };
  if (vcpuSig !== undefined) return { signature: vcpuSig };
  // Of a CPU known in part nothing follows: its signature is searched.
  if (family === undefined || model === undefined || stepping === undefined) return undefined;
  return { signature: cpuSignature({ family, model, stepping }) };
}

async function readBoot(request: GuestRequest, files: GuestFiles): Promise<BootClaim | undefined> {
  const { kernel, initrd, append, appendFile, kernelHashes } = request;
  if (kernel === undefined) {
    if (initrd !== undefined || append !== undefined || appendFile !== undefined)
      throw usage("an initrd or a command line is given without a kernel", "give --kernel too");
    return undefined;
  }
  return {
    kernel: (await files.hash(kernel)).sha256,
    initrd: initrd === undefined ? undefined : (await files.hash(initrd)).sha256,
    cmdline: appendFile === undefined ? textBytes(append) : await files.bytes(appendFile),
    hashes: kernelHashes,
  };
}

const textBytes = (text: string | undefined): Uint8Array | undefined =>
  text === undefined ? undefined : utf8(text);

async function kernelDigests(
  { kernel, initrd }: GuestRequest,
  files: GuestFiles,
): Promise<(readonly [string, string])[]> {
  const digests: (readonly [string, string])[] = [];
  for (const [role, path] of [
    ["kernel", kernel],
    ["initrd", initrd],
  ] as const)
    if (path !== undefined) {
      const { sha256: hash } = await files.hash(path);
      digests.push([formatHex(hash), `the SHA-256 of the ${role} file, no launch digest`]);
    }
  if (digests.length === 0) digests.push([formatHex(sha256(new Uint8Array())), "the SHA-256 of nothing"]);
  return digests;
}

function notTried(
  { kernel, initrd, varsFile }: GuestRequest,
  image: Uint8Array | undefined,
  storeLength: number | undefined,
): { what: string; why: string }[] {
  const all: [boolean, string, string][] = [
    [
      kernel === undefined,
      "kernel, initrd and command line",
      "none is given; when the guest boots a kernel directly, with kernel hashes on, give --kernel",
    ],
    [
      kernel !== undefined && initrd === undefined,
      "an initrd",
      "none is given; give --initrd if there is one",
    ],
    [image === undefined, "firmware split from its variable store", "the image itself is not given"],
    [
      image !== undefined && storeLength === undefined && varsFile === undefined,
      "firmware joined with a variable store",
      "the image has none in it; give --vars-file to try both together",
    ],
  ];
  return all.filter(([applies]) => applies).map(([, what, why]) => ({ what, why }));
}
