/**
 * Pages of measuring.
 * @module
 */
import { EXIT } from "../frame/exit-code.ts";
import type { Page, Pages } from "./page.ts";

/** Pages of BP-SNP. */
export const MEASURE_PAGES: Pages = {
  "BP-SNP-001": {
    title: "a number of vCPUs that no guest has",
    exit: EXIT.usage,
    why: "Each vCPU has a measured VMSA page; QEMU guests have 1 to 512.",
    fix: "Give the number that the guest is started with (-smp): --vcpus N",
  },
  "BP-SNP-002": {
    title: "the CPU model is unknown, or not given once",
    exit: EXIT.usage,
    why: "The CPU's signature is part of each VMSA, so the launch digest depends on the model.",
    fix: "Give one of --vcpu-type (QEMU's name), --vcpu-sig, or --vcpu-family, --vcpu-model and --vcpu-stepping.",
  },
  "BP-SNP-003": {
    title: "a CPU signature out of range",
    exit: EXIT.usage,
    why: "Family, model and stepping have fixed widths in CPUID function 1.",
    fix: "Take them from the guest's /proc/cpuinfo, or give --vcpu-type.",
  },
  "BP-SNP-004": {
    title: "guest features that no SNP guest has",
    exit: EXIT.usage,
    why: "SEV_FEATURES has 64 bits, and bit 0 (SNPActive) is set in every SNP guest.",
    fix: "Linux gives 0x1 unless told otherwise; debug swap adds 0x20.",
  },
  "BP-SNP-005": {
    title: "parts of a direct boot without the kernel, or firmware without room for them",
    exit: EXIT.usage,
    why: "Initrd and command line are measured with the kernel, in a table that the firmware has room for.",
    fix: "Give --kernel too; without direct boot give neither --initrd nor --append.",
  },
  "BP-SNP-006": {
    title: "the reference does not cover the shape",
    exit: EXIT.undecided,
    why: "The published measurements were made for other shapes than the one asked for.",
    fix: "Measure it yourself from the artifacts: bootproof measure snp",
  },
  "BP-SNP-007": {
    title: "an unknown VMM, or one without a profile for the platform",
    exit: EXIT.usage,
    why: "VMMs set up registers and pages in their own ways; only known ones can be predicted.",
    fix: "Known for SEV-SNP: qemu, ec2, gce, libkrun, cloud-hypervisor; for SEV and SEV-ES: qemu.",
  },
  "BP-SNP-008": {
    title: "an unknown profile, or one of another platform",
    exit: EXIT.usage,
    why: "A profile names what a VMM and its host put into a launch digest; each belongs to one platform.",
    fix: "List the profiles: bootproof profiles",
  },
  "BP-SNP-009": {
    title: "a shape of another profile than the launch was prepared for",
    exit: EXIT.bug,
    why: "A prepared launch holds one profile's pages; a shape of another profile would get a digest of neither.",
    fix: "Prepare the launch with the shape's profile.",
  },
  "BP-SNP-010": {
    title: "an image that the profile's VMM does not boot",
    exit: EXIT.usage,
    why: "Most VMMs start an OVMF image; libkrun starts regions of memory that it lays out itself.",
    fix: "Give --ovmf for a profile that boots OVMF, and --region ADDRESS:FILE for libkrun.",
  },
  "BP-SNP-011": {
    title: "a reference that contradicts itself",
    exit: EXIT.no,
    why: "A reference states digests and the firmware and kernel hashes that they are made from; these give others.",
    fix: "Trust none of its values; measure the artifacts yourself: bootproof measure snp",
  },
  "BP-SEV-001": {
    title: "guest features for a SEV-ES guest of the legacy VM type",
    exit: EXIT.usage,
    why: "QEMU starts SEV-ES guests with the legacy VM type unless told otherwise, and that call takes no features.",
    fix: "Leave --guest-features away, or say that the host uses KVM_SEV_INIT2: --profile es-init2",
  },
  "BP-SEV-002": {
    title: "guest features that no SEV-ES guest can have",
    exit: EXIT.usage,
    why: "SEV_FEATURES has 64 bits, and bit 0 (SNPActive) is set in SNP guests only.",
    fix: "Leave --guest-features away, or clear bit 0.",
  },
  "BP-SEV-101": warning(
    "firmware without a GUIDed table that QEMU reads",
    "Plain SEV starts it all the same, without kernel hashes; SEV-ES needs at least a bare reset block.",
  ),
  "BP-SEV-102": warning(
    "a SEV-ES guest whose VM type is not given",
    "QEMU starts SEV-ES guests with the legacy VM type unless told otherwise; the newer type puts FPU state into the VMSA. --profile es-legacy or es-init2 chooses.",
  ),
  "BP-SNP-101": warning(
    "guest features with reserved bits",
    "Bits without a published meaning are set; the digest holds for exactly these bits.",
  ),
  "BP-SNP-102": warning(
    "a CPU model's name that is easily misread",
    "EPYC-v4 is the fourth version of QEMU's first EPYC model, not the fourth generation of EPYC processors.",
  ),
  "BP-SNP-103": warning(
    "a firmware section of unknown type",
    "QEMU measures such sections as ZERO pages; other tools refuse them.",
  ),
  "BP-SNP-104": warning(
    "bytes in the GUIDed table that QEMU does not read",
    "The table holds bytes that belong to no entry.",
  ),
  "BP-SNP-105": warning(
    "bytes behind the last metadata section",
    "The SEV metadata's length covers bytes that QEMU does not read.",
  ),
  "BP-SNP-106": warning(
    "a section with more pages than other tools count",
    "QEMU measures every page of it, other tools only the first.",
  ),
  "BP-SNP-107": warning(
    "firmware without a CPUID or secrets page",
    "The guest launches and then cannot start.",
  ),
  "BP-SNP-108": warning(
    "a section above 2 GiB",
    "Whether there is RAM depends on the machine's memory size.",
  ),
  "BP-SNP-109": warning(
    "a kernel that is no valid bzImage",
    "The digest holds for the file as it is; QEMU may refuse to start it.",
  ),
  "BP-SNP-110": warning(
    "something odd about the command line",
    "The digest holds for exactly these bytes; the message says what people trip over.",
  ),
  "BP-SNP-113": warning(
    "kernel hashes on a VMM that starts no kernel directly",
    "The digest is what other tools compute for these inputs; no guest of this VMM reports it.",
  ),
  "BP-SNP-114": warning(
    "a CPU that is not measured",
    "This VMM puts a constant into the register that holds the CPU's signature on others: any CPU gives this digest.",
  ),
  "BP-SNP-115": warning(
    "a firmware digest of another firmware",
    "The digest given for the firmware's pages is not the one of the image or reference beside it. Only sections and reset address come from there.",
  ),
  "BP-SNP-116": warning(
    "what the classic tool prints for an SVSM guest",
    "sev-snp-measure 0.0.13 sets MXCSR but, by a misspelt field, not FCW, and ignores guest features: a digest that no guest reports.",
  ),
  "BP-SNP-117": warning(
    "a profile that was read from source",
    "No attestation report that confirms it is known yet.",
  ),
  "BP-SNP-112": warning(
    "kernel hashes are off",
    "The VMM gives no hashes, so no register sees kernel, initrd and command line.",
  ),
};

function warning(title: string, why: string): Page {
  return {
    title: `warning: ${title}`,
    exit: EXIT.yes,
    why,
    fix: "Nothing has to be done; the answer is exact for what was given.",
  };
}
