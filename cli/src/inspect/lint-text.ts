/**
 * Findings and launch verdicts as lines for people.
 * @module
 */
import type { FirmwareLint, LaunchVerdict, LintFinding, SectionRow } from "@bootproof/measure/snp";

import { formatFields, formatTable } from "../report/table.ts";

const hex = (value: number): string => `0x${value.toString(16)}`;

/** The findings, the gravest first. */
export function formatFindings(findings: readonly LintFinding[]): string {
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
    ["QEMU 9.1+ / KVM, SNP", formatVerdict(qemu.snp)],
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
function formatVerdict({ answer, reasons, measures }: LaunchVerdict): string {
  const codes = new Set(reasons.map((reason) => /\((BP-[A-Z]+-\d{3})\)$/.exec(reason)?.[1] ?? reason));
  return `${SPOKEN[answer]}: ${measures ?? [...codes].join(", ")}`;
}

function formatUse({ usable, reasons }: FirmwareLint["kernelHashes"]["snp"]): string {
  return `${usable ? "usable" : "not usable"}: ${reasons.join("; ")}`;
}
