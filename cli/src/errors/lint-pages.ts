/**
 * Pages of what the linter finds in firmware.
 * @module
 */
import { EXIT } from "../frame/exit-code.ts";
import type { Page, Pages } from "./page.ts";

const WHOLE = "Take the image as the build wrote it: whole, and not the end or a part of it.";
const REBUILD = "Build the firmware from edk2's sources again, or ask whoever built it.";
const SECTIONS = "Look at the sections that edk2's OvmfPkg/ResetVector declares, and build the image again.";
const HASHES =
  "For a measured kernel take an image with kernel hashes, such as edk2's AmdSevX64; without one nothing has to be done.";

/** Pages of BP-LINT. */
export const LINT_PAGES: Pages = {
  "BP-LINT-001": cannot(
    "an image that is not made of whole pages",
    "Firmware ends at 4 GiB and is measured in pages of 4 KiB; part of a page cannot be launched.",
    WHOLE,
  ),
  "BP-LINT-002": cannot(
    "an image larger than 16 MiB",
    "QEMU maps no firmware above its largest max-fw-size of 16 MiB.",
    WHOLE,
  ),
  "BP-LINT-003": cannot(
    "no GUIDed table",
    "VMMs find everything they need in a table 32 bytes before the end of an OVMF image; here its footer is not there.",
    "Check that the file is OVMF firmware, whole, and for SEV: bootproof inspect FILE says what it is.",
  ),
  "BP-LINT-004": cannot(
    "a GUIDed table that reaches out of the image",
    "The footer gives the table's length; this one is less than the footer itself, or more than the image.",
    REBUILD,
  ),
  "BP-LINT-005": differs(
    "bytes in the GUIDed table that hold no entry",
    "QEMU stops reading there, Google's tool refuses the image, and other tools read on in their own ways.",
    REBUILD,
  ),
  "BP-LINT-006": differs(
    "a GUID with two entries in the table",
    "QEMU takes the entry nearest the footer, other tools the one furthest from it: the image has two meanings. Where the entry is one that a launch needs, bootproof prints no digest.",
    REBUILD,
  ),
  "BP-LINT-007": cannot(
    "no SEV metadata",
    "QEMU learns from it where to put the CPUID and secrets pages, and ends when it is missing. Other tools print a digest all the same.",
    "Take an image that was built for SEV-SNP (edk2 since 2022).",
  ),
  "BP-LINT-008": cannot(
    "a pointer to the SEV metadata that leads nowhere",
    "The entry gives the distance from the end of the image; this one is larger than the image, or leaves no room for a header.",
    WHOLE,
  ),
  "BP-LINT-009": cannot(
    "no SEV metadata where the table points",
    'Metadata starts with "ASEV". If it is not there, the image was changed after it was built, or is not whole.',
    WHOLE,
  ),
  "BP-LINT-010": cannot(
    "an unknown version of SEV metadata",
    "There is version 1. QEMU refuses every other.",
    REBUILD,
  ),
  "BP-LINT-011": cannot(
    "SEV metadata whose length and number of sections do not fit",
    "A section has 12 bytes behind a header of 16. QEMU copies the length and trusts the number, and would read foreign memory.",
    REBUILD,
  ),
  "BP-LINT-012": differs(
    "bytes behind the last section",
    "QEMU does not read them; Google's tool and Oak's demand that length and number of sections fit exactly.",
    REBUILD,
  ),
  "BP-LINT-013": cannot(
    "SEV metadata without sections",
    "Without CPUID and secrets pages no SNP guest starts. Other tools print a digest all the same.",
    SECTIONS,
  ),
  "BP-LINT-014": cannot(
    "no AP reset address",
    "Application processors of SNP and SEV-ES guests start where the SEV-ES reset block says. QEMU ends when it finds none, also for one vCPU.",
    "Take an image that was built for SEV-ES and SEV-SNP (edk2 since 2021).",
  ),
  "BP-LINT-015": cannot(
    "an AP reset address of 0",
    "QEMU refuses it; other tools measure fewer vCPUs.",
    REBUILD,
  ),
  "BP-LINT-016": cannot(
    "an entry of the SEV hash table area that is too short",
    "It holds an address and a size, 8 bytes. QEMU does not look and would read what stands behind.",
    REBUILD,
  ),
  "BP-LINT-017": differs(
    "an entry with more data than its kind has",
    "QEMU and others ignore the rest; Google's tool wants the exact length.",
    REBUILD,
  ),
  "BP-LINT-018": cannot(
    "a section of size 0",
    "KVM refuses to launch no pages, so QEMU ends. Images built for TDX have such placeholders; other tools print a digest for them.",
    "Take an image that was built for SEV-SNP, such as edk2's OvmfPkgX64 or AmdSevX64.",
  ),
  "BP-LINT-019": cannot("a section that starts within a page", "SNP launches whole pages.", SECTIONS),
  "BP-LINT-020": cannot("a section that ends within a page", "KVM launches whole pages.", SECTIONS),
  "BP-LINT-021": cannot(
    "a section that ends above 4 GiB",
    "Addresses of sections have 32 bits; QEMU finds no memory there.",
    SECTIONS,
  ),
  "BP-LINT-022": cannot(
    "two sections with a page in common",
    "A page that was launched is the guest's, and is not launched a second time. Other tools count it twice.",
    SECTIONS,
  ),
  "BP-LINT-023": cannot(
    "a section that reaches into the image",
    "The image's pages are launched first, and none is launched a second time.",
    SECTIONS,
  ),
  "BP-LINT-024": cannot(
    "more pages than bootproof measures",
    "Sections of more than 64 MiB would cost anyone who measures the image seconds; firmware in use declares some hundred pages.",
    SECTIONS,
  ),
  "BP-LINT-025": differs(
    "a section of a type that nobody defines",
    "QEMU measures such sections as ZERO pages; sev-snp-measure and Google's tool refuse the image; crate sev looks at the lowest byte of the type only.",
    "Expect the digest that bootproof prints for QEMU, and none elsewhere.",
  ),
  "BP-LINT-026": differs(
    "no CPUID section",
    "QEMU launches the guest, which then cannot find its CPUID page. Google's tool refuses the image.",
    SECTIONS,
  ),
  "BP-LINT-027": differs(
    "no secrets section",
    "QEMU launches the guest, which then has no keys to ask for reports. Google's tool refuses the image.",
    SECTIONS,
  ),
  "BP-LINT-028": differs(
    "no SNP_SEC_MEM section",
    "The firmware's first code has no memory it may use; Google's tool refuses the image.",
    SECTIONS,
  ),
  "BP-LINT-029": differs(
    "several CPUID or secrets sections",
    "QEMU fills and launches each; Google's tool allows one.",
    SECTIONS,
  ),
  "BP-LINT-030": differs(
    "a CPUID or secrets section of several pages",
    "QEMU measures every page, sev-snp-measure and crate sev only the first.",
    "Expect the digest that bootproof prints; other tools' differ.",
  ),
  "BP-LINT-031": note(
    "a section above 2 GiB",
    "Whether RAM is there depends on the machine and its memory size.",
  ),
  "BP-LINT-032": note(
    "a page for SVSM calls",
    "Every image of edk2 since 2024 has one. QEMU and Google's tool measure it as ZERO; Oak's tool and old versions of sev-snp-measure stop at it, and no published image of EC2 has one.",
  ),
  "BP-LINT-033": differs(
    "a section for the kernel hashes table",
    "QEMU measures it as NORMAL with the table and as ZERO without. Google's tool refused it in 2025 and measures ZERO in a later revision; no published image of EC2 has one.",
    "Nothing has to be done for QEMU.",
  ),
  "BP-LINT-034": differs(
    "a section for the kernel hashes table of several pages",
    "QEMU measures every page; sev-snp-measure and crate sev stop when a kernel is given.",
    HASHES,
  ),
  "BP-LINT-035": differs(
    "a section for the kernel hashes table without an area",
    "QEMU finds the table's place by an entry of the GUIDed table; without one, or with address 0, it refuses kernel-hashes=on.",
    HASHES,
  ),
  "BP-LINT-036": note(
    "no place for kernel hashes",
    "The image cannot check a kernel that the VMM hands over, and QEMU refuses kernel-hashes=on with it. The kernel has to be measured in another way.",
  ),
  "BP-LINT-037": differs(
    "an area for the kernel hashes table without a section",
    "SEV and SEV-ES guests need the area only. SNP guests need a page for it in the metadata, and this image has none.",
    HASHES,
  ),
  "BP-LINT-038": differs(
    "an area too small for the kernel hashes table",
    "The table has 176 bytes; QEMU refuses kernel-hashes=on, other tools print a digest.",
    HASHES,
  ),
  "BP-LINT-039": differs(
    "an area for the kernel hashes table in another page than its section",
    "QEMU writes the table into the section's page, and firmware looks for it in the area: the guest finds no table and boots no kernel.",
    HASHES,
  ),
  "BP-LINT-040": differs(
    "a kernel hashes table that would end behind its section",
    "QEMU stops at an assertion when kernel-hashes=on.",
    HASHES,
  ),
  "BP-LINT-041": differs(
    "several sections for the kernel hashes table",
    "QEMU writes the table into each, other tools do other things.",
    HASHES,
  ),
  "BP-LINT-042": differs(
    "a size that QEMU's -bios refuses",
    "It takes multiples of 64 KiB, and images without their variable store often have another size. As flash such an image launches SEV and SEV-ES guests; SNP guests have no flash with code since QEMU 9.1, because KVM gives them no read-only memory. AMD's trees before it had.",
    "For SNP take the combined image (OVMF.fd), whose size is a multiple of 64 KiB; its launch digest is another.",
  ),
  "BP-LINT-043": note(
    "an image without its variable store",
    "OVMF_CODE ends at 4 GiB like the combined OVMF.fd and starts higher, so its pages have other addresses and its launch digest is another. The variable store itself is not measured when it is a second flash unit.",
  ),
  "BP-LINT-044": note(
    "an image above QEMU's default limit for flash",
    "Flash may have 8 MiB unless the machine has a larger max-fw-size; -bios has no such limit.",
  ),
  "BP-LINT-045": note(
    "an image that was built for TDX",
    "It has TDX metadata, and SEV sections with address and size 0: placeholders, with which no SNP guest launches.",
  ),
  "BP-LINT-046": note(
    "an SVSM image",
    "An SVSM is launched with an OVMF image beside it (QEMU trees for coconut-svsm) or from an IGVM file; alone its digest is nobody's.",
  ),
  "BP-LINT-047": note(
    "an entry that nobody can read",
    "The entry is too short for its kind; a launch does not need it.",
  ),
  "BP-LINT-048": note(
    "a bare SEV information block",
    "The first images for SEV-ES had it instead of a table. QEMU still takes it for SEV-ES guests; SNP guests need the table.",
  ),
};

function cannot(what: string, why: string, fix: string): Page {
  return { title: `cannot launch: ${what}`, exit: EXIT.no, why, fix };
}

function differs(what: string, why: string, fix: string): Page {
  return { title: `differs: ${what}`, exit: EXIT.yes, why, fix };
}

function note(what: string, why: string): Page {
  return { title: `note: ${what}`, exit: EXIT.yes, why, fix: "Nothing has to be done." };
}
