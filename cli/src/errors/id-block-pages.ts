/**
 * Pages of identities: ID blocks, guest policies, launch measures.
 * @module
 */
import { EXIT } from "../frame/exit-code.ts";
import type { Page, Pages } from "./page.ts";

/** Pages of BP-ID. */
export const ID_BLOCK_PAGES: Pages = {
  "BP-ID-001": {
    title: "a guest policy that cannot be read",
    exit: EXIT.usage,
    why: "A policy is a number of 64 bits (SNP) or 32 bits (SEV, SEV-ES), or a list of the names of its bits.",
    fix: "bootproof guest-policy 0x30000 shows every bit with its name; --sev takes the names of SEV.",
  },
  "BP-ID-002": {
    title: "a value that does not fit an identity or a launch measure",
    exit: EXIT.usage,
    why: "Each field has a fixed width; a value that is cut to it would be signed as something else.",
    fix: "Give the value in the width that the message says.",
  },
  "BP-ID-003": {
    title: "a signature that does not hold",
    exit: EXIT.malformed,
    why: "It is of other bytes or by another key than given, or the bytes were hashed with another function than SHA-384. The firmware would answer BAD_SIGNATURE.",
    fix: "Sign exactly the bytes that bootproof id-block make --to-sign DIR writes, with ECDSA P-384 and SHA-384.",
  },
  "BP-ID-004": {
    title: "neither an ID block nor an ID auth",
    exit: EXIT.malformed,
    why: "An ID block has 96 bytes, an ID auth 4096; files may hold them as they are or in base64, as VMMs take them.",
    fix: "bootproof id-block show FILE says which of the two a file holds.",
  },
  "BP-ID-005": {
    title: "no key on the curve P-384",
    exit: EXIT.malformed,
    why: "The firmware knows no other curve. A private key is read in PKCS #8 or SEC 1, a public one in SPKI or from a certificate; encrypted keys are not read.",
    fix: "openssl ecparam -name secp384r1 -genkey -noout -out id.pem makes one; openssl pkey -in ENCRYPTED -out FILE decrypts one.",
  },
  "BP-ID-006": {
    title: "no ECDSA signature on P-384",
    exit: EXIT.malformed,
    why: "A signature is read as openssl and key services write it (DER), or as r and s of 48 bytes each; binary, base64 or hex.",
    fix: "openssl dgst -sha384 -sign id.pem -out id-block.sig id-block.bin writes one.",
  },
  "BP-ID-007": {
    title: "no launch digest in a file",
    exit: EXIT.malformed,
    why: "The file holds neither a digest of the platform's length nor the JSON of a measure verb of that platform: SNP has SHA-384, SEV and SEV-ES have SHA-256.",
    fix: "bootproof measure snp ... --json --out FILE writes one; for SEV it is measure sev.",
  },
  "BP-ID-008": {
    title: "no transport key",
    exit: EXIT.malformed,
    why: "The transport integrity key (TIK) has 16 bytes; libvirt keeps it in a file of 32 bytes, behind the transport encryption key (TEK).",
    fix: "Give the file as it was made with the session, binary and not in base64.",
  },
  "BP-ID-009": {
    title: "no answer of query-sev",
    exit: EXIT.malformed,
    why: "QEMU answers query-sev with a JSON object that has api-major, api-minor, build-id and policy.",
    fix: "Give the answer as QEMU printed it, or the numbers with --api-major, --api-minor, --build-id and --policy.",
  },
  "BP-ID-101": warning(
    "a policy that allows debugging",
    "The host may decrypt and change the guest's memory with debug commands. Nothing in such a guest is hidden from its host.",
  ),
  "BP-ID-102": warning(
    "a policy with bit 17 clear",
    "The bit is reserved and must be 1: KVM and the firmware refuse to launch the guest.",
  ),
  "BP-ID-103": warning(
    "a policy with reserved bits set",
    "Bits without a published meaning are set; firmware and KVM refuse them until they know them.",
  ),
  "BP-ID-104": warning(
    "a policy that demands a firmware version",
    "Hosts with older firmware refuse to launch the guest. That is the purpose; it also keeps the guest from hosts that were not updated yet.",
  ),
  "BP-ID-105": warning(
    "a policy that allows a migration agent",
    "A migration agent gets the guest's memory and decides who else gets it, so it has to be judged like the guest: see REPORT_ID_MA in reports. Google's hypervisor sets the bit, KVM refuses it.",
  ),
  "BP-ID-106": warning(
    "a policy that early KVM refuses",
    "The first KVM that could host SNP guests (Linux 6.11) wants SMT allowed and no limit to a single socket.",
  ),
  "BP-ID-107": warning(
    "a policy that allows key sharing",
    "Another guest may be started with this guest's memory key, and then reads its memory.",
  ),
  "BP-ID-108": {
    title: "warning: a launch digest of zeros",
    exit: EXIT.yes,
    why: "A launch digest is the result of a hash; one of zeros was never filled in, and no guest launches with it.",
    fix: "Give the digest that measure snp predicts: bootproof id-block make --launch-digest m.json",
  },
};

function warning(title: string, why: string): Page {
  return {
    title: `warning: ${title}`,
    exit: EXIT.yes,
    why,
    fix: "bootproof guest-policy VALUE shows every bit; give names instead of VALUE to build another policy.",
  };
}
