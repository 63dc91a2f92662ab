/**
 * The number of vCPUs as a ladder: each vCPU adds one VMSA to the digest.
 * @module
 */
import { MeasureError } from "../measure-error.ts";
import type { Ladder } from "../solve/space.ts";
import { MAX_VCPUS } from "./shape.ts";

/** Demands a number of vCPUs that a guest can have, if any is given; throws {@link MeasureError}. */
export function checkVcpus(given: number | undefined): void {
  if (given === undefined || (Number.isInteger(given) && given >= 1 && given <= MAX_VCPUS)) return;
  throw new MeasureError("BP-SNP-001", "number of vCPUs out of range", {
    expected: `1 to ${MAX_VCPUS}`,
    found: `${given}`,
  });
}

/** The ladder of 1 to 512 vCPUs; rung 0, a guest without any, is what one tool prints. */
export const snpLadder = (given: number | undefined): Ladder => ({
  ...vcpuLadder(given),
  tool: (rung) =>
    rung === 0 ? "sev-snp-measure (--vcpus 0 or less prints a digest without VMSAs)" : undefined,
});

/**
 * The ladder of SEV-ES guests; on rung 0 no VMSA is measured, and the guest is one of plain SEV, which contradicts a
 * claim of SEV-ES.
 */
export const sevLadder = (given: number | undefined, platformOpen: boolean): Ladder => ({
  ...vcpuLadder(given),
  contradicted: (rung) => (rung === 0 && !platformOpen ? "SEV-ES" : undefined),
  label: (rung) => (rung === 0 ? "plain SEV, without VMSAs" : label(rung)),
  cause: (rung) =>
    rung === 0 || given === 0
      ? "bit 2 of the guest policy decides between SEV and SEV-ES: only SEV-ES measures a VMSA a vCPU"
      : why(rung, given),
});

/** The ladder of 1 to 512 vCPUs. */
export const vcpuLadder = (given: number | undefined): Ladder => ({
  name: "vcpus",
  standing: given === undefined ? "open" : "given",
  given,
  rungs: MAX_VCPUS,
  label,
  cause: (rung) => (rung === 0 ? "no guest runs without a vCPU" : why(rung, given)),
  tool: () => undefined,
});

const label = (rung: number): string => (rung === 1 ? "1 vCPU" : `${rung} vCPUs`);

function why(rung: number, given: number | undefined): string {
  const common = "each vCPU adds one VMSA";
  if (given === undefined) return common;
  if (rung === 2 * given || given === 2 * rung) return `${common}: are threads counted, or cores?`;
  return `${common}: -smp counts sockets, cores and threads multiplied, and maxcpus does not count`;
}
