/**
 * Who starts a guest from an image, and what each measures: answers with their reasons.
 * @module
 */
import { SEV_SECTION_TYPE, type SevMetadata, type SevSection } from "@bootproof/ovmf";
import type { FirmwareFinding, LaunchAnswer, LaunchTarget } from "./lint-rules.ts";
import { PAGE_SIZE } from "./page-info.ts";

const { CPUID, SNP_KERNEL_HASHES, SNP_SEC_MEM, SNP_SECRETS, SVSM_CAA } = SEV_SECTION_TYPE;

/** One answer. */
export interface LaunchVerdict {
  readonly answer: LaunchAnswer;
  /** What the answer rests on. */
  readonly basis: string;
  /** Why it is not yes: each finding's message and code. */
  readonly reasons: readonly string[];
  /** What is measured, when the answer is yes. */
  readonly measures?: string;
  /** What the yes hangs on: each finding's message and code. */
  readonly provided?: readonly string[];
}

/** Answers by VMM and platform. */
export interface FirmwareLaunches {
  readonly qemu: {
    readonly snp: LaunchVerdict;
    readonly sev: LaunchVerdict;
    readonly "sev-es": LaunchVerdict;
  };
  readonly ec2: { readonly snp: LaunchVerdict };
  readonly gce: { readonly snp: LaunchVerdict };
}

/** A section as a row of a table: what it says, and what each VMM makes of it. */
export interface SectionRow {
  readonly index: number;
  /** Offset of the descriptor in the image. */
  readonly offset: number;
  readonly guestAddress: number;
  readonly size: number;
  readonly type: number;
  readonly name: string | undefined;
  /** Page type in PAGE_INFO, `refused` or `not known`. */
  readonly qemu: string;
  readonly ec2: string;
  readonly gce: string;
}

const BASIS = {
  qemu: "sources of QEMU 9.1 and later and of KVM",
  ec2: "EC2's published images and reports; its VMM is not public, and it starts no firmware but its own",
  gce: "Google's tool gce-tcb-verifier; GCE starts no firmware but its own",
} as const;

const REFUSED = "refused";
const NOT_KNOWN = "not known";

/** Page types by section type; `other` is for every type that is not listed. */
interface Treatment {
  readonly types: Readonly<Record<number, string>>;
  readonly other: string;
}

// QEMU target/i386/sev.c, snp_metadata_desc_to_page_type: its default case is ZERO.
const QEMU: Treatment = {
  types: { [SNP_SECRETS]: "SECRETS", [CPUID]: "CPUID", [SNP_KERNEL_HASHES]: "ZERO or NORMAL" },
  other: "ZERO",
};
// Published images of EC2 (aws/uefi) have these three types; nobody outside knows what it makes of others.
const EC2: Treatment = {
  types: { [SNP_SEC_MEM]: "ZERO", [SNP_SECRETS]: "SECRETS", [CPUID]: "CPUID, last" },
  other: NOT_KNOWN,
};
// gce-tcb-verifier sev/ld_from_ovmf.go.
const GCE: Treatment = {
  types: {
    [SNP_SEC_MEM]: "UNMEASURED",
    [SNP_SECRETS]: "SECRETS",
    [CPUID]: "CPUID",
    [SVSM_CAA]: "ZERO",
    [SNP_KERNEL_HASHES]: "ZERO or refused",
  },
  other: REFUSED,
};

/** The sections as rows. */
export function sectionRows(
  metadata: SevMetadata | undefined,
  findings: readonly FirmwareFinding[],
): SectionRow[] {
  return (metadata?.sections ?? []).map((section) => {
    const own = findings.filter((found) => found.section === section.index);
    const refusals = own.filter(({ severity }) => severity === "cannot launch");
    const treated = ({ types, other }: Treatment, target?: "ec2" | "gce"): string => {
      if (target === undefined) return refusals.length > 0 ? REFUSED : (types[section.type] ?? other);
      const effects = refusals.map((found) => found.effects[target]);
      if (effects.includes("no")) return REFUSED;
      return effects.includes("could not decide") ? NOT_KNOWN : (types[section.type] ?? other);
    };
    const { index, offset, guestAddress, size, type, name } = section;
    const row = { index, offset, guestAddress, size, type, name };
    return { ...row, qemu: treated(QEMU), ec2: treated(EC2, "ec2"), gce: treated(GCE, "gce") };
  });
}

/** The answers that follow from the findings. */
export function launches(
  imageSize: number,
  metadata: SevMetadata | undefined,
  findings: readonly FirmwareFinding[],
): FirmwareLaunches {
  const sections = metadata?.sections ?? [];
  const snp = (what: string): string =>
    `${imagePages(imageSize)}, then ${sectionPages(sections)}${what}, then one VMSA a vCPU`;
  const image = `SHA-256 of the image's ${count(imageSize, "byte")} and of kernel hashes, if any`;
  const by = (vmm: Vmm, target: LaunchTarget, measures: string): LaunchVerdict =>
    verdict(
      BASIS[vmm],
      findings.map((found) => [found, found.effects[target]]),
      measures,
    );
  return {
    qemu: {
      snp: {
        ...verdict(
          BASIS.qemu,
          findings.map((found) => [found, found.severity === "cannot launch" ? "no" : undefined]),
          snp(" in descriptor order"),
        ),
        ...provided(findings),
      },
      sev: by("qemu", "sev", image),
      "sev-es": by("qemu", "sevEs", `${image}, and of one VMSA a vCPU`),
    },
    ec2: { snp: by("ec2", "ec2", snp(", CPUID behind the others")) },
    gce: { snp: by("gce", "gce", snp(", SNP_SEC_MEM as UNMEASURED")) },
  };
}

/** Findings that leave one way of giving the image to QEMU. */
function provided(findings: readonly FirmwareFinding[]): Pick<LaunchVerdict, "provided"> {
  const found = findings.filter(({ code }) => code === "BP-LINT-042");
  return found.length === 0 ? {} : { provided: found.map(reason) };
}

const reason = ({ message, code }: FirmwareFinding): string => `${message} (${code})`;

type Vmm = keyof typeof BASIS;

function verdict(
  basis: string,
  effects: readonly (readonly [FirmwareFinding, LaunchAnswer | undefined])[],
  measures: string,
): LaunchVerdict {
  for (const answer of ["no", "could not decide"] as const) {
    const reasons = effects.flatMap(([found, effect]) => (effect === answer ? [reason(found)] : []));
    if (reasons.length > 0) return { answer, basis, reasons };
  }
  return { answer: "yes", basis, reasons: [], measures };
}

const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? "" : "s"}`;

function imagePages(size: number): string {
  const start = 0x1_0000_0000 - size;
  return `${count(size / PAGE_SIZE, "NORMAL page")} of the image from 0x${start.toString(16)}`;
}

function sectionPages(sections: readonly SevSection[]): string {
  const pages = sections.reduce((sum, { size }) => sum + size / PAGE_SIZE, 0);
  return `${count(pages, "page")} of ${count(sections.length, "section")}`;
}
