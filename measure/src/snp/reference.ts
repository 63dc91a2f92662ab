/**
 * The compact reference: the launch digest before the VMSAs and the digests of the VMSA pages, from which the
 * launch digest of every vCPU count follows; and the firmware in short with the kernel hashes, from which the digest of
 * every other shape and every other kernel follows too. The boot-measurement predicate carries it instead of a list of
 * digests.
 * @module
 */
import {
  asDigest,
  formatDigest,
  type JsonValue,
  parseDigest,
  parseHex,
  type Sha256,
  type Sha384,
} from "@bootproof/bytes";
import { MeasureError } from "../measure-error.ts";
import type { DirectBootDigests } from "./kernel-hashes.ts";
import { hashVmsas, prepareFromReference, type SnpLaunch, type VmsaDigests } from "./launch.ts";
import type { FirmwareReference } from "./firmware-reference.ts";
import { extendPage } from "./page-info.ts";
import { chooseProfile, snpProfile } from "./profiles.ts";
import {
  type FirmwareReferenceJson,
  firmwareReferenceJson,
  readFirmwareReference,
} from "./reference-json.ts";
import { type ResolvedShape, resolveShape, type SnpShape } from "./shape.ts";

/** VMSA page digests of one CPU signature and feature set. */
export interface VmsaReference {
  readonly cpuSignature: string;
  readonly guestFeatures: string;
  /** SHA-384 of the boot processor's page, hex. */
  readonly bsp: string;
  /** SHA-384 of every other processor's page, hex. */
  readonly ap: string;
}

/** SHA-256 of each part of a direct boot, hex, as the kernel hashes table holds them. */
export interface KernelHashesJson {
  readonly kernel: string;
  readonly initrd: string;
  /** Over the command line and the NUL behind it. */
  readonly cmdline: string;
}

/** A launch with its shape open, as JSON. */
export interface SnpReference {
  /** Name of the profile. */
  readonly profile: string;
  /** What everything else can be derived from; absent in references of firmware that is not known in short. */
  readonly firmware?: FirmwareReferenceJson | undefined;
  /** Absent when no kernel is measured. */
  readonly kernelHashes?: KernelHashesJson | undefined;
  /** Launch digest before the first VMSA, hex. */
  readonly prefix: string;
  readonly vmsas: readonly VmsaReference[];
}

/** The reference of a prepared launch for these CPUs and guest features; vCPU counts do not matter. Sorted by their text. */
export function referenceOf(launch: SnpLaunch, shapes: Iterable<SnpShape>): SnpReference {
  const { profile, digest, firmware, directBoot } = launch.prefix;
  const vmsas = new Map<string, VmsaReference>();
  for (const shape of shapes) {
    const entry = vmsaReference(launch, resolveShape(shape));
    vmsas.set(`${entry.cpuSignature} ${entry.guestFeatures}`, entry);
  }
  return {
    profile: profile.name,
    ...(firmware && { firmware: firmwareReferenceJson(firmware) }),
    ...(directBoot && {
      kernelHashes: {
        kernel: formatDigest(directBoot.kernel),
        initrd: formatDigest(directBoot.initrd),
        cmdline: formatDigest(directBoot.cmdline),
      },
    }),
    prefix: formatDigest(digest),
    vmsas: [...vmsas].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, entry]) => entry),
  };
}

/**
 * The launch that a reference's firmware part describes, with its own kernel hashes or others (`null`: none).
 * Throws {@link MeasureError} for a reference without one, ParseError for one that cannot launch.
 */
export function launchOf(reference: SnpReference, directBoot?: DirectBootDigests | null): SnpLaunch {
  if (reference.firmware === undefined)
    throw new MeasureError("BP-SNP-006", "the reference does not say which firmware it is of", {
      hint: "measure the firmware itself",
    });
  const hashes = directBoot === undefined ? ownHashes(reference) : (directBoot ?? undefined);
  return prepareFromReference(readFirmware(reference.firmware), hashes, snpProfile(reference.profile));
}

/** The launch digest of a shape that follows from `reference`; throws {@link MeasureError} when it does not. */
export function expandReference(reference: SnpReference, shape: SnpShape): Sha384 {
  const [only] = expandCounts(reference, shape, [shape.vcpus]);
  if (only === undefined) throw new RangeError("one count gives one digest");
  return only.launchDigest;
}

/**
 * The launch digests of one CPU and feature set for ascending vCPU counts, each from the one before it: references come
 * from strangers, and each digest from the start would cost the square of the largest count.
 */
