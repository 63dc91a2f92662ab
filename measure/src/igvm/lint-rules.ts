/**
 * What the IGVM linter knows: each thing that can be wrong or odd about a file, how grave it is, and whose answer
 * follows from it. One row a finding.
 * @module
 */
import type { LintFinding, LintSeverity } from "../snp/lint-rules.ts";

/** Codes of findings in IGVM files. */
export type IgvmLintCode =
  /** The file does not serve the platform. */
  | "BP-LINT-101"
  /** A header that QEMU has no handler for. */
  | "BP-LINT-102"
  /** Two directives give the guest the same page. */
  | "BP-LINT-103"
  /** An empty parameter area is inserted. */
  | "BP-LINT-104"
  /** A CPUID page above 4 GiB, whose address QEMU cuts to 32 bits. */
  | "BP-LINT-105"
  /** A VP context on SEV, which measures no registers. */
  | "BP-LINT-106"
  /** A secrets or CPUID page on SEV or SEV-ES. */
  | "BP-LINT-107"
  /** Several ID blocks. */
  | "BP-LINT-108"
  /** Registers that KVM refuses. */
  | "BP-LINT-109"
  /** SEV_FEATURES of another platform. */
  | "BP-LINT-110"
  /** A VP context at another guest address than KVM's. */
  | "BP-LINT-111"
  /** Fields of a VP context that do not reach KVM. */
  | "BP-LINT-112"
  /** Guest features that mainline KVM does not offer. */
  | "BP-LINT-113"
  /** A parameter behind the end of its area. */
  | "BP-LINT-114"
  /** Memory beyond what a processor addresses. */
  | "BP-LINT-115"
  /** A parameter area inserted behind pages. */
  | "BP-LINT-120"
  /** Normal pages without data. */
  | "BP-LINT-121"
  /** A parameter area of several pages. */
  | "BP-LINT-122"
  /** Shared pages. */
  | "BP-LINT-123"
  /** 2 MiB pages. */
  | "BP-LINT-124"
  /** 2 MiB pages with data. */
  | "BP-LINT-125"
  /** A VP context before pages or areas. */
  | "BP-LINT-126"
  /** VP contexts of several processors, or one processor twice. */
  | "BP-LINT-127"
  /** No guest policy. */
  | "BP-LINT-128"
  /** Registers that KVM changes. */
  | "BP-LINT-129"
  /** A VP context of another platform. */
  | "BP-LINT-130"
  /** Headers that only newer loaders take. */
  | "BP-LINT-131"
  /** The ID block expects another launch digest. */
  | "BP-LINT-132"
  /** CR0 as igvmmeasure --check-kvm refuses it. */
  | "BP-LINT-133"
  /** No VP context. */
  | "BP-LINT-134"
  /** The ID block expects the launch digest. */
  | "BP-LINT-135"
  /** A mask that names no platform of the file. */
  | "BP-LINT-136"
  /** A 2 MiB page off a 2 MiB boundary. */
  | "BP-LINT-137";

/** Who does something with an IGVM file. */
export type IgvmConsumer = "qemu" | "igvmmeasure" | "google" | "openvmm";

/** One row: by whom the guest is refused. */
export interface IgvmLintRule {
  readonly severity: LintSeverity;
  readonly refusedBy: readonly IgvmConsumer[];
  /** Set when QEMU's own check refuses and KVM alone would not. */
  readonly ownCheck?: true;
}

const cannot = (...others: IgvmConsumer[]): IgvmLintRule => ({
  severity: "cannot launch",
  refusedBy: ["qemu", ...others],
});
const ownCheck = (...others: IgvmConsumer[]): IgvmLintRule => ({ ...cannot(...others), ownCheck: true });
const differs = (...refusedBy: IgvmConsumer[]): IgvmLintRule => ({ severity: "differs", refusedBy });
const note = (...refusedBy: IgvmConsumer[]): IgvmLintRule => ({ severity: "note", refusedBy });

/** Severity and refusals of every finding. */
export const IGVM_LINT_RULES: Readonly<Record<IgvmLintCode, IgvmLintRule>> = {
  "BP-LINT-101": cannot("igvmmeasure", "google", "openvmm"),
  "BP-LINT-102": cannot(),
  "BP-LINT-103": cannot(),
  "BP-LINT-104": cannot(),
  "BP-LINT-105": cannot(),
  "BP-LINT-106": cannot(),
  "BP-LINT-107": cannot(),
  "BP-LINT-108": cannot(),
  "BP-LINT-109": cannot(),
  "BP-LINT-110": ownCheck(),
  "BP-LINT-111": ownCheck("igvmmeasure"),
  "BP-LINT-112": ownCheck(),
  "BP-LINT-113": ownCheck(),
  "BP-LINT-114": ownCheck(),
  "BP-LINT-115": cannot(),
  "BP-LINT-120": differs(),
  "BP-LINT-121": differs(),
  "BP-LINT-122": differs(),
  "BP-LINT-123": differs(),
  "BP-LINT-124": differs(),
  "BP-LINT-125": differs("igvmmeasure", "google"),
  "BP-LINT-126": differs(),
  "BP-LINT-127": differs(),
  "BP-LINT-128": note("openvmm"),
  "BP-LINT-129": differs(),
  "BP-LINT-130": differs(),
  "BP-LINT-131": differs("igvmmeasure", "google", "openvmm"),
  "BP-LINT-132": differs(),
  "BP-LINT-133": differs("igvmmeasure"),
  "BP-LINT-134": note(),
  "BP-LINT-135": note(),
  "BP-LINT-136": note(),
  "BP-LINT-137": note(),
};

/** A finding in an IGVM file, with who refuses the file because of it. */
export interface IgvmFinding extends LintFinding<IgvmLintCode> {
  readonly refusedBy: readonly IgvmConsumer[];
}

/** A finding of a row; `refusedBy` only where it is not the row's. */
export function igvmFinding(
  code: IgvmLintCode,
  message: string,
  detail: { readonly offset?: number; readonly refusedBy?: readonly IgvmConsumer[] } = {},
): IgvmFinding {
  const { severity, refusedBy } = IGVM_LINT_RULES[code];
  return {
    code,
    severity,
    message,
    ...(detail.offset !== undefined && { offset: detail.offset }),
    refusedBy: detail.refusedBy ?? refusedBy,
  };
}
