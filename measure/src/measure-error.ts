/**
 * The error for a question that has no answer: a shape no machine has, or inputs that do not belong together.
 * Malformed files throw ParseError instead.
 * @module
 */

/** Stable codes of {@link MeasureError}. */
export type MeasureErrorCode =
  /** Unknown reading of IGVM files. */
  | "BP-IGVM-001"
  /** An IGVM file for other platforms. */
  | "BP-IGVM-002"
  /** An IGVM file that describes fewer processors than there are, and no CPU. */
  | "BP-IGVM-003"
  /** An IGVM file that QEMU and KVM cannot launch. */
  | "BP-IGVM-004"
  /** An IGVM file on which the tool of a reading gives up. */
  | "BP-IGVM-005"
  /** A reading without facts about a platform. */
  | "BP-IGVM-006"
  /** No QEMU command, several, or one of another architecture. */
  | "BP-MACHINE-001"
  /** A command that a shell would expand. */
  | "BP-MACHINE-002"
  /** A value that QEMU refuses. */
  | "BP-MACHINE-003"
  /** XML that is no KVM domain of libvirt's. */
  | "BP-MACHINE-004"
  /** TOML that is no Kata configuration for QEMU. */
  | "BP-MACHINE-005"
  /** Text that is no ARN of an IAM role. */
  | "BP-NITRO-001"
  /** Text that is no instance ID. */
  | "BP-NITRO-002"
  /** Expected values of PCRs that cannot be read. */
  | "BP-NITRO-003"
  /** Expected values of PCRs that no image has: all zero. */
  | "BP-NITRO-004"
  /** A policy that cannot be built or decoded. */
  | "BP-ID-001"
  /** An identity or a MAC that cannot be made from what was given. */
  | "BP-ID-002"
  /** A signature that is not of these bytes by this key. */
  | "BP-ID-003"
  /** Guest features for a SEV-ES guest of the legacy VM type. */
  | "BP-SEV-001"
  /** Guest features that no SEV-ES guest can have. */
  | "BP-SEV-002"
  /** What a machine reported, and is no launch digest. */
  | "BP-SOLVE-001"
  /** Number of vCPUs outside 1..512. */
  | "BP-SNP-001"
  /** Unknown CPU model, or none, or several given. */
  | "BP-SNP-002"
  /** CPU signature, family, model or stepping out of range. */
  | "BP-SNP-003"
  /** Guest features that no SNP guest can have. */
  | "BP-SNP-004"
  /** Initrd, command line or kernel hashes without a kernel. */
  | "BP-SNP-005"
  /** A reference that does not cover the shape. */
  | "BP-SNP-006"
  /** Unknown VMM, or one without a profile for the platform. */
  | "BP-SNP-007"
  /** Unknown profile, or one of another platform. */
  | "BP-SNP-008"
  /** A shape of another profile than the launch was prepared for. */
  | "BP-SNP-009"
  /** An OVMF image for a VMM that boots none, or regions for one that boots OVMF. */
  | "BP-SNP-010"
  /** A reference whose parts do not follow from each other. */
  | "BP-SNP-011";

/** What a {@link MeasureError} carries besides code and message. */
export interface MeasureErrorDetail {
  readonly expected?: string;
  readonly found?: string;
  readonly hint?: string;
}

/** A shape or a combination of inputs that cannot be measured. */
export class MeasureError extends Error {
  override readonly name = "MeasureError";
  readonly code: MeasureErrorCode;
  readonly expected: string | undefined;
  readonly found: string | undefined;
  readonly hint: string | undefined;

  constructor(code: MeasureErrorCode, message: string, detail: MeasureErrorDetail = {}) {
    super(message);
    this.code = code;
    this.expected = detail.expected;
    this.found = detail.found;
    this.hint = detail.hint;
  }
}
