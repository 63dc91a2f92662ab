/**
 * What the launch digest sees of a guest, and what it does not.
 * @module
 */
import type { Coverage, UncoveredInput } from "../measurement.ts";
import { LAUNCH_DIGEST } from "./page-info.ts";

/** Which direct-boot inputs are given, and whether their hashes are measured. */
export interface DirectBootCoverage {
  readonly given: readonly ("kernel" | "initrd" | "cmdline")[];
  readonly hashed: boolean;
}

const ALWAYS_COVERED: readonly (readonly [string, string])[] = [
  ["firmware", "NORMAL pages, every byte"],
  ["SEV metadata sections", "page types and guest addresses"],
  ["number of vCPUs", "one VMSA page each"],
  ["CPU signature", "VMSA RDX"],
  ["guest features", "VMSA SEV_FEATURES"],
  ["AP reset address", "VMSA CS base and RIP"],
];

const NEVER_COVERED: readonly UncoveredInput[] = [
  { input: "guest policy", why: "the report has a field of its own for it" },
  { input: "host data", why: "the report has a field of its own for it" },
  { input: "ID block and ID key", why: "the report has fields of its own for them" },
  { input: "CPUID page contents", why: "the firmware checks CPUID pages and does not hash them" },
  { input: "secrets page contents", why: "the security processor writes them at launch" },
  {
    input: "variable store in a file of its own",
    why: "only the first flash unit is given to the guest at launch",
  },
  { input: "memory size, ACPI tables, devices, disks", why: "the guest meets them after launch" },
];

/** The coverage of one launch. */
export function snpCoverage(launch: DirectBootCoverage): Coverage {
  const boot = bootCoverage(launch, LAUNCH_DIGEST);
  return {
    covered: [
      ...ALWAYS_COVERED.map(([input, through]) => ({ input, register: LAUNCH_DIGEST, through })),
      ...boot.covered,
    ],
    notCovered: [...boot.notCovered, ...NEVER_COVERED],
  };
}

/** The coverage of what a guest boots directly. */
export function bootCoverage({ given, hashed }: DirectBootCoverage, register: string): Coverage {
  const parts = ["kernel", "initrd", "cmdline"] as const;
  if (hashed)
    // An absent part is covered too: the table then holds the hash of nothing.
    return {
      covered: parts.map((input) => ({
        input,
        register,
        through: "SHA-256 in the kernel hashes table",
      })),
      notCovered: [],
    };
  if (given.length > 0)
    return { covered: [], notCovered: given.map((input) => ({ input, why: "kernel hashes are off" })) };
  const why = "no kernel is measured: the digest ends with the firmware";
  return { covered: [], notCovered: [{ input: "what the firmware boots", why }] };
}
