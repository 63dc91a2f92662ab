/**
 * What the launch digest of SEV and SEV-ES sees of a guest, and what it does not.
 * @module
 */
import { type ParameterCoverage, summariseCoverage } from "../coverage-map.ts";
import type { Coverage } from "../measurement.ts";
import { bootCoverage, type DirectBootCoverage, vmsaParameters } from "../snp/coverage.ts";
import type { SevEsProfile } from "../snp/profile.ts";
import type { ResolvedGuest } from "../snp/shape.ts";
import { SEV_LAUNCH_DIGEST } from "./sev-event.ts";

/** How the digest sees what it is given. */
export const BYTES = "the bytes themselves, in one running SHA-256";

const UNSEEN: readonly ParameterCoverage[] = [
  { name: "guest policy", why: "LAUNCH_MEASURE's HMAC has a field of its own for it" },
  { name: "guest addresses", why: "only bytes are hashed, in the order of the commands" },
  { name: "launch secret", why: "it is sent after the measurement was seen" },
  {
    name: "variable store in a file of its own",
    why: "only the first flash unit is given to the guest at launch",
  },
  { name: "memory size, ACPI tables, devices, disks", why: "the guest meets them after launch" },
];

/** A SEV-ES guest's shape; undefined for plain SEV, which measures nothing of its processors. */
export type SevEsGuest = ResolvedGuest<SevEsProfile> | undefined;

/** The coverage of one launch in short. */
export function sevCoverage(shape: SevEsGuest, launch: DirectBootCoverage): Coverage {
  const boot = bootCoverage(launch, SEV_LAUNCH_DIGEST);
  const parameters = summariseCoverage({ artifacts: [], parameters: sevParameters(shape) });
  return {
    covered: [
      { input: "firmware", register: SEV_LAUNCH_DIGEST, through: BYTES },
      ...parameters.covered,
      ...boot.covered,
    ],
    notCovered: [...boot.notCovered, ...parameters.notCovered],
  };
}

function sevParameters(shape: SevEsGuest): ParameterCoverage[] {
  const vmsas =
    shape === undefined
      ? [{ name: "number and kind of vCPUs", why: "their registers are neither encrypted nor measured" }]
      : vmsaParameters(shape.profile.vmsa, shape.vcpus, shape, SEV_LAUNCH_DIGEST);
  return [...vmsas, ...UNSEEN];
}
