/**
 * What the linter knows: each thing that can be wrong or odd about a firmware image, and who starts a guest from it
 * all the same. One row a finding; no check says more than its row.
 * Besides QEMU and KVM the rows speak of EC2, whose VMM is not public, so that only what the processor or the
 * format forbids is a no; and of GCE, by Google's tool gce-tcb-verifier (ovmf/sev_data.go, fw_guid_table_ops.go,
 * sev/ld_from_ovmf.go at 74582c0, November 2025), which computes what GCE guests are expected to report.
 * @module
 */

/** Codes of findings in firmware. */
export type FirmwareLintCode =
  /** The image is empty or has part of a page. */
  | "BP-LINT-001"
  /** The image is larger than QEMU maps. */
  | "BP-LINT-002"
  /** No GUIDed table: no OVMF image. */
  | "BP-LINT-003"
  /** The GUIDed table's length reaches out of the image. */
  | "BP-LINT-004"
  /** Bytes in the GUIDed table that hold no entry. */
  | "BP-LINT-005"
  /** A GUID that two entries have. Where it is one that a launch needs, the check says "cannot launch". */
  | "BP-LINT-006"
  /** No SEV metadata entry, or one too short. */
  | "BP-LINT-007"
  /** The SEV metadata entry points out of the image. */
  | "BP-LINT-008"
  /** No "ASEV" where the SEV metadata should be. */
  | "BP-LINT-009"
  /** A version of SEV metadata that is not 1; Google's tool does not look at it. */
  | "BP-LINT-010"
  /** Length and number of sections of the SEV metadata do not fit. */
  | "BP-LINT-011"
  /** Bytes of the SEV metadata behind the last section. */
  | "BP-LINT-012"
  /** SEV metadata without sections. */
  | "BP-LINT-013"
  /** No SEV-ES reset block, or one too short. */
  | "BP-LINT-014"
  /** The AP reset address is 0. */
  | "BP-LINT-015"
  /** The SEV hash table area's entry is too short. */
  | "BP-LINT-016"
  /** An entry with more data than its kind has. */
  | "BP-LINT-017"
  /** A section of size 0: KVM refuses a length of 0. */
  | "BP-LINT-018"
  /** A section that starts within a page. */
  | "BP-LINT-019"
  /** A section that ends within a page. */
  | "BP-LINT-020"
  /** A section that ends above 4 GiB. */
  | "BP-LINT-021"
  /** Two sections with a page in common: no page is launched twice. */
  | "BP-LINT-022"
  /** A section with pages of the image. */
  | "BP-LINT-023"
  /** More pages than bootproof measures. */
  | "BP-LINT-024"
  /** A section type that nobody defines. */
  | "BP-LINT-025"
  /** No CPUID section. */
  | "BP-LINT-026"
  /** No secrets section. */
  | "BP-LINT-027"
  /** No SNP_SEC_MEM section. */
  | "BP-LINT-028"
  /** Several CPUID or secrets sections. */
  | "BP-LINT-029"
  /** A CPUID or secrets section of several pages. */
  | "BP-LINT-030"
  /** A section that ends above 2 GiB. */
  | "BP-LINT-031"
  /** An SVSM calling area. */
  | "BP-LINT-032"
  /** A section for the kernel hashes table. */
  | "BP-LINT-033"
  /** A section for the kernel hashes table of several pages. */
  | "BP-LINT-034"
  /** A section for the kernel hashes table, and no area in the GUIDed table. */
  | "BP-LINT-035"
  /** Neither section nor area for the kernel hashes table. */
  | "BP-LINT-036"
  /** An area for the kernel hashes table, and no section. */
  | "BP-LINT-037"
  /** An area too small for the kernel hashes table. */
  | "BP-LINT-038"
  /** The area for the kernel hashes table lies outside its section's first page. */
  | "BP-LINT-039"
  /** The kernel hashes table would end behind its section. */
  | "BP-LINT-040"
  /** Several sections for the kernel hashes table. */
  | "BP-LINT-041"
  /** A size that is no multiple of 64 KiB. */
  | "BP-LINT-042"
  /** An image without its variable store. */
  | "BP-LINT-043"
  /** An image above QEMU's default limit for flash. */
  | "BP-LINT-044"
  /** An image for TDX, whose SEV sections are placeholders. */
  | "BP-LINT-045"
  /** An image of coconut-svsm. */
  | "BP-LINT-046"
  /** An entry that launches do not use and nobody can read. */
  | "BP-LINT-047"
  /** A bare SEV-ES information block instead of a table. */
  | "BP-LINT-048";

/** How much a finding matters: QEMU starts no SNP guest; others measure or do something else; worth knowing. */
export type LintSeverity = "cannot launch" | "differs" | "note";

/** Whether a guest launches. */
export type LaunchAnswer = "yes" | "no" | "could not decide";

/** Who launches which kind of guest; a severity of "cannot launch" means QEMU's SNP guests. */
export type LaunchTarget = "sev" | "sevEs" | "ec2" | "gce";

/** The answers that are not yes because of a finding. */
export type LintEffects = Readonly<Partial<Record<LaunchTarget, Exclude<LaunchAnswer, "yes">>>>;

