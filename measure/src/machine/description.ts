/**
 * What a machine's definition (QEMU command line, libvirt domain, Kata configuration) says about its launch digest.
 * @module
 */
import type { AmdPlatform } from "../snp/profile.ts";

/** Which reader made a description. */
export type MachineSource = "qemu" | "libvirt" | "kata";

/** The CPU of a machine, as far as its definition fixes the signature. */
export type MachineCpu =
  /** One of QEMU's models. */
  | { readonly kind: "model"; readonly name: string }
  /** A model with family, model or stepping overridden: the three that result. */
  | {
      readonly kind: "identity";
      readonly name: string;
      readonly family: number;
      readonly model: number;
      readonly stepping: number;
    }
  /** The host's silicon (`host`, `max`, host-passthrough): its signature is not in the definition. */
  | { readonly kind: "host"; readonly name: string };

/** What a note is about; stable, each with a page. */
export type MachineNoteCode =
  /** The guest is not confidential. */
  | "BP-MACHINE-101"
  /** QEMU, libvirt or Kata refuses to start this machine. */
  | "BP-MACHINE-102"
  /** Something outside the definition decides. */
  | "BP-MACHINE-103"
  /** A default was applied that people trip over. */
  | "BP-MACHINE-104"
  /** Changes what is measured in a way that we do not predict. */
  | "BP-MACHINE-105"
  /** Given, but in no launch digest. */
  | "BP-MACHINE-106"
  /** Words whose quotes are lost. */
  | "BP-MACHINE-107"
  /** Hints at another profile than the default. */
  | "BP-MACHINE-108";

/** One thing found in a definition that a person should know. */
export interface MachineNote {
  readonly code: MachineNoteCode;
  /** What was found, in the definition's own words. */
  readonly found: string;
  /** What it means for the launch digest. */
  readonly means: string;
  /** Whether a launch digest would be wrong or no machine would start. */
  readonly stops: boolean;
}

/** Parts that a digest needs. */
export type MachinePart = "platform" | "firmware" | "cmdline" | "vcpus" | "cpu";

/** A part that the definition does not give. */
export interface MissingPart {
  readonly what: MachinePart;
  readonly why: string;
  /** How to give it, in words. */
  readonly give: string;
}

/** A machine's definition, reduced to what launch digests and identities depend on; paths are as written, nothing is opened. */
export interface MachineDescription {
  readonly source: MachineSource;
  /** Undefined: the guest is not a confidential AMD guest, or the host decides. */
  readonly platform: AmdPlatform | undefined;
  readonly vmm: "qemu";
  /** Profiles that the definition points to, likeliest first; empty: nothing in it chooses one. */
  readonly profileHints: readonly string[];
  /** The image that is measured: `-bios` or flash unit 0. */
  readonly firmware?: string;
  /** Flash unit 1, which is not measured. */
  readonly varsFile?: string;
  readonly igvm?: string;
  readonly kernel?: string;
  readonly initrd?: string;
  /** The exact command line; undefined when none is given, which is measured as an empty one. */
  readonly cmdline?: string;
  /** vCPUs present at launch. */
  readonly vcpus?: number;
  readonly cpu?: MachineCpu;
  /** Whether kernel, initrd and command line are measured. */
  readonly kernelHashes?: boolean;
  /** SEV_FEATURES, where the definition sets any beyond the profile's. */
  readonly guestFeatures?: bigint;
  readonly policy?: bigint;
  /** 32 bytes. */
  readonly hostData?: Uint8Array;
  /** 96 bytes. */
  readonly idBlock?: Uint8Array;
  /** 4096 bytes. */
  readonly idAuth?: Uint8Array;
  readonly authorKeyEnabled?: boolean;
  readonly notes: readonly MachineNote[];
  readonly missing: readonly MissingPart[];
}
