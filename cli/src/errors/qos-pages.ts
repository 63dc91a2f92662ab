/**
 * Pages of what is checked of QuorumOS manifests.
 * @module
 */
import { EXIT } from "../frame/exit-code.ts";
import type { Page, Pages } from "./page.ts";

/** Pages of BP-QOS. */
export const QOS_PAGES: Pages = {
  "BP-QOS-001": no(
    "a document that commits to another manifest",
    "QuorumOS puts the SHA-256 of its manifest into user_data. The document is of an enclave that booted another manifest, or is a genesis document, whose user_data is another hash.",
    "Take the manifest of this boot: the operator's boot proof has both.",
  ),
  "BP-QOS-002": no(
    "a register that is not the manifest's",
    "The manifest says which PCR0 to PCR3 its enclave must show. The enclave ran another image, or on an instance with another role.",
    "Compare the image: bootproof measure nitro FILE, or explain.",
  ),
  "BP-QOS-003": no(
    "a manifest that demands no image",
    "Registers of zeros are those of every enclave in debug mode, and a register that is not 48 bytes is none. Such manifests are for development.",
    "Approve a manifest with the registers of a release.",
  ),
  "BP-QOS-004": no(
    "a public key that is not QuorumOS's",
    "QuorumOS gives 130 bytes: an uncompressed point on P-256 to encrypt to, then one to verify with. Documents of 2022 have an RSA key.",
    "Check whether the document is of QuorumOS, and of a version since 2023.",
  ),
  "BP-QOS-005": no(
    "registers that do not commit to manifest and key",
    "QuorumOS of 2026 extends PCR16 (setup) and PCR17 (live) with the manifest's hash and the ephemeral key, and locks them. Neither fits here: the key or the manifest is another.",
    "Do not use the key. Take document and manifest of one boot.",
  ),
  "BP-QOS-006": no(
    "an approval that does not verify",
    "The signature is not the member's over this manifest's hash: it may be of an earlier version of the manifest.",
    "Ask the member to approve this manifest.",
  ),
  "BP-QOS-007": no(
    "an approval that does not count",
    "It is by nobody of the manifest's own set, by name and key, or twice by one member.",
    "Ask members of the set.",
  ),
  "BP-QOS-008": no(
    "too few approvals",
    "The manifest itself says how many members must approve it.",
    "Collect more approvals; an enclave refuses this envelope.",
  ),
  "BP-QOS-009": no(
    "a set that decides nothing",
    "Two members share a name or a key, so one party has two votes, or the threshold is 0 or more than there are members.",
    "Write the set anew, with keys that belong to different people.",
  ),
};

function no(title: string, why: string, fix: string): Page {
  return { title, exit: EXIT.no, why, fix };
}
