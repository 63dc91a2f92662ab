/**
 * A prepared SNP launch: firmware pages, metadata sections and kernel hashes are in the digest, and each shape
 * adds its VMSAs. Preparing costs milliseconds, a further shape microseconds.
 * @module
 */
import { type Sha384, sha384 } from "@bootproof/bytes";
import { MeasureError } from "../measure-error.ts";
import type { MeasureWarning } from "../measurement.ts";
import { type FirmwareReference, measureFirmware } from "./firmware-reference.ts";
import type { OpenedFirmware } from "./firmware-source.ts";
import type { DirectBootDigests } from "./kernel-hashes.ts";
import { extendPage, LAUNCH_DIGEST, type PageEvent, START } from "./page-info.ts";
import { extendRuns, type PageRun, runEvents } from "./page-run.ts";
import type { SnpProfile, VcpuRole } from "./profile.ts";
import { defaultProfile } from "./profiles.ts";
import { sectionRuns } from "./section-events.ts";
import type { ResolvedShape } from "./shape.ts";
import { BSP_RESET_ADDRESS, buildVmsa } from "./vmsa.ts";

/** Digests of the two VMSA pages that one CPU and feature set has: the boot processor's and everyone else's. */
export interface VmsaDigests {
  readonly bsp: Sha384;
  readonly ap: Sha384;
}

/** The launch digest before the VMSAs, and what the VMSAs depend on. */
export interface LaunchPrefix {
  readonly profile: SnpProfile;
  readonly digest: Sha384;
  readonly resetAddress: number;
  /** What the digest is made from, when that is a firmware with sections of its own. */
  readonly firmware?: FirmwareReference;
  /** Hashes in the kernel hashes table. */
  readonly directBoot?: DirectBootDigests | undefined;
}

/** A launch whose shape is still open. */
export class SnpLaunch {
  readonly prefix: LaunchPrefix;
  /** The registers before the first of {@link SnpLaunch.runs}. */
  readonly start: typeof START;
  /** The pages of everything but the VMSAs, as far as they are known. */
  readonly runs: readonly PageRun[];
  readonly warnings: readonly MeasureWarning[];
  readonly #vmsas = new Map<string, VmsaDigests>();
  /** Launch digests of one CPU and feature set by number of vCPUs, so that a ladder costs one hash a rung. */
  readonly #ladders = new Map<string, Sha384[]>();

  constructor(
    prefix: LaunchPrefix,
    runs: readonly PageRun[],
    warnings: readonly MeasureWarning[],
    start: typeof START = START,
  ) {
    this.start = start;
    this.prefix = prefix;
    this.runs = runs;
    this.warnings = warnings;
  }

  /** The launch digest of a shape; throws {@link MeasureError} when the shape is of another profile. */
  digest(shape: ResolvedShape): Sha384 {
    const { profile } = this.prefix;
    const ladder = this.#ladder(shape);
    let reached = ladder.at(-1) ?? this.prefix.digest;
    if (ladder.length < shape.vcpus) {
      const vmsas = this.vmsaDigests(shape);
      while (ladder.length < shape.vcpus) {
        const vmsa = ladder.length === 0 ? vmsas.bsp : vmsas.ap;
        reached = extendPage(reached, "VMSA", vmsa, profile.vmsaGuestAddress);
        ladder.push(reached);
      }
    }
    return ladder[shape.vcpus - 1] ?? reached;
  }

  /** The same pages with the VMSAs of another profile. */
  withProfile(profile: SnpProfile): SnpLaunch {
    return new SnpLaunch({ ...this.prefix, profile }, this.runs, this.warnings, this.start);
  }

  /** Every page of a shape's launch, in order. */
  *events(shape: ResolvedShape): Generator<PageEvent> {
    yield* runEvents(this.runs);
    yield* this.vmsaEvents(shape);
  }

  /** The VMSA events of a shape, boot processor first. */
  vmsaEvents(shape: ResolvedShape): PageEvent[] {
    const vmsas = this.vmsaDigests(shape);
    return Array.from({ length: shape.vcpus }, (_, vcpu) => vmsaEvent(this.prefix.profile, vmsas, vcpu));
  }

  /** Digests of the two VMSA pages of a shape's CPU and guest features. */
  vmsaDigests(shape: ResolvedShape): VmsaDigests {
    const key = vmsaKey(shape);
    const known = this.#vmsas.get(key);
    if (known !== undefined) return known;
    const { profile, resetAddress } = this.prefix;
    if (shape.profile.name !== profile.name)
      throw new MeasureError("BP-SNP-009", "the launch was prepared for another profile", {
        expected: profile.name,
        found: shape.profile.name,
      });
    const vmsas = hashVmsas(shape, resetAddress);
    this.#vmsas.set(key, vmsas);
    return vmsas;
  }

