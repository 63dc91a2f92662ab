/**
 * A prepared SNP launch: firmware pages, metadata sections and kernel hashes are in the digest, and each shape
 * adds its VMSAs. Preparing costs milliseconds, a further shape microseconds.
 * @module
 */
import { type Sha384, sha384 } from "@bootproof/bytes";
import { MeasureError } from "../measure-error.ts";
import type { MeasureWarning } from "../measurement.ts";
import { replay } from "../replay.ts";
import { type FirmwareReference, measureFirmware } from "./firmware-reference.ts";
import type { DirectBootDigests } from "./kernel-hashes.ts";
import { extendLaunchDigest, LAUNCH_DIGEST, type PageEvent } from "./page-info.ts";
import type { SnpProfile, VcpuRole } from "./profile.ts";
import { defaultProfile } from "./profiles.ts";
import { sectionEvents } from "./section-events.ts";
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
}

/** A launch whose shape is still open. */
export class SnpLaunch {
  readonly prefix: LaunchPrefix;
  /** The events of everything but the VMSAs. */
  readonly events: readonly PageEvent[];
  readonly warnings: readonly MeasureWarning[];
  readonly #vmsas = new Map<string, VmsaDigests>();
  /** Launch digests of one CPU and feature set by number of vCPUs, so that a ladder costs one hash a rung. */
  readonly #ladders = new Map<string, Sha384[]>();

  constructor(prefix: LaunchPrefix, events: readonly PageEvent[], warnings: readonly MeasureWarning[]) {
    this.prefix = prefix;
    this.events = events;
    this.warnings = warnings;
  }

  /** The launch digest of a shape; throws {@link MeasureError} when the shape is of another profile. */
  digest(shape: ResolvedShape): Sha384 {
    const ladder = this.#ladder(shape);
    let reached = ladder.at(-1) ?? this.prefix.digest;
    if (ladder.length < shape.vcpus) {
      const vmsas = this.vmsaDigests(shape);
      while (ladder.length < shape.vcpus) {
        reached = extendLaunchDigest(reached, vmsaEvent(this.prefix.profile, vmsas, ladder.length));
        ladder.push(reached);
      }
    }
    return ladder[shape.vcpus - 1] ?? reached;
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
    const { cpuSignature, guestFeatures } = shape;
    const page = (role: VcpuRole, named: number): Sha384 =>
      sha384(
        buildVmsa(profile.vmsa, {
          role,
          resetAddress: profile.vmsa[role].resetAddress ?? named,
          cpuSignature,
          guestFeatures,
        }),
      );
    const vmsas = { bsp: page("bsp", BSP_RESET_ADDRESS), ap: page("ap", resetAddress) };
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

/** Prepares a launch from a firmware image, or throws ParseError where QEMU would not launch it. */
export function prepareSnp(
  firmware: Uint8Array,
  directBoot?: DirectBootDigests,
  profile: SnpProfile = defaultProfile("snp", "qemu"),
): SnpLaunch {
  const { reference, events, warnings } = measureFirmware(firmware);
  const launch = prepareFromReference(reference, directBoot, profile);
  return new SnpLaunch(launch.prefix, [...events, ...launch.events], [...warnings, ...launch.warnings]);
}

/** Prepares a launch without the image; its events start behind the firmware pages. */
export function prepareFromReference(
  reference: FirmwareReference,
  directBoot?: DirectBootDigests,
  profile: SnpProfile = defaultProfile("snp", "qemu"),
): SnpLaunch {
  const events = sectionEvents(reference, profile, directBoot);
  const registers = replay({ [LAUNCH_DIGEST]: reference.seed }, extendLaunchDigest, events);
  const digest = registers[LAUNCH_DIGEST] as Sha384;
  return new SnpLaunch({ profile, digest, resetAddress: reference.resetAddress }, events, []);
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
