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
    "Signatures came with version 3, metadata with version 4. A signature in version 2 is refused, metadata before version 4 only mentioned: nothing reads it.",
    "Build the file with a tool that writes version 4.",
  ),
  "BP-EIF-024": malformed(
    "a small section of an EIF that is too large",
    "Command lines are read up to 64 KiB, signatures up to 32 KiB (as AWS's tools do) and metadata up to 1 MiB.",
    "Keep large things in a ramdisk.",
  ),
  "BP-EIF-020": malformed(
    "metadata of an EIF that AWS's reader does not take",
    "It is JSON with ImageName, ImageVersion, BuildMetadata (five texts), DockerInfo and CustomMetadata. No PCR covers it, but nitro-cli describe-eif fails without it.",
    "Write it anew: bootproof eif build",
  ),
  "BP-EIF-025": notice(
    "a command line that tools and kernels read in different ways",
    "It is measured byte by byte. nitro-cli trims white space, a kernel stops at a NUL, and one byte more makes other PCRs.",
    "Compare with the file that the image was built from; take the newline at its end away.",
  ),
  "BP-EIF-026": notice(
    "restrictions that only a command line makes",
    "Kernel and command line are hashed as one string. Bytes moved over the edge, with a NUL first, leave every PCR as it is and a guest without its parameters.",
    "Compile them into the kernel (CONFIG_CMDLINE), or let init insist on them; publish the section manifest beside the PCRs.",
  ),
  "BP-EIF-027": notice(
    "a kernel that Nitro may not start",
    "x86_64 takes a bzImage, aarch64 an unpacked Image whose text_offset is not 0. Of other files nothing says where they end, and so where the command line starts.",
    "For aarch64, write 0x200000 to offset 8 of the Image after the build.",
  ),
  "BP-EIF-028": notice(
    "a kernel that does not end where its section does",
    "A bzImage says how long it is. Bytes behind it could as well be the start of the command line, and missing ones may stand there: the PCRs are the same.",
    "Compare the section's digest with the published one. A Secure Boot signature behind the kernel is named as such; strip it if nothing needs it.",
  ),
  "BP-EIF-029": notice(
    "a ramdisk that the kernel may not unpack",
    "All ramdisks are one to the kernel. It unpacks newc archives that start at multiples of 4, and what it has a decompressor for.",
    "Pad ramdisks with zeros to a multiple of 4, and leave them uncompressed.",
  ),
  "BP-EIF-030": malformed(
    "a signature section that AWS's reader does not take",
    "It is a CBOR array of one map with signing_certificate and signature (an untagged COSE_Sign1), in one spelling.",
    "Sign the image anew: bootproof eif sign",
  ),
  "BP-EIF-031": malformed(
    "an EIF with no signature, or several, in its signature section",
    "Readers take the first; what several would mean for PCR8 is not defined. AWS's reader crashes when there is none.",
    "Sign the image anew with one certificate.",
  ),
  "BP-EIF-032": malformed(
    "a signing certificate in another CBOR type",
    "AWS's tools write the PEM text as an array of integers, a byte each. They and QEMU refuse a byte string.",
    "Sign the image anew: bootproof eif sign",
  ),
  "BP-EIF-033": malformed(
    "a signing certificate that cannot be read",
    "The section holds certificates as PEM text and nothing else. A private key beside them would be published with the image.",
    "Give a PEM file with the certificate alone.",
  ),
  "BP-EIF-034": malformed(
    "a signature algorithm that does not go with the certificate",
    "P-256 signs with SHA-256 (ES256), P-384 with SHA-384 (ES384), P-521 with SHA-512 (ES512). RSA and other curves are not taken.",
    "openssl ecparam -name secp384r1 -genkey -noout -out key.pem makes a fitting key.",
  ),
  "BP-EIF-035": mismatch(
    "a signature that does not hold for this image",
    "It was checked over a payload made anew from the image's own PCR0, with the key of the first certificate.",
    "Sign what this prints: bootproof eif payload FILE",
  ),
  "BP-EIF-036": mismatch(
    "a signature of another image",
    "The signature section names another PCR0. nitro-cli run-enclave takes such a file; PCR8 then stands for an image that the key's owner never signed.",
    "Sign the image anew; do not rely on PCR8 alone.",
  ),
  "BP-EIF-037": notice(
    "several certificates in one signature",
    "PCR8 covers the first alone. Nobody checks a chain, so the others mean nothing.",
    "Give the PEM file the signing certificate alone.",
  ),
  "BP-EIF-038": notice(
    "a signing certificate outside of its dates",
    "nitro-cli run-enclave refuses an expired certificate. PCR8 stays the same.",
    "Sign with a certificate that is valid when the enclave is started.",
  ),
  "BP-EIF-039": malformed(
    "a signature section of more than 32 KiB",
    "AWS's tools take no larger one, and each byte of the certificate's text takes two.",
    "Give the PEM file the signing certificate alone, without a chain and without text.",
  ),
  "BP-EIF-040": mismatch(
    "a private key that is not the certificate's",
    "The signature would not hold under the certificate.",
    "Compare: openssl pkey -in KEY -pubout, and openssl x509 -in CERTIFICATE -pubkey -noout",
  ),
};

function notice(title: string, why: string, fix: string): Page {
  return { title: `notice: ${title}`, exit: EXIT.yes, why, fix };
}

function mismatch(title: string, why: string, fix: string): Page {
  return { title, exit: EXIT.no, why, fix };
}

function malformed(title: string, why: string, fix: string): Page {
  return { title, exit: EXIT.malformed, why, fix };
}
