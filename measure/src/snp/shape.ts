/**
 * The shape of an SNP guest: everything about the virtual machine that its launch digest depends on.
 * @module
 */
import { MeasureError } from "../measure-error.ts";
import { cpuModelSignature, type CpuIdentity, cpuSignature } from "./cpu-models.ts";
import type { SevEsProfile, SnpProfile, Vmm } from "./profile.ts";
import { chooseProfile } from "./profiles.ts";

/** More than any SNP processor has threads for; bounds the work of one digest. */
export const MAX_VCPUS = 512;

/** A shape as people give it: the CPU by exactly one of model name, signature, or family with model and stepping. */
export interface SnpShape {
  /** A profile's name or alias; wins over {@link SnpShape.vmm}. */
  readonly profile?: string | undefined;
  /** Chooses the VMM's default profile; `qemu` when absent. */
  readonly vmm?: string | undefined;
  readonly vcpus: number;
  /** QEMU's model name, as in `-cpu`. */
  readonly cpu?: string | undefined;
  /** CPUID function 1 EAX. */
  readonly vcpuSig?: number | undefined;
  readonly family?: number | undefined;
  readonly model?: number | undefined;
  readonly stepping?: number | undefined;
  /** SEV_FEATURES; the profile's when absent. */
  readonly guestFeatures?: bigint | undefined;
}

/** A shape with its profile, and its CPU resolved to the signature that is measured. */
export interface ResolvedGuest<P extends SnpProfile | SevEsProfile> {
  readonly profile: P;
  readonly vcpus: number;
  readonly cpu: string | undefined;
  /** What the VMSA's RDX holds: a constant on VMMs that measure no CPU. */
  readonly cpuSignature: number;
  readonly guestFeatures: bigint;
}

/** A resolved shape of an SNP guest. */
export type ResolvedShape = ResolvedGuest<SnpProfile>;

/** A resolved shape as JSON: numbers that are bit patterns in hex. */
export interface ShapeJson {
  readonly profile: string;
  readonly vmm: Vmm;
  readonly vcpus: number;
  readonly cpu?: string;
  readonly cpuSignature: string;
  readonly guestFeatures: string;
}

/** Resolves a shape, or throws {@link MeasureError}. Does not judge the guest features. */
export const resolveShape = (shape: SnpShape): ResolvedShape =>
  resolveGuest(shape, chooseProfile("snp", shape));

/** The profile that a shape names, or its VMM's default; throws {@link MeasureError}. */
export const resolveProfile = (shape: Pick<SnpShape, "profile" | "vmm">): SnpProfile =>
  chooseProfile("snp", shape);

/** Resolves everything but the profile, or throws {@link MeasureError}. Does not judge the guest features. */
export function resolveGuest<P extends SnpProfile | SevEsProfile>(
  shape: Omit<SnpShape, "profile" | "vmm">,
  profile: P,
): ResolvedGuest<P> {
  const { vcpus } = shape;
  if (!Number.isInteger(vcpus) || vcpus < 1 || vcpus > MAX_VCPUS)
    throw new MeasureError("BP-SNP-001", "number of vCPUs out of range", {
      expected: `1 to ${MAX_VCPUS}`,
      found: `${vcpus}`,
    });
  return {
    profile,
    vcpus,
    cpu: shape.cpu,
    cpuSignature: measuredSignature(shape, profile),
    guestFeatures: shape.guestFeatures ?? profile.guestFeatures,
  };
}

/** A resolved shape in its JSON form. */
export function formatShape({
  profile,
  vcpus,
  cpu,
  cpuSignature: signature,
  guestFeatures,
}: ResolvedGuest<SnpProfile | SevEsProfile>): ShapeJson {
  return {
    profile: profile.name,
    vmm: profile.vmm,
    vcpus,
    ...(cpu !== undefined && { cpu }),
    cpuSignature: `0x${signature.toString(16)}`,
    guestFeatures: `0x${guestFeatures.toString(16)}`,
  };
}

/** VMMs that put a constant into RDX need no CPU; one that is given must exist all the same. */
function measuredSignature(
  shape: Omit<SnpShape, "profile" | "vmm">,
  { vmsa: { rdx } }: SnpProfile | SevEsProfile,
): number {
  if (rdx === "cpu signature") return resolveSignature(shape);
  const { cpu, vcpuSig, family, model, stepping } = shape;
  if ([cpu, vcpuSig, family, model, stepping].some((part) => part !== undefined)) resolveSignature(shape);
  return rdx;
}

function resolveSignature({
  cpu,
  vcpuSig,
  family,
  model,
  stepping,
}: Omit<SnpShape, "profile" | "vmm">): number {
  const identity = [family, model, stepping].filter((part) => part !== undefined).length;
  const ways = [cpu !== undefined, vcpuSig !== undefined, identity > 0].filter(Boolean).length;
  if (ways !== 1)
    throw new MeasureError("BP-SNP-002", ways === 0 ? "no CPU given" : "the CPU is given more than once", {
      expected: "one of: model name, signature, or family with model and stepping",
    });
  if (cpu !== undefined) return cpuModelSignature(cpu);
  if (vcpuSig !== undefined) return checkSignature(vcpuSig);
  return cpuSignature(completeIdentity(family, model, stepping));
}

function completeIdentity(family?: number, model?: number, stepping?: number): CpuIdentity {
  if (family !== undefined && model !== undefined && stepping !== undefined)
    return { family, model, stepping };
  throw new MeasureError("BP-SNP-002", "family, model and stepping must be given together");
}

function checkSignature(signature: number): number {
  if (Number.isInteger(signature) && signature >= 0 && signature <= 0xffff_ffff) return signature;
  throw new MeasureError("BP-SNP-003", "CPU signature out of range", {
    expected: "0 to 0xffffffff",
    found: `${signature}`,
  });
}