  #ladder(shape: ResolvedShape): Sha384[] {
    const key = vmsaKey(shape);
    const ladder = this.#ladders.get(key) ?? [];
    this.#ladders.set(key, ladder);
    return ladder;
  }
}

/** Digests of a shape's two VMSA pages on firmware with this AP reset address. */
export function hashVmsas(shape: ResolvedShape, resetAddress: number): VmsaDigests {
  const { bsp, ap } = vmsaPages(shape, resetAddress);
  return { bsp: sha384(bsp), ap: sha384(ap) };
}

/** A shape's two VMSA pages on firmware with this AP reset address. */
export function vmsaPages(
  { profile, cpuSignature, guestFeatures }: ResolvedShape,
  resetAddress: number,
): Record<VcpuRole, Uint8Array> {
  const page = (role: VcpuRole, named: number): Uint8Array =>
    buildVmsa(profile.vmsa, {
      role,
      resetAddress: profile.vmsa[role].resetAddress ?? named,
      cpuSignature,
      guestFeatures,
    });
  const flat = profile.vmsa.bsp.reset === "flat";
  return { bsp: page("bsp", flat ? resetAddress : BSP_RESET_ADDRESS), ap: page("ap", resetAddress) };
}

/** Prepares a launch from a firmware image, or throws ParseError where QEMU would not launch it. */
export function prepareSnp(
  firmware: Uint8Array,
  directBoot?: DirectBootDigests,
  profile: SnpProfile = defaultProfile("snp", "qemu"),
): SnpLaunch {
  return prepareMeasured(measureFirmware(firmware), directBoot, profile);
}

/** Prepares a launch without the image; its pages start behind the firmware's. */
export function prepareFromReference(
  reference: FirmwareReference,
  directBoot?: DirectBootDigests,
  profile: SnpProfile = defaultProfile("snp", "qemu"),
): SnpLaunch {
  return prepareMeasured({ reference, pages: undefined, warnings: [] }, directBoot, profile);
}

const IMAGES: Readonly<Record<SnpProfile["image"], string>> = {
  ovmf: "an OVMF image alone",
  svsm: "an OVMF image with an SVSM",
  regions: "regions of memory",
};

/** Prepares a launch of firmware that is hashed already, so that many profiles and kernels share the hashing. */
export function prepareMeasured(
  firmware: OpenedFirmware,
  directBoot: DirectBootDigests | undefined,
  profile: SnpProfile,
): SnpLaunch {
  const { reference, pages, warnings } = firmware;
  const image = reference.kind ?? "ovmf";
  if (profile.image !== image)
    throw new MeasureError("BP-SNP-010", `guests of profile ${profile.name} do not boot ${IMAGES[image]}`, {
      expected: IMAGES[profile.image],
      found: IMAGES[image],
    });
  const sections = sectionRuns(reference, profile, directBoot);
  const digest = extendRuns(reference.seed, sections);
  const { resetAddress } = reference;
  return new SnpLaunch(
    { profile, digest, resetAddress, firmware: reference, directBoot },
    pages === undefined ? sections : [...pages, ...sections],
    [...warnings, ...kernelWarnings(profile, directBoot)],
    pages === undefined ? { [LAUNCH_DIGEST]: reference.seed } : START,
  );
}

function kernelWarnings(profile: SnpProfile, directBoot: DirectBootDigests | undefined): MeasureWarning[] {
  if (directBoot === undefined || profile.kernelHashes) return [];
  const message = `guests of profile ${profile.name} start no kernel directly: this is what other tools compute, and no guest reports it`;
  return [{ code: "BP-SNP-113", message, artifact: "kernel" }];
}

/** KVM measures one VMSA page a vCPU at launch finish, all at the same guest address. */
export function vmsaEvent(profile: SnpProfile, vmsas: VmsaDigests, vcpu: number): PageEvent {
  return {
    register: LAUNCH_DIGEST,
    digest: vcpu === 0 ? vmsas.bsp : vmsas.ap,
    type: "VMSA",
    label: vcpu === 0 ? "vCPU 0 (boot processor)" : `vCPU ${vcpu}`,
    source: { artifact: "vmm", section: "VMSA" },
    guestAddress: profile.vmsaGuestAddress,
  };
}

/** What a VMSA depends on besides the firmware. */
function vmsaKey({ profile, cpuSignature, guestFeatures }: ResolvedShape): string {
  return `${profile.name}/${cpuSignature}/${guestFeatures}`;
}
