/**
 * A guest that boots OVMF, alone or with an SVSM, or regions of memory, to be searched.
 * @module
 */
import { formatHex, sha384, utf8 } from "@bootproof/bytes";
import {
  isFirmwareReference,
  openFirmware,
  parseFirmwareReference,
  type SevEsProfile,
  type SnpProfile,
} from "@bootproof/measure/snp";
import {
  type BootClaim,
  type GuestClaim,
  type GuestGuess,
  imageLoaders,
  referenceLoader,
  regionLoader,
  SevSpace,
  SnpSpace,
  type Space,
  svsmLoaders,
  variableStoreLength,
} from "@bootproof/measure/solve";

import { reading } from "../errors/reading.ts";
import { usage } from "../frame/given.ts";
import type { GuestFiles, GuestInput } from "../measuring/guest-files.ts";
import type { GuestRequest } from "../measuring/guest-request.ts";
import { firmwarePath } from "../measuring/read-boot.ts";
import { describeGuest, ovmfWords } from "./finding-words.ts";
import { givenCpu, type Known, type NotTried, only, type SearchedGuest } from "./searched-guest.ts";

type OvmfClaim = GuestClaim & Pick<Known, "platformOpen">;

/** A space whose choices are guests with OVMF. */
export type OvmfSpace = Space & {
  guess(
    choice: readonly number[],
  ): GuestGuess<{ readonly name: string; readonly varsSize?: number }, SnpProfile | SevEsProfile>;
};

/** Reads the files of a guest and makes its space. */
export async function searchedOvmf(
  request: GuestRequest,
  files: GuestFiles,
  { reportedCpu, platformOpen }: Known,
): Promise<SearchedGuest> {
  const claim = { ...(await readClaim(request, files)), reportedCpu, platformOpen };
  const { space, image, mistaken } = await readSpace(request, files, claim);
  const inputs = await readInputs(request, files);
  const storeLength = image === undefined ? undefined : variableStoreLength(image);
  return {
    platform: request.platform,
    space,
    inputs,
    notTried: notTried(request, image, storeLength),
    mistaken: new Map([
      ...mistaken,
      // The digest of a plain SEV guest without kernel is the firmware's SHA-256.
      ...inputs
        .filter(({ role }) => role !== "firmware")
        .map(({ role, sha256 }) => [sha256, `the SHA-256 of the ${role} file, no launch digest`] as const),
    ]),
    words: (match) => ovmfWords({ request, space, storeLength, files }, match),
    describe: (match) => describeGuest(space, match),
  };
}

interface ReadSpace {
  readonly space: OvmfSpace;
  /** The whole image, where it can be split or joined. */
  readonly image?: Uint8Array | undefined;
  readonly mistaken: readonly (readonly [hex: string, what: string])[];
}

async function readSpace(request: GuestRequest, files: GuestFiles, claim: OvmfClaim): Promise<ReadSpace> {
  const { platform, regions, svsm } = request;
  if (platform === "snp" && regions.length > 0) return await regionSpace(request, files, claim);
  const path = firmwarePath(request);
  const bytes = await files.bytes(path);
  if (platform === "snp" && svsm !== undefined)
    return await svsmSpace(request, files, { claim, firmware: bytes, path });
  const variables = request.varsFile === undefined ? undefined : await files.bytes(request.varsFile);
  return reading(path, () =>
    platform === "snp"
      ? snpSpace(request, claim, { bytes, variables })
      : sevSpace(platform, claim, { bytes, variables }),
  );
}

interface FirmwareBytes {
  readonly bytes: Uint8Array;
  readonly variables: Uint8Array | undefined;
}

const SVSM = "svsm";

function snpSpace(
  { firmwareDigest }: GuestRequest,
  claim: OvmfClaim,
  { bytes, variables }: FirmwareBytes,
): ReadSpace {
  const image = isFirmwareReference(bytes) ? undefined : bytes;
  const firmware = image ?? parseFirmwareReference(bytes);
  const { reference } = openFirmware({ firmware, firmwareDigest });
  const whole = firmwareDigest === undefined ? image : undefined;
  const loaders = whole === undefined ? referenceLoader(reference) : imageLoaders(whole, variables);
  const usualProfile = reference.kind === "svsm" ? SVSM : undefined;
  const seed = [
    formatHex(reference.seed),
    "the digest after the firmware's pages alone, no launch digest (sev-snp-measure --mode snp:ovmf-hash prints it)",
  ] as const;
  const hash =
    image && ([formatHex(sha384(image)), "the SHA-384 of the firmware file, no launch digest"] as const);
  return {
    space: new SnpSpace({ ...claim, firmware: loaders, usualProfile }),
    image: whole,
    mistaken: hash === undefined ? [seed] : [seed, hash],
  };
}

