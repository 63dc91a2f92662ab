/**
 * Pages of what is found in enclave image files (EIF): BP-EIF-001 to 049.
 * @module
 */
import { EXIT } from "../frame/exit-code.ts";
import type { Page, Pages } from "./page.ts";

const INSPECT = "See both readings of the file: bootproof inspect FILE";
const REBUILD = "Build the file anew, with a tool that fills the header's table.";

/** Pages of BP-EIF. */
export const EIF_PAGES: Pages = {
  "BP-EIF-001": malformed(
    "a file shorter than the header of an EIF",
    "The header has 548 bytes.",
    "Fetch or build the file again: it was cut.",
  ),
  "BP-EIF-002": malformed(
    "a file that is no EIF",
    "Enclave image files start with the four bytes .eif.",
    "Look at what it is: bootproof inspect FILE",
  ),
  "BP-EIF-003": malformed(
    "an EIF of an unknown version",
    "Versions 2, 3 and 4 are public. What others hold, and how it is measured, nobody outside of AWS knows.",
    "Build the file with a tool that writes version 4.",
  ),
  "BP-EIF-004": malformed(
    "header flags of an EIF whose measurement is not public",
    "Bottlerocket's images set PCIE (0x40) and PCIE_VIRTIO (0x200), and flags then go into PCR0 by a rule that is not published. A guess would be a wrong PCR0.",
    "Build the image without these flags, or take the PCRs from a document that an enclave returned.",
  ),
  "BP-EIF-005": malformed(
    "a reserved field of an EIF that is not zero",
    "What reserved fields mean is decided later; readers of today skip them.",
    REBUILD,
  ),
  "BP-EIF-006": malformed(
    "an EIF with too few or too many sections",
    "The header has places for 32 sections, and kernel, command line and ramdisk make three.",
    "Join ramdisks: a kernel unpacks archives that stand one behind the other.",
  ),
  "BP-EIF-007": malformed(
    "places of an EIF's table that are filled and not counted",
    "Readers stop at the count that the header gives. What stands behind it is skipped by one and may be read by the next.",
    REBUILD,
  ),
  "BP-EIF-008": malformed(
    "a section of an EIF that lies outside of the file",
    "A place of the header's table leads into the header or past the end of the file. Most often the file was cut.",
    "Compare the file's size with that of the original.",
  ),
  "BP-EIF-009": malformed(
    "an EIF that gives two sizes for one section",
    "The table in the file's header and the section's own header must agree. A reader that walks believes one, a loader compares them or believes the other.",
    REBUILD,
  ),
  "BP-EIF-010": malformed(
    "sections of an EIF that overlap",
    "The same bytes would be measured twice, as two things.",
    REBUILD,
  ),
  "BP-EIF-011": malformed(
    "a gap between the sections of an EIF",
    "The table skips bytes. A reader that walks from section to section, as nitro-cli describe-eif does, takes them for a section and prints PCRs that no loader measures.",
    INSPECT,
  ),
  "BP-EIF-012": malformed(
    "bytes behind the last section of an EIF",
    "No section holds them and no PCR covers them, and a reader that walks may take them for a section.",
    INSPECT,
  ),
  "BP-EIF-013": malformed(
    "a hidden section in an EIF",
    "The table does not name it, so a loader neither measures nor loads it; nitro-cli describe-eif counts it. The CRC can be made right for both.",
    INSPECT,
  ),
  "BP-EIF-014": malformed(
    "a section of an EIF that only its table names",
    "A loader measures it; a reader that walks from section to section never meets it, and prints other PCRs.",
    INSPECT,
  ),
  "BP-EIF-015": malformed(
    "an EIF whose table has another order than the file, or names a section twice",
    "PCRs depend on the order. A loader measures in the order of the table, a reader that walks in the order of the file.",
    REBUILD,
  ),
  "BP-EIF-016": malformed(
    "an EIF that cannot be walked to its end",
    "A section does not end inside the file, or more sections follow one another than the format has.",
    "Compare the file's size with that of the original.",
  ),
  "BP-EIF-017": malformed(
    "a section of an EIF of an unknown type",
    "Types are 1 kernel, 2 command line, 3 ramdisk, 4 signature, 5 metadata. Nitro refuses others, QEMU skips them.",
    REBUILD,
  ),
  "BP-EIF-018": malformed(
    "flags of a section of an EIF",
    "The format defines none; QEMU refuses them, AWS's reader skips them.",
    REBUILD,
  ),
  "BP-EIF-019": malformed(
    "an EIF that lacks a section or has it twice",
    "There is one kernel, one command line, at least one ramdisk, from version 4 on one metadata section, and at most one signature. Of two kernels or signatures, readers take different ones.",
    REBUILD,
  ),
  "BP-EIF-021": malformed(
    "a ramdisk before the kernel in an EIF",
    "The format has every ramdisk behind the kernel. QEMU takes such a file, and measures it in the order of the file.",
    "Put the kernel first.",
  ),
  "BP-EIF-022": malformed(
    "an empty section in an EIF",
    "An empty kernel or ramdisk boots nothing, and loaders refuse it. Only a command line may be empty, for a kernel that has its own built in.",
    "Leave the section out, or fill it.",
  ),
  "BP-EIF-023": malformed(
    "a section that the EIF's version does not have",
    "Signatures came with version 3, metadata with version 4.",
    "Build the file with a tool that writes version 4.",
  ),
  "BP-EIF-024": malformed(
    "a small section of an EIF that is too large",
    "Command lines are read up to 64 KiB, signatures up to 32 KiB (as AWS's tools do) and metadata up to 1 MiB.",
    "Keep large things in a ramdisk.",
  ),
};

function malformed(title: string, why: string, fix: string): Page {
  return { title, exit: EXIT.malformed, why, fix };
}
