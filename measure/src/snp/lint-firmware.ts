/**
 * The firmware linter: what QEMU, EC2 and GCE would each do with an image, and why. It takes any bytes.
 * The engine and the linter read an image with the same parsers and the same lists of faults: where one refuses,
 * the other says "cannot launch".
 * @module
 */
import {
  type FirmwareLaunches,
  launches,
  type LaunchVerdict,
  type SectionRow,
  sectionRows,
} from "./lint-launches.ts";
import { lintImage, lintTable } from "./lint-image.ts";
import { type KernelHashesLint, lintKernelHashes, unusable } from "./lint-kernel-hashes.ts";
import { lintMetadata, lintResetAddress } from "./lint-metadata.ts";
import type { FirmwareFinding, LintFinding, LintSeverity } from "./lint-rules.ts";

/** What there is to say about a firmware image. */
export interface FirmwareLint {
  /** The gravest first, each kind in the order of the image. */
  readonly findings: readonly LintFinding[];
  readonly launches: FirmwareLaunches;
  readonly kernelHashes: KernelHashesLint;
  readonly sections: readonly SectionRow[];
}

export type { FirmwareLaunches, KernelHashesLint, LaunchVerdict, LintFinding, LintSeverity, SectionRow };

const ORDER: Readonly<Record<LintSeverity, number>> = { "cannot launch": 0, differs: 1, note: 2 };

/** Says what is wrong or odd about an image and who launches it. Throws on no bytes. */
export function lintFirmware(image: Uint8Array): FirmwareLint {
  const findings: FirmwareFinding[] = [];
  lintImage(image, findings);
  const table = lintTable(image, findings);
  lintResetAddress(image, table, findings);
  if (table === undefined) return answer(image, findings, unusable(["the image has no GUIDed table"]));
  const metadata = lintMetadata(image, table, findings);
  const kernelHashes = lintKernelHashes(table, metadata, findings);
  return answer(image, findings, kernelHashes, metadata);
}

function answer(
  image: Uint8Array,
  found: readonly FirmwareFinding[],
  kernelHashes: KernelHashesLint,
  metadata?: Parameters<typeof launches>[1],
): FirmwareLint {
  const findings = [...found].sort((a, b) => ORDER[a.severity] - ORDER[b.severity]);
  return {
    findings: findings.map(shown),
    launches: launches(image.length, metadata, findings),
    kernelHashes,
    sections: sectionRows(metadata, findings),
  };
}

function shown({ code, severity, message, offset, section, expected, found }: FirmwareFinding): LintFinding {
  return {
    code,
    severity,
    message,
    ...(offset !== undefined && { offset }),
    ...(section !== undefined && { section }),
    ...(expected !== undefined && { expected }),
    ...(found !== undefined && { found }),
  };
}