export function* expandCounts(
  reference: SnpReference,
  shape: Omit<SnpShape, "vcpus">,
  counts: readonly number[],
): Generator<{ readonly vcpus: number; readonly launchDigest: Sha384 }> {
  const profile = snpProfile(reference.profile);
  let launchDigest = digest(reference.prefix, "prefix");
  let vcpu = 0;
  let vmsas: VmsaDigests | undefined;
  for (const vcpus of counts) {
    if (vcpus < vcpu) throw new RangeError("vCPU counts do not ascend");
    const resolved = resolveFor(reference, { ...shape, vcpus });
    vmsas ??= vmsaDigests(reference, resolved);
    for (; vcpu < vcpus; vcpu++)
      launchDigest = extendPage(
        launchDigest,
        "VMSA",
        vcpu === 0 ? vmsas.bsp : vmsas.ap,
        profile.vmsaGuestAddress,
      );
    yield { vcpus, launchDigest };
  }
}

/** Demands that prefix and VMSA digests are what the firmware part gives, or throws {@link MeasureError} or ParseError. */
export function checkReference(reference: SnpReference): void {
  const launch = launchOf(reference);
  const { profile } = launch.prefix;
  agree("launch digest before the VMSAs", formatDigest(launch.prefix.digest), reference.prefix);
  for (const entry of reference.vmsas) {
    const derived = vmsaReference(launch, {
      profile,
      vcpus: 1,
      cpu: undefined,
      cpuSignature: Number(entry.cpuSignature),
      guestFeatures: BigInt(entry.guestFeatures),
    });
    const name = `VMSA of ${entry.cpuSignature} with features ${entry.guestFeatures}`;
    agree(`${name}, boot processor`, derived.bsp, entry.bsp);
    agree(`${name}, other processors`, derived.ap, entry.ap);
  }
}

/** The interface lacks the index signature that says that it is plain JSON. */
const readFirmware = (firmware: FirmwareReferenceJson): FirmwareReference =>
  readFirmwareReference(firmware as unknown as JsonValue);

function agree(what: string, derived: string, stated: string): void {
  if (derived !== stated)
    throw new MeasureError("BP-SNP-011", `the reference contradicts itself: ${what}`, {
      expected: derived,
      found: stated,
    });
}

function vmsaReference(launch: SnpLaunch, shape: ResolvedShape): VmsaReference {
  const { bsp, ap } = launch.vmsaDigests(shape);
  return { ...vmsaKey(shape), bsp: formatDigest(bsp), ap: formatDigest(ap) };
}

function resolveFor(reference: SnpReference, shape: SnpShape): ResolvedShape {
  const asked =
    shape.profile === undefined && shape.vmm === undefined ? { profile: reference.profile } : shape;
  const profile = chooseProfile("snp", asked);
  const resolved = resolveShape({ ...shape, profile: profile.name });
  if (profile.name === reference.profile) return resolved;
  throw new MeasureError("BP-SNP-006", "the reference is of another profile", {
    expected: reference.profile,
    found: profile.name,
  });
}

function vmsaDigests(reference: SnpReference, shape: ResolvedShape): VmsaDigests {
  const { cpuSignature, guestFeatures } = vmsaKey(shape);
  const entry = reference.vmsas.find(
    (vmsa) => vmsa.cpuSignature === cpuSignature && vmsa.guestFeatures === guestFeatures,
  );
  if (entry !== undefined) return { bsp: digest(entry.bsp, "bsp"), ap: digest(entry.ap, "ap") };
  // VMSAs need no page of the firmware: whoever states 16,000 of them costs nothing here.
  if (reference.firmware !== undefined)
    return hashVmsas(shape, readFirmware(reference.firmware).resetAddress);
  throw new MeasureError("BP-SNP-006", "the reference does not cover this shape", {
    expected: reference.vmsas
      .map((vmsa) => `${vmsa.cpuSignature} with features ${vmsa.guestFeatures}`)
      .join(", "),
    found: `${cpuSignature} with features ${guestFeatures}`,
  });
}

function ownHashes({ kernelHashes }: SnpReference): DirectBootDigests | undefined {
  if (kernelHashes === undefined) return undefined;
  const part = (name: keyof KernelHashesJson): Sha256 =>
    asDigest("sha256", parseHex(kernelHashes[name], `reference ${name} hash`));
  return { kernel: part("kernel"), initrd: part("initrd"), cmdline: part("cmdline") };
}

const vmsaKey = ({
  cpuSignature,
  guestFeatures,
}: ResolvedShape): { cpuSignature: string; guestFeatures: string } => ({
  cpuSignature: `0x${cpuSignature.toString(16)}`,
  guestFeatures: `0x${guestFeatures.toString(16)}`,
});
const digest = (text: string, field: string): Sha384 => parseDigest("sha384", text, `reference ${field}`);
