/**
 * What a VMM decides about the launch digest, as data: a new VMM or epoch is a new row, never a new branch.
 * @module
 */
import { MeasureError } from "../measure-error.ts";
import type { PageType } from "./page-info.ts";

/** Segment attributes of the reset state. */
export interface SegmentAttributes {
  readonly code: number;
  readonly data: number;
  readonly task: number;
}

/** One VMM's choices. */
export interface SnpProfile {
  readonly vmm: Vmm;
  /** Page type of SNP_SEC_MEM sections and of every type that the VMM does not know. */
  readonly memoryPages: PageType;
  /** Guest address of every VMSA page. */
  readonly vmsaGuestAddress: bigint;
  readonly segments: SegmentAttributes;
  readonly gPat: bigint;
  /** RDX at reset: the CPU signature, or a constant. */
  readonly rdx: "cpu signature" | number;
  readonly mxcsr: number;
  readonly x87Fcw: number;
}

/** VMMs with a profile. */
export type Vmm = "qemu";

const PROFILES: Readonly<Record<Vmm, SnpProfile>> = {
  // QEMU 9.1 and later on KVM 6.11 and later. target/i386/sev.c measures unknown section types as ZERO;
  // KVM_SET_SREGS sets the accessed bits; KVM's INITIAL_VMSA_GPA; FPU state is synced into SNP VMSAs.
  qemu: {
    vmm: "qemu",
    memoryPages: "ZERO",
    vmsaGuestAddress: 0xffff_ffff_f000n,
    segments: { code: 0x9b, data: 0x93, task: 0x8b },
    gPat: 0x0007_0406_0007_0406n,
    rdx: "cpu signature",
    mxcsr: 0x1f80,
    x87Fcw: 0x037f,
  },
};

/** VMM names that {@link snpProfile} knows. */
export const VMMS: readonly Vmm[] = Object.values(PROFILES).map(({ vmm }) => vmm);

/** The profile of a VMM; throws {@link MeasureError} for an unknown one. */
export function snpProfile(vmm: string): SnpProfile {
  const profile = Object.values(PROFILES).find((candidate) => candidate.vmm === vmm);
  if (profile === undefined)
    throw new MeasureError("BP-SNP-007", "unknown VMM", { expected: VMMS.join(", "), found: vmm });
  return profile;
}
