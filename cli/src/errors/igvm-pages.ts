/**
 * Pages of measuring and linting IGVM files.
 * @module
 */
import { EXIT } from "../frame/exit-code.ts";
import type { Page, Pages } from "./page.ts";

/** Pages of BP-IGVM, and of BP-LINT from 101. */
export const IGVM_PAGES: Pages = {
  "BP-IGVM-001": {
    title: "an unknown reading of IGVM files",
    exit: EXIT.usage,
    why: "Tools read IGVM files in their own ways; a reading is one tool's.",
    fix: "Known: qemu, qemu-upstream, igvmmeasure, igvmmeasure-native-zero, ms-igvm.",
  },
  "BP-IGVM-002": {
    title: "an IGVM file for other platforms",
    exit: EXIT.malformed,
    why: "Every header of an IGVM file counts on the platforms that the file lists, and on no other.",
    fix: "Look at its platforms: bootproof inspect FILE",
  },
  "BP-IGVM-003": {
    title: "an IGVM file that describes fewer processors than there are",
    exit: EXIT.usage,
    why: "KVM measures a VMSA of every vCPU. One without a VP context is in reset state, which holds the CPU's signature.",
    fix: "Give the CPU too, as the guest is started with: --vcpu-type MODEL",
  },
  "BP-IGVM-004": {
    title: "an IGVM file that QEMU and KVM cannot launch",
    exit: EXIT.malformed,
    why: "What cannot launch has no launch digest, whatever other tools print.",
    fix: "See every reason: bootproof inspect FILE",
  },
  "BP-IGVM-005": {
    title: "an IGVM file on which the tool of a reading gives up",
    exit: EXIT.malformed,
    why: "The reading is that of a tool, and the tool computes no digest of this file.",
    fix: "Take another reading; what guests report is what qemu reads.",
  },
  "BP-IGVM-006": {
    title: "a reading without facts about the platform",
    exit: EXIT.usage,
    why: "The tool of the reading computes no launch digest of SEV or SEV-ES guests.",
    fix: "For SEV and SEV-ES take qemu or igvmmeasure.",
  },
  "BP-IGVM-101": warning(
    "another tool gives another launch digest of the IGVM file",
    "Tools disagree about parameter areas, pages without data, shared and 2 MiB pages, and where VP contexts count.",
    "Trust the reading of the VMM that launches the guest; the message names the directive.",
  ),
  "BP-IGVM-102": warning(
    "the ID block in the IGVM file expects another launch digest",
    "The processor compares the two at launch and refuses the guest when they differ.",
    "Sign the file again, with the digest that this launch has.",
  ),
  "BP-IGVM-103": warning(
    "an IGVM file that upstream QEMU refuses",
    "Upstream QEMU checks what KVM would do otherwise than the file says. The digest is what KVM measures when a VMM does not check.",
    "Take the reading qemu-upstream to have such files refused.",
  ),
  "BP-IGVM-104": warning(
    "more vCPUs than VP contexts",
    "KVM measures every vCPU; the others start in reset state, and igvmmeasure does not count them.",
    "Nothing, if the guest really starts with so many vCPUs.",
  ),
  "BP-LINT-101": cannot(
    "an IGVM file that does not serve the platform",
    "Loaders choose headers by platform, and there are none for this one.",
    "Build the file for the platform too.",
  ),
  "BP-LINT-102": cannot(
    "an IGVM header that QEMU does not handle",
    "QEMU refuses the whole file, also when the header is for another platform.",
  ),
  "BP-LINT-103": cannot(
    "a page of guest memory that an IGVM file gives twice",
    "KVM takes a page once and refuses the second launch update.",
  ),
  "BP-LINT-104": cannot(
    "an empty parameter area that is inserted",
    "KVM refuses a launch update of length 0.",
  ),
  "BP-LINT-105": cannot(
    "a CPUID page above 4 GiB",
    "QEMU keeps its guest address in 32 bits and would launch another page.",
    "Put the CPUID page below 4 GiB.",
  ),
  "BP-LINT-106": cannot(
    "a VP context for SEV",
    "QEMU takes processor state for SEV-ES and SEV-SNP only.",
    "Leave it out, or build for SEV-ES.",
  ),
  "BP-LINT-107": cannot(
    "a secrets or CPUID page for SEV or SEV-ES",
    "These page types exist on SEV-SNP only.",
    "Give the header the mask of SEV-SNP alone.",
  ),
  "BP-LINT-108": cannot("several ID blocks for one platform", "QEMU takes one and refuses a second."),
  "BP-LINT-109": cannot(
    "registers that KVM refuses to start with",
    "KVM launches no guest with a breakpoint set in DR7, or with XCR0 without bit 0.",
    "Set DR7 to 0x400 and bit 0 of XCR0.",
  ),
  "BP-LINT-110": cannot(
    "guest features of another platform",
    "SNPActive is set on SEV-SNP and nowhere else.",
    "Set or clear bit 0 of SEV_FEATURES in the VP context.",
  ),
  "BP-LINT-111": cannot(
    "a VP context at another guest address than KVM's",
    "KVM puts every VMSA at 0xfffffffff000. Upstream QEMU refuses another address, because the digest would not be the file's.",
    "Put the VP context at 0xfffffffff000.",
  ),
  "BP-LINT-112": cannot(
    "a VP context with fields that do not reach KVM",
    "QEMU copies registers to KVM; what it cannot copy would be missing in the guest, so it refuses the file.",
    "Leave the field zero: vTOM, for one, cannot be set this way.",
  ),
  "BP-LINT-113": cannot(
    "guest features that mainline KVM does not offer",
    "KVM says which bits of SEV_FEATURES a VMM may set: DebugSwap and SecureTSC at most.",
    "Leave the feature out, or launch on a kernel that has it.",
  ),
  "BP-LINT-114": cannot(
    "a parameter behind the end of its area",
    "The VMM would write outside the area; QEMU refuses it.",
    "Make the area larger.",
  ),
  "BP-LINT-115": cannot(
    "guest memory beyond what a processor addresses",
    "Guest physical addresses have at most 52 bits.",
  ),
  "BP-LINT-120": differs(
    "a parameter area inserted behind pages",
    "Upstream QEMU hands pages over when the next page does not continue them, and areas at once, so the area is measured first. Other tools keep the file's order.",
    "Put insertions before all pages, as coconut-svsm's igvmbuilder does.",
  ),
  "BP-LINT-121": differs(
    "normal pages without data",
    "QEMU measures them as NORMAL pages of zeros, igvmmeasure --native-zero as ZERO pages.",
    "Nothing, if the digest comes from the reading of the VMM that launches the guest.",
  ),
  "BP-LINT-122": differs(
    "a parameter area of several pages",
    "QEMU measures each page, igvmmeasure one.",
    "Do not take the launch digest from igvmmeasure.",
  ),
  "BP-LINT-123": differs(
    "shared pages",
    "QEMU and igvmmeasure measure them as if they were private, the igvm crate leaves them out.",
    "Leave the flag out for guests of QEMU.",
  ),
  "BP-LINT-124": differs(
    "2 MiB pages",
    "QEMU and igvmmeasure measure 512 pages, the igvm crate one.",
    "Use 4 KiB pages.",
  ),
  "BP-LINT-125": differs(
    "2 MiB pages with data",
    "The loaders' library reads 4 KiB of the data, so QEMU launches zeros behind it; igvmmeasure stops.",
    "Use 4 KiB pages.",
  ),
  "BP-LINT-126": differs(
    "a VP context before pages or areas",
    "KVM measures VMSAs after everything else, other tools where the VP context stands.",
    "Put VP contexts last.",
  ),
  "BP-LINT-127": differs(
    "several VP contexts",
    "QEMU takes one a processor, the last of several; igvmmeasure and the igvm crate measure each.",
    "Give one VP context a processor; igvmmeasure --check-kvm allows one altogether.",
  ),
  "BP-LINT-128": note(
    "no guest policy",
    "QEMU then keeps the policy of its command line; the igvm crate computes no digest.",
    "Add a guest policy header.",
  ),
  "BP-LINT-129": differs(
    "registers that KVM changes",
    "KVM sets EFER.SVME, CR4.MCE and CR0.ET, clears cache bits, and drops attributes that its interface lacks; the measured VMSA is not the file's.",
    "Build the VP context as KVM will measure it.",
  ),
  "BP-LINT-130": differs(
    "a VP context of another platform",
    "igvmmeasure measures it all the same, because it does not look at the mask.",
    "Do not take the launch digest from igvmmeasure.",
  ),
  "BP-LINT-131": differs(
    "headers that only newer loaders take",
    "Headers that may be skipped, and device trees, need a QEMU and an igvm library of 2026.",
    "Nothing, with a recent QEMU.",
  ),
  "BP-LINT-132": differs(
    "an ID block that expects another launch digest",
    "The processor refuses a launch whose digest is not the ID block's.",
    "Sign the file again with the digest of the launch.",
  ),
  "BP-LINT-133": differs(
    "CR0 that igvmmeasure --check-kvm refuses",
    "That check allows 0x30 and 0x31; KVM itself takes other values.",
    "Nothing, unless igvmmeasure is part of the build.",
  ),
  "BP-LINT-134": note(
    "no VP context",
    "Every processor starts in reset state, at 0xfffffff0.",
    "Nothing, if the guest's memory has code there.",
  ),
  "BP-LINT-135": note(
    "an ID block that expects the measured launch digest",
    "The file's author signed the digest that this launch has.",
    "Nothing.",
  ),
  "BP-LINT-136": note(
    "a header for no platform of the file",
    "Its mask has no bit of any platform, so no loader looks at it.",
    "Leave it out.",
  ),
  "BP-LINT-137": note(
    "a 2 MiB page off a 2 MiB boundary",
    "The specification wants its guest address aligned; QEMU does not look.",
    "Align it, or use 4 KiB pages.",
  ),
};

/** A finding that keeps QEMU and KVM from launching the file. */
function cannot(what: string, why: string, fix = "Build the file anew without it."): Page {
  return { title: `cannot launch: ${what}`, exit: EXIT.no, why, fix };
}

function differs(what: string, why: string, fix: string): Page {
  return { title: `differs: ${what}`, exit: EXIT.yes, why, fix };
}

function note(what: string, why: string, fix: string): Page {
  return { title: `note: ${what}`, exit: EXIT.yes, why, fix };
}

function warning(title: string, why: string, fix: string): Page {
  return { title: `warning: ${title}`, exit: EXIT.yes, why, fix };
}
