/**
 * What the launch digest of SEV and SEV-ES sees of a guest, and what it does not.
 * @module
 */
import type { Coverage, UncoveredInput } from "../measurement.ts";
import { bootCoverage, type DirectBootCoverage } from "../snp/coverage.ts";
import { SEV_LAUNCH_DIGEST } from "./sev-event.ts";

const VMSAS: readonly (readonly [string, string])[] = [
  ["number of vCPUs", "one VMSA page each"],
  ["CPU signature", "VMSA RDX"],
  ["guest features", "VMSA SEV_FEATURES"],
  ["AP reset address", "VMSA CS base and RIP"],
];

const NEVER_COVERED: readonly UncoveredInput[] = [
  { input: "guest policy", why: "LAUNCH_MEASURE's HMAC has a field of its own for it" },
  { input: "guest addresses", why: "only bytes are hashed, in the order of the commands" },
  { input: "launch secret", why: "it is sent after the measurement was seen" },
  {
    input: "variable store in a file of its own",
    why: "only the first flash unit is given to the guest at launch",
  },
  { input: "memory size, ACPI tables, devices, disks", why: "the guest meets them after launch" },
];

/** The coverage of one launch; `vmsas` for SEV-ES. */
export function sevCoverage(launch: DirectBootCoverage & { readonly vmsas: boolean }): Coverage {
  const always = [["firmware", "every byte"] as const, ...(launch.vmsas ? VMSAS : [])];
  const boot = bootCoverage(launch, SEV_LAUNCH_DIGEST);
  const unseen = launch.vmsas
    ? []
    : [{ input: "number and kind of vCPUs", why: "their registers are neither encrypted nor measured" }];
  return {
    covered: [
      ...always.map(([input, through]) => ({ input, register: SEV_LAUNCH_DIGEST, through })),
      ...boot.covered,
    ],
    notCovered: [...boot.notCovered, ...unseen, ...NEVER_COVERED],
  };
}
