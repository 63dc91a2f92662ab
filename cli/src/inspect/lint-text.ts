/**
 * Findings and launch verdicts as lines for people.
 * @module
 */
import type { FirmwareLint, LaunchVerdict, LintFinding, SectionRow } from "@bootproof/measure/lint";

import { formatFields, formatTable } from "../report/table.ts";

const hex = (value: number): string => `0x${value.toString(16)}`;

/** The findings, the gravest first. */
export function formatFindings(findings: readonly LintFinding[]): string {
  if (findings.length === 0) return "";
  return formatTable(
    findings.map(({ severity, code, message, ...place }) => [severity, code, message + formatPlace(place)]),
    ["severity", "code", "finding"],
  );
}

/** ` (at 0xf6e, expected 16 to 4096, found 0)`, as far as it is known. */
function formatPlace({
  offset,
  expected,
  found,
}: Pick<LintFinding, "offset" | "expected" | "found">): string {
  const parts = [
    offset === undefined ? undefined : `at ${hex(offset)}`,
    expected === undefined ? undefined : `expected ${expected}`,
    found === undefined ? undefined : `found ${found}`,
  ].filter((part) => part !== undefined);
  return parts.length === 0 ? "" : ` (${parts.join(", ")})`;
}

/** The metadata sections, with a column for each VMM. */
export function formatSections(sections: readonly SectionRow[]): string {
  if (sections.length === 0) return "";
  return formatTable(
    sections.map(({ index, guestAddress, size, name, type, qemu, ec2, gce }) => [
      String(index),
      hex(guestAddress),
      hex(size),
      name ?? `type ${hex(type)}`,
      qemu,
      ec2,
      gce,
    ]),
    ["#", "guest address", "size", "SEV section", "QEMU", "EC2", "GCE"],
  );
}

/** One line a VMM and platform, then one a platform for kernel hashes. */
export function formatLaunches({ launches, kernelHashes }: FirmwareLint): string {
  const { qemu, ec2, gce } = launches;
  return formatFields([
    // What launches as flash only launches on older trees only.
    [qemu.snp.provided === undefined ? "QEMU 9.1+ / KVM, SNP" : "QEMU / KVM, SNP", formatVerdict(qemu.snp)],
    ["QEMU / KVM, SEV-ES", formatVerdict(qemu["sev-es"])],
    ["QEMU / KVM, SEV", formatVerdict(qemu.sev)],
    ["EC2, SNP", formatVerdict(ec2.snp)],
    ["GCE, SNP", formatVerdict(gce.snp)],
    ["kernel hashes, SNP", formatUse(kernelHashes.snp)],
    ["kernel hashes, SEV", formatUse(kernelHashes.sev)],
  ]);
}

const SPOKEN = { yes: "launches", no: "does not launch", "could not decide": "could not decide" } as const;

// The findings stand above: here their codes are enough.
function formatVerdict({ answer, reasons, measures, provided = [] }: LaunchVerdict): string {
  const how = answer === "yes" && provided.length > 0 ? ` as flash only (${codesIn(provided)})` : "";
  return `${SPOKEN[answer]}${how}: ${measures ?? codesIn(reasons)}`;
}

/** The codes at the ends of reasons, each once. */
export function codesIn(reasons: readonly string[]): string {
  const codes = reasons.map((reason) => /\((BP-[A-Z]+-\d{3})\)$/.exec(reason)?.[1] ?? reason);
  return [...new Set(codes)].join(", ");
}

function formatUse({ usable, reasons }: FirmwareLint["kernelHashes"]["snp"]): string {
  return `${usable ? "usable" : "not usable"}: ${reasons.join("; ")}`;
}
