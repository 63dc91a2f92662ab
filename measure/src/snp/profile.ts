/**
 * What a VMM and its host decide about a launch digest, as fields: everything that differs between two profiles.
 * @module
 */
import type { PageType } from "./page-info.ts";

/** AMD's platforms with a launch digest. */
export type AmdPlatform = "snp" | "sev" | "sev-es";

/** Virtual machine monitors with a profile. */
export type Vmm = "qemu" | "ec2" | "gce" | "libkrun" | "cloud-hypervisor";

/** Role of a vCPU: the boot processor or an application processor. */
export type VcpuRole = "bsp" | "ap";

/** A segment register without its base. */
export interface Segment {
  readonly selector: number;
  readonly attributes: number;
  readonly limit: number;
}

/** Where a vCPU starts: at the reset address as real mode splits it, or as flat 32-bit code takes it whole. */
export type ResetForm = "real mode" | "flat";

/** Segments and control register of a vCPU at launch. */
export interface StartState {
  readonly reset: ResetForm;
  /** A fixed reset address; undefined: the boot processor's 0xfffffff0, or what the firmware names for the others. */
  readonly resetAddress?: number;
  readonly cs: Segment;
  readonly ss: Segment;
  /** DS, ES and FS. */
  readonly ds: Segment;
  readonly gs: Segment;
  readonly tr: Segment;
  readonly cr0: bigint;
}

/** A general register that is not 0 at launch. */
export interface GeneralRegister {
  readonly name: string;
  /** Offset in the VMSA. */
  readonly offset: number;
  readonly value: bigint;
}

/** What a VMM and KVM put into VMSA pages. */
export interface VmsaProfile {
  readonly bsp: StartState;
  readonly ap: StartState;
  readonly gPat: bigint;
  /** RDX at reset: the CPU signature, or a constant. */
  readonly rdx: "cpu signature" | number;
  readonly mxcsr: number;
  readonly fcw: number;
  /** Registers that the VMM sets on the boot processor only. */
  readonly bspRegisters: readonly GeneralRegister[];
}

/** A page range that a VMM adds by itself, whatever the image says. */
export interface FixedPages {
  readonly label: string;
  readonly type: PageType;
  readonly guestAddress: number;
  readonly size: number;
}

/** What every profile says of itself. */
export interface ProfileFacts {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly platform: AmdPlatform;
  readonly vmm: Vmm;
  /** One line. */
  readonly title: string;
  /** From when to when, in which releases. */
  readonly dates: string;
  /** What separates it from its nearest neighbour, and which that is. */
  readonly differs: string;
  readonly evidence: readonly string[];
  /** The strongest evidence there is: a value from hardware, implementations that agree, or source code read. */
  readonly confirmed: "hardware" | "peers" | "source";
  /** SEV_FEATURES when nothing else is asked for. */
  readonly guestFeatures: bigint;
}

/** A profile of SEV-SNP guests. */
export interface SnpProfile extends ProfileFacts {
  readonly platform: "snp";
  /** What is measured first: an OVMF image with its metadata sections, one with an SVSM, or regions that the VMM lays out. */
  readonly image: "ovmf" | "svsm" | "regions";
  /** Page type of SNP_SEC_MEM sections. */
  readonly memoryPages: PageType;
  /** Page type of sections whose type nobody knows, or whether the VMM refuses them. */
  readonly unknownSections: PageType | "refused";
  /** Whether CPUID sections come after all others. */
  readonly cpuidLast: boolean;
  /** Whether the VMM starts kernels directly, and can measure the hashes of kernel, initrd and command line. */
  readonly kernelHashes: boolean;
  /** Pages that the VMM adds after the image. */
  readonly fixedPages: readonly FixedPages[];
  /** Guest address of every VMSA page. */
  readonly vmsaGuestAddress: bigint;
  readonly vmsa: VmsaProfile;
}

/** A profile of SEV-ES guests. */
export interface SevEsProfile extends ProfileFacts {
  readonly platform: "sev-es";
  readonly kernelHashes: boolean;
  /** Whether guest features other than 0 can be asked for: KVM_SEV_INIT2 takes them, the legacy call does not. */
  readonly takesGuestFeatures: boolean;
  readonly vmsa: VmsaProfile;
}

/** A profile of plain SEV guests: no VMSA is measured. */
export interface SevProfile extends ProfileFacts {
  readonly platform: "sev";
  readonly kernelHashes: boolean;
}

/** Any profile. */
export type Profile = SnpProfile | SevEsProfile | SevProfile;