/** One row. */
export interface LintRule {
  readonly severity: LintSeverity;
  readonly effects: LintEffects;
}

const rule = (severity: LintSeverity, effects: LintEffects = {}): LintRule => ({ severity, effects });
const cannot = (effects: LintEffects): LintRule => rule("cannot launch", effects);
const differs = (effects: LintEffects = {}): LintRule => rule("differs", effects);
const note = (effects: LintEffects = {}): LintRule => rule("note", effects);

const NOBODY: LintEffects = { ec2: "no", gce: "no" };
const NOT_GCE: LintEffects = { ec2: "could not decide", gce: "no" };
const UNKNOWN: LintEffects = { ec2: "could not decide", gce: "could not decide" };
const NOT_EC2_FOR_SURE: LintEffects = { ec2: "could not decide" };

/** Severity and consequences of every finding. */
export const LINT_RULES: Readonly<Record<FirmwareLintCode, LintRule>> = {
  "BP-LINT-001": cannot({ ...NOBODY, sev: "no", sevEs: "no" }),
  "BP-LINT-002": cannot({ ...UNKNOWN, sev: "no", sevEs: "no" }),
  "BP-LINT-003": cannot(NOBODY),
  "BP-LINT-004": cannot(NOBODY),
  "BP-LINT-005": differs(NOT_GCE),
  "BP-LINT-006": differs(NOT_GCE),
  "BP-LINT-007": cannot(NOBODY),
  "BP-LINT-008": cannot(NOBODY),
  "BP-LINT-009": cannot(NOBODY),
  "BP-LINT-010": cannot(UNKNOWN),
  "BP-LINT-011": cannot(NOT_GCE),
  "BP-LINT-012": differs(NOT_GCE),
  "BP-LINT-013": cannot(NOBODY),
  "BP-LINT-014": cannot({ ...NOT_GCE, sevEs: "no" }),
  "BP-LINT-015": cannot({ ...UNKNOWN, sevEs: "no" }),
  "BP-LINT-016": cannot(NOT_EC2_FOR_SURE),
  "BP-LINT-017": differs(NOT_GCE),
  "BP-LINT-018": cannot(NOT_GCE),
  "BP-LINT-019": cannot(NOBODY),
  "BP-LINT-020": cannot(NOT_GCE),
  "BP-LINT-021": cannot(UNKNOWN),
  "BP-LINT-022": cannot(NOBODY),
  "BP-LINT-023": cannot(NOBODY),
  "BP-LINT-024": cannot(UNKNOWN),
  "BP-LINT-025": differs(NOT_GCE),
  "BP-LINT-026": differs(NOT_GCE),
  "BP-LINT-027": differs(NOT_GCE),
  "BP-LINT-028": differs(NOT_GCE),
  "BP-LINT-029": differs(NOT_GCE),
  "BP-LINT-030": differs(NOT_EC2_FOR_SURE),
  "BP-LINT-031": note(),
  "BP-LINT-032": note(NOT_EC2_FOR_SURE),
  "BP-LINT-033": differs(UNKNOWN),
  "BP-LINT-034": differs(),
  "BP-LINT-035": differs(),
  "BP-LINT-036": note(),
  "BP-LINT-037": differs(),
  "BP-LINT-038": differs(),
  "BP-LINT-039": differs(),
  "BP-LINT-040": differs(),
  "BP-LINT-041": differs(),
  "BP-LINT-042": differs(),
  "BP-LINT-043": note(),
  "BP-LINT-044": note(),
  "BP-LINT-045": note(),
  "BP-LINT-046": note(),
  "BP-LINT-047": note(),
  "BP-LINT-048": note(),
};

/** One thing that is wrong or odd. */
export interface LintFinding<Code extends string = string> {
  readonly code: Code;
  readonly severity: LintSeverity;
  readonly message: string;
  /** Where in the image, in bytes. */
  readonly offset?: number;
  /** Index of the metadata section that it is about. */
  readonly section?: number;
  readonly expected?: string;
  readonly found?: string;
}

/** A finding in firmware, with the answers that follow from it. */
export interface FirmwareFinding extends LintFinding<FirmwareLintCode> {
  readonly effects: LintEffects;
}

/** What a finding carries besides code and message; severity and effects only where they are not the row's. */
export interface FindingDetail {
  readonly offset?: number | undefined;
  readonly section?: number | undefined;
  readonly expected?: string | undefined;
  readonly found?: string | undefined;
  readonly severity?: LintSeverity;
  readonly effects?: LintEffects;
}

/** A finding of a row. */
export function finding(
  code: FirmwareLintCode,
  message: string,
  { offset, section, expected, found, severity, effects }: FindingDetail = {},
): FirmwareFinding {
  const row = LINT_RULES[code];
  return {
    code,
    severity: severity ?? row.severity,
    message,
    ...(offset !== undefined && { offset }),
    ...(section !== undefined && { section }),
    ...(expected !== undefined && { expected }),
    ...(found !== undefined && { found }),
    effects: effects ?? row.effects,
  };
}
