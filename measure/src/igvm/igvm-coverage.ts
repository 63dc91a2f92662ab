/**
 * What the launch digest sees of a guest that boots an IGVM file, and what it does not.
 * @module
 */
import type { Coverage, UncoveredInput } from "../measurement.ts";
import { LAUNCH_DIGEST } from "../snp/page-info.ts";
import type { IgvmGuest } from "./igvm-guest.ts";

const SNP_COVERED: readonly (readonly [string, string])[] = [
  ["normal pages of the IGVM file", "NORMAL pages, every byte and guest address"],
  ["unmeasured, secrets and CPUID pages of the IGVM file", "page types and guest addresses"],
  ["parameter areas of the IGVM file", "UNMEASURED pages: size and guest address"],
  ["VP contexts of the IGVM file", "VMSA pages, the registers that KVM takes"],
  ["number of vCPUs", "one VMSA page each"],
  ["CPU signature", "VMSA RDX of processors without a VP context"],
];

const SEV_COVERED: readonly (readonly [string, string])[] = [
  ["normal pages of the IGVM file", "every byte, in file order"],
];

const ES_COVERED: readonly (readonly [string, string])[] = [
  ...SEV_COVERED,
  ["VP contexts of the IGVM file", "VMSA pages, the registers that KVM takes"],
  ["number of vCPUs", "one VMSA page each"],
  ["CPU signature", "VMSA RDX of processors without a VP context"],
];

const NEVER_COVERED: readonly UncoveredInput[] = [
  { input: "guest policy", why: "the report has a field of its own for it" },
  { input: "host data", why: "the report has a field of its own for it" },
  { input: "ID block and ID key", why: "the report has fields of its own for them" },
  { input: "contents of parameter areas", why: "the VMM writes them: memory map, ACPI tables, vCPU count" },
  { input: "contents of unmeasured pages", why: "the file says that nobody hashes them" },
  { input: "CPUID and secrets page contents", why: "the security processor checks or writes them" },
  { input: "required memory, headers for other platforms", why: "no page is launched from them" },
  { input: "memory size, devices, disks", why: "the guest meets them after launch" },
];

const SEV_NEVER: readonly UncoveredInput[] = [
  { input: "guest addresses", why: "only bytes are hashed, in the order of the commands" },
];

/** The coverage of one launch. */
export function igvmCoverage({ platform }: IgvmGuest): Coverage {
  const covered = { snp: SNP_COVERED, sev: SEV_COVERED, "sev-es": ES_COVERED }[platform];
  return {
    covered: covered.map(([input, through]) => ({ input, register: LAUNCH_DIGEST, through })),
    notCovered: platform === "snp" ? NEVER_COVERED : [...NEVER_COVERED, ...SEV_NEVER],
  };
}
