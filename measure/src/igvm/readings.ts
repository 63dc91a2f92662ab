/**
 * How each tool reads an IGVM file, as data: where two readings differ, so do their launch digests.
 * Read in the tools' sources, not run: QEMU 11 (backends/igvm.c, target/i386/sev.c), Linux KVM (arch/x86/kvm/svm),
 * coconut-svsm's igvmmeasure (f4bc4bc, August 2026), Microsoft's igvm crate (e6c3ff1, June 2026).
 * @module
 */
import { MeasureError } from "../measure-error.ts";
import type { AmdPlatform } from "../snp/profile.ts";

/** Names of the readings. */
export type IgvmReadingName =
  "qemu" | "qemu-upstream" | "igvmmeasure" | "igvmmeasure-native-zero" | "ms-igvm";

/** One tool's choices. */
export interface IgvmReading {
  readonly name: IgvmReadingName;
  readonly aliases: readonly string[];
  readonly title: string;
  /** What separates it from the first reading. */
  readonly differs: string;
  readonly evidence: readonly string[];
  /** Platforms whose launch digest the tool computes. */
  readonly platforms: readonly AmdPlatform[];
  /** When a header counts: its mask shares a bit with the platform's, or holds all of it. */
  readonly masks: "any bit" | "all bits";
  /** Page type of normal pages without file data. */
  readonly emptyPages: "NORMAL" | "ZERO";
  readonly sharedPages: "measured" | "skipped";
  /** How many 4 KiB pages a 2 MiB page is. */
  readonly largePage: 512 | 1;
  /** What becomes of a 2 MiB page's data; the file library hands over its first 4 KiB. */
  readonly largePageData: "first 4 KiB" | "refused";
  readonly insertedArea: "every page" | "first page";
  /** Pages may wait until one comes that does not continue them; an area inserted meanwhile is then measured first. */
  readonly pagesWait: boolean;
  /** VP contexts: KVM's VMSA of each processor after everything else, or the file's page in its place. */
  readonly contexts: "each processor, last" | "in place";
  /** Whether a VP context for another platform is left out. */
  readonly contextMasks: "matched" | "ignored";
  /** What SEV and SEV-ES hash of a page without data, and of an unmeasured one. */
  readonly sevEmptyPages: "zeros" | "nothing";
  readonly sevUnmeasuredPages: "skipped" | "hashed";
  readonly needsPolicy: boolean;
  /** Whether what cannot launch has no digest: by whose rules. */
  readonly refuses: "what KVM refuses" | "what QEMU or KVM refuses" | "nothing";
}

const QEMU: IgvmReading = {
  name: "qemu",
  aliases: ["qemu-kvm", "kvm"],
  title: "KVM, given every directive in file order",
  differs: "nothing: the others are compared with it",
  evidence: [
    "QEMU backends/igvm.c: any common mask bit, flags but unmeasured and 2 MiB ignored, areas page by page",
    "QEMU target/i386/sev.c: CGS_PAGE_TYPE_ZERO becomes a NORMAL page",
    "Linux sev.c: a VMSA of every vCPU at launch finish, at INITIAL_VMSA_GPA, built from its registers",
  ],
  platforms: ["snp", "sev", "sev-es"],
  masks: "any bit",
  emptyPages: "NORMAL",
  sharedPages: "measured",
  largePage: 512,
  largePageData: "first 4 KiB",
  insertedArea: "every page",
  pagesWait: false,
  contexts: "each processor, last",
  contextMasks: "matched",
  sevEmptyPages: "zeros",
  sevUnmeasuredPages: "skipped",
  needsPolicy: false,
  refuses: "what KVM refuses",
};

const IGVMMEASURE: IgvmReading = {
  ...QEMU,
  name: "igvmmeasure",
  aliases: ["coconut"],
  title: "coconut-svsm's igvmmeasure",
  differs: "VP contexts in place, whatever their mask; one page of each inserted area",
  evidence: ["coconut-svsm tools/igvmmeasure/src/igvm_measure.rs"],
  largePageData: "refused",
  insertedArea: "first page",
  contexts: "in place",
  contextMasks: "ignored",
  sevEmptyPages: "nothing",
  sevUnmeasuredPages: "hashed",
  refuses: "nothing",
};

/** Every reading; the first is the default and the one that the others are compared with. */
export const IGVM_READINGS: readonly IgvmReading[] = [
  QEMU,
  {
    ...QEMU,
    name: "qemu-upstream",
    aliases: ["qemu-queue"],
    title: "upstream QEMU 10.1 and later, with the order of its queue and its own checks",
    differs:
      "an area inserted behind pages is measured before them; refuses VP contexts that KVM would change",
    evidence: [
      "QEMU backends/igvm.c: qigvm_process_mem_page hands pages over when the next does not continue them, qigvm_directive_parameter_insert at once",
      "QEMU target/i386/sev.c: check_vmsa_supported, check_sev_features",
    ],
    pagesWait: true,
    refuses: "what QEMU or KVM refuses",
  },
  IGVMMEASURE,
  {
    ...IGVMMEASURE,
    name: "igvmmeasure-native-zero",
    aliases: ["native-zero", "google"],
    title: "igvmmeasure --native-zero, as Google measures its SVSM",
    differs: "as igvmmeasure; normal pages without data are ZERO pages",
    evidence: [...IGVMMEASURE.evidence, "google/gce-tcb-verifier: svsm_measurement is made this way"],
    emptyPages: "ZERO",
  },
  {
    ...QEMU,
    name: "ms-igvm",
    aliases: ["ms-crate", "openvmm"],
    title: "Microsoft's igvm crate (igvmfilegen, OpenVMM)",
    differs:
      "VP contexts in place; shared pages left out; a 2 MiB page counts as one page; needs a guest policy",
    evidence: ["microsoft/igvm igvm/src/measurement/snp.rs"],
    platforms: ["snp"],
    masks: "all bits",
    sharedPages: "skipped",
    largePage: 1,
    contexts: "in place",
    needsPolicy: true,
    refuses: "nothing",
  },
];

/** The reading with this name or alias; throws {@link MeasureError}. */
export function igvmReading(name: string): IgvmReading {
  const found = IGVM_READINGS.find((reading) => reading.name === name || reading.aliases.includes(name));
  if (found !== undefined) return found;
  throw new MeasureError("BP-IGVM-001", "unknown reading of IGVM files", {
    expected: IGVM_READINGS.map((reading) => reading.name).join(", "),
    found: name,
  });
}
