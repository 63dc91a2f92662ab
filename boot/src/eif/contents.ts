/**
 * What is in the sections, as far as it is read: small ones whole, of kernel and ramdisks the start.
 * @module
 */
import { judgeCommandLine } from "./command-line.ts";
import type { EifFinding } from "./finding.ts";
import { judgeMetadata, judgeSignature } from "./judge-parsed.ts";
import { judgeKernel } from "./kernel.ts";
import type { EifArchitecture, EifSectionType, EifSource, UntrustedEifSection } from "./layout.ts";
import type { EifMetadata } from "./metadata.ts";
import { judgeRamdisks } from "./ramdisk.ts";
import type { UntrustedEifSignature } from "./signature.ts";
import { readSmallSections, type SmallSections } from "./small-sections.ts";

/** The small sections, and what could be read in them. */
export interface Contents extends SmallSections {
  /** Self-reported by whoever built the file; nothing measures it. */
  readonly parsedMetadata?: EifMetadata | undefined;
  /** Not checked against the image, whose PCR0 is not known here. */
  readonly parsedSignature?: UntrustedEifSignature | undefined;
}

/** Contents and what there is to know about them. */
export interface ContentsFound {
  readonly contents: Contents;
  readonly findings: readonly EifFinding[];
}

/** Reads and judges what is in the sections; of a kind that is there twice, nothing. */
export async function readContents(
  source: EifSource,
  sections: readonly UntrustedEifSection[],
  architecture: EifArchitecture,
): Promise<ContentsFound> {
  const small = await readSmallSections(source, sections);
  const { cmdline, metadata, signature } = small.sections;
  const once = <T>(
    type: EifSectionType,
    bytes: Uint8Array | undefined,
    judge: (bytes: Uint8Array, section: UntrustedEifSection, index: number) => T,
  ): T | undefined => {
    const index = sections.findIndex((section) => section.type === type);
    const section = sections[index];
    // What is empty has been named already.
    return bytes === undefined || bytes.length === 0 || section === undefined
      ? undefined
      : judge(bytes, section, index);
  };
  const judgedMetadata = once("metadata", metadata, judgeMetadata);
  const judgedSignature = once("signature", signature, judgeSignature);
  return {
    contents: {
      ...small.sections,
      parsedMetadata: judgedMetadata?.value,
      parsedSignature: judgedSignature?.value,
    },
    findings: [
      ...small.findings,
      ...(await judgeKernels(source, sections, architecture)),
      ...(once("cmdline", cmdline, judgeCommandLine) ?? []),
      ...(judgedMetadata?.findings ?? []),
      ...(await judgeRamdisks(source, sections)),
      ...(judgedSignature?.findings ?? []),
    ],
  };
}

async function judgeKernels(
  source: EifSource,
  sections: readonly UntrustedEifSection[],
  architecture: EifArchitecture,
): Promise<EifFinding[]> {
  const findings: EifFinding[] = [];
  for (const [index, section] of sections.entries())
    if (section.type === "kernel" && section.size > 0)
      findings.push(...(await judgeKernel(source, section, index, architecture)));
  return findings;
}