async function svsmSpace(
  request: GuestRequest,
  files: GuestFiles,
  { claim, firmware, path }: { claim: OvmfClaim; firmware: Uint8Array; path: string },
): Promise<ReadSpace> {
  const { svsm = "", varsFile, varsSize } = request;
  if (isFirmwareReference(firmware))
    throw usage("--svsm goes with a firmware image: a reference has the SVSM in it");
  const size = varsFile === undefined ? varsSize : (await files.hash(varsFile)).size;
  const loaders = svsmLoaders({ firmware, svsm: await files.bytes(svsm), varsSize: size ?? 0 });
  return reading(path, () => ({
    space: new SnpSpace({ ...claim, firmware: loaders, usualProfile: SVSM }),
    mistaken: [],
  }));
}

async function regionSpace(request: GuestRequest, files: GuestFiles, claim: OvmfClaim): Promise<ReadSpace> {
  const regions = await Promise.all(
    request.regions.map(async ({ guestAddress, path }) => ({ guestAddress, bytes: await files.bytes(path) })),
  );
  return {
    space: new SnpSpace({ ...claim, firmware: regionLoader(regions), usualProfile: "libkrun" }),
    mistaken: [],
  };
}

function sevSpace(
  platform: "sev" | "sev-es",
  claim: OvmfClaim,
  { bytes, variables }: FirmwareBytes,
): ReadSpace {
  if (isFirmwareReference(bytes))
    throw usage(`${platform} hashes the firmware image itself: no digest or reference stands for it`);
  return {
    space: new SevSpace({ ...claim, platform, firmware: bytes, variables }),
    image: bytes,
    mistaken: [],
  };
}

async function readClaim(request: GuestRequest, files: GuestFiles): Promise<GuestClaim> {
  const { axes } = request;
  return {
    boot: await readBootClaim(request, files),
    profile: axes.profiles === "all" ? undefined : axes.profiles?.[0],
    profileOpen: axes.profiles === "all" || (axes.profiles?.length ?? 0) > 1,
    vmm: axes.vmm,
    vcpus: only(axes.vcpus),
    cpu: givenCpu(axes.cpus),
    guestFeatures: only(axes.guestFeatures),
  };
}

async function readBootClaim(request: GuestRequest, files: GuestFiles): Promise<BootClaim | undefined> {
  const { kernel, initrd, append, appendFile, kernelHashes } = request;
  if (kernel === undefined) {
    if (initrd !== undefined || append !== undefined || appendFile !== undefined)
      throw usage("an initrd or a command line is given without a kernel", "give --kernel too");
    return undefined;
  }
  const text = append === undefined ? undefined : utf8(append);
  return {
    kernel: (await files.hash(kernel)).sha256,
    initrd: initrd === undefined ? undefined : (await files.hash(initrd)).sha256,
    cmdline: appendFile === undefined ? text : await files.bytes(appendFile),
    hashes: kernelHashes,
  };
}

async function readInputs(request: GuestRequest, files: GuestFiles): Promise<GuestInput[]> {
  const { firmware, svsm, kernel, initrd, appendFile, regions } = request;
  const named: (readonly [string, string | undefined])[] = [
    ["firmware", firmware],
    ["svsm", svsm],
    ["kernel", kernel],
    ["initrd", initrd],
    ["cmdline", appendFile],
    ...regions.map(({ path }) => ["region", path] as const),
  ];
  const inputs: GuestInput[] = [];
  for (const [role, path] of named) if (path !== undefined) inputs.push(await files.input(role, path));
  return inputs;
}

function notTried(
  { kernel, initrd, varsFile, svsm, regions }: GuestRequest,
  image: Uint8Array | undefined,
  storeLength: number | undefined,
): NotTried[] {
  const boots = svsm === undefined && regions.length === 0;
  const all: [boolean, string, string][] = [
    [
      boots && kernel === undefined,
      "kernel, initrd and command line",
      "none is given; when the guest boots a kernel directly, with kernel hashes on, give --kernel",
    ],
    [
      kernel !== undefined && initrd === undefined,
      "an initrd",
      "none is given; give --initrd if there is one",
    ],
    [boots && image === undefined, "firmware split from its variable store", "the image itself is not given"],
    [
      image !== undefined && storeLength === undefined && varsFile === undefined,
      "firmware joined with a variable store",
      "the image has none in it; give --vars-file to try both together",
    ],
  ];
  return all.filter(([applies]) => applies).map(([, what, why]) => ({ what, why }));
}
