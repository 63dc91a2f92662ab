/**
 * A prepared SEV or SEV-ES launch: firmware and kernel hashes are in the running hash, and each SEV-ES shape adds its
 * VMSAs.
 * @module
 */
import { type HashState, type Sha256, sha256, startHash } from "@bootproof/bytes";
import { MeasureError } from "../measure-error.ts";
import type { MeasureWarning } from "../measurement.ts";
import { type DirectBootDigests, encodeKernelHashes } from "../snp/kernel-hashes.ts";
import type { SevEsProfile, VcpuRole } from "../snp/profile.ts";
import { defaultProfile } from "../snp/profiles.ts";
import type { ResolvedGuest } from "../snp/shape.ts";
import { BSP_RESET_ADDRESS, buildVmsa } from "../snp/vmsa.ts";
import { SEV_LAUNCH_DIGEST, type SevEvent } from "./sev-event.ts";
import { openSevImage, sevHashTableArea, type SevImage, sevResetAddress } from "./sev-firmware.ts";

const FOUR_GIB = 0x1_0000_0000;

/** Bytes of one command, before anyone asks for their digest. */
type SevPart = Omit<SevEvent, "digest">;

/** What comes before VMSAs on both platforms: for plain SEV, everything. */
export class SevLaunch {
  readonly warnings: readonly MeasureWarning[];
  protected readonly parts: readonly SevPart[];
  protected readonly state: HashState;

  constructor(image: SevImage, directBoot: DirectBootDigests | undefined) {
    this.warnings = image.warnings;
    this.parts = [
      firmwarePart(image),
      ...(directBoot === undefined ? [] : [kernelHashesPart(image, directBoot)]),
    ];
    this.state = startHash("sha256");
    for (const { bytes } of this.parts) this.state.update(bytes);
  }

  /** The launch digest of a plain SEV guest. */
  sevDigest(): Sha256 {
    return this.state.copy().digest() as Sha256;
  }

  /** Every command of a plain SEV launch. */
  *sevEvents(): Generator<SevEvent> {
    for (const part of this.parts) yield { ...part, digest: sha256(part.bytes) };
  }
}

/** A SEV-ES launch whose shape is still open. */
export class SevEsLaunch extends SevLaunch {
  readonly profile: SevEsProfile;
  readonly resetAddress: number;

  constructor(image: SevImage, directBoot: DirectBootDigests | undefined, profile: SevEsProfile) {
    const resetAddress = sevResetAddress(image);
    super(image, directBoot);
    this.profile = profile;
    this.resetAddress = resetAddress;
  }

  /** The launch digest of a shape; throws {@link MeasureError} when the shape is of another profile. */
  digest(shape: ResolvedGuest<SevEsProfile>): Sha256 {
    const state = this.state.copy();
    for (const page of this.#vmsas(shape)) state.update(page);
    return state.digest() as Sha256;
  }

  /** Launch digests of a CPU and feature set for ascending vCPU counts, each from the one before it. */
  *ladder(
    shape: ResolvedGuest<SevEsProfile>,
    counts: readonly number[],
  ): Generator<{ readonly vcpus: number; readonly launchDigest: Sha256 }> {
    const state = this.state.copy();
    const [bsp, ap] = [this.#vmsa(shape, "bsp"), this.#vmsa(shape, "ap")];
    let vcpu = 0;
    for (const vcpus of counts) {
      if (vcpus < vcpu) throw new RangeError("vCPU counts do not ascend");
      for (; vcpu < vcpus; vcpu++) state.update(vcpu === 0 ? bsp : ap);
      yield { vcpus, launchDigest: state.copy().digest() as Sha256 };
    }
  }

  /** Every command of a shape's launch. */
  *events(shape: ResolvedGuest<SevEsProfile>): Generator<SevEvent> {
    yield* this.sevEvents();
    let vcpu = 0;
    for (const page of this.#vmsas(shape)) {
      yield {
        register: SEV_LAUNCH_DIGEST,
        digest: sha256(page),
        type: "LAUNCH_UPDATE_VMSA",
        label: vcpu === 0 ? "vCPU 0 (boot processor)" : `vCPU ${vcpu}`,
        source: { artifact: "vmm", section: "VMSA" },
        bytes: page,
      };
      vcpu++;
    }
  }

  *#vmsas(shape: ResolvedGuest<SevEsProfile>): Generator<Uint8Array> {
    yield this.#vmsa(shape, "bsp");
    const ap = this.#vmsa(shape, "ap");
    for (let vcpu = 1; vcpu < shape.vcpus; vcpu++) yield ap;
  }

  #vmsa(shape: ResolvedGuest<SevEsProfile>, role: VcpuRole): Uint8Array {
    if (shape.profile.name !== this.profile.name)
      throw new MeasureError("BP-SNP-009", "the launch was prepared for another profile", {
        expected: this.profile.name,
        found: shape.profile.name,
      });
    const { cpuSignature, guestFeatures } = shape;
    const resetAddress = role === "bsp" ? BSP_RESET_ADDRESS : this.resetAddress;
    return buildVmsa(this.profile.vmsa, { role, resetAddress, cpuSignature, guestFeatures });
  }
}

/** Prepares a SEV launch, or throws ParseError where QEMU would not launch the image. */
export const prepareSev = (firmware: Uint8Array, directBoot?: DirectBootDigests): SevLaunch =>
  new SevLaunch(openSevImage(firmware), directBoot);

/** Prepares a SEV-ES launch, or throws ParseError where QEMU would not launch the image. */
export const prepareSevEs = (
  firmware: Uint8Array,
  directBoot?: DirectBootDigests,
  profile: SevEsProfile = defaultProfile("sev-es", "qemu"),
): SevEsLaunch => new SevEsLaunch(openSevImage(firmware), directBoot, profile);

function firmwarePart({ bytes }: SevImage): SevPart {
  return {
    register: SEV_LAUNCH_DIGEST,
    type: "LAUNCH_UPDATE_DATA",
    label: "firmware",
    source: { artifact: "firmware", offset: 0, length: bytes.length },
    guestAddress: BigInt(FOUR_GIB - bytes.length),
    bytes,
  };
}

function kernelHashesPart(image: SevImage, directBoot: DirectBootDigests): SevPart {
  return {
    register: SEV_LAUNCH_DIGEST,
    type: "LAUNCH_UPDATE_DATA",
    label: "kernel hashes table",
    source: { artifact: "vmm", section: "kernel hashes table" },
    guestAddress: BigInt(sevHashTableArea(image).guestAddress),
    bytes: encodeKernelHashes(directBoot),
  };
}
