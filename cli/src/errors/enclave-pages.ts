/**
 * Pages of enclave images in recipes.
 * @module
 */
import { EXIT } from "../frame/exit-code.ts";
import type { Page, Pages } from "./page.ts";

/** Pages of BP-ENCLAVE. */
export const ENCLAVE_PAGES: Pages = {
  "BP-ENCLAVE-001": {
    title: "a folder cannot be pinned",
    exit: EXIT.badConfig,
    why: "A folder beside a recipe is locked as one tar of files, folders and symbolic links. This one holds a device, a pipe or a socket, a name that is not UTF-8, or too much; or it changed while it was read.",
    fix: "Leave it out; or make an image of the folder and name that with {image: FILE}.",
  },
  "BP-ENCLAVE-002": {
    title: "the file is no enclaver.yaml",
    exit: EXIT.malformed,
    why: "bootproof init --from reads the manifest of enclaver, which allows no other keys than its own; the message has line and column.",
    fix: "Correct the line; or name a folder with nitro-cli's blobs instead.",
  },
  "BP-ENCLAVE-003": {
    title: "the folder holds no blobs of nitro-cli",
    exit: EXIT.malformed,
    why: "nitro-cli keeps bzImage (or Image), cmdline, init, nsm.ko and linuxkit in one folder, by default /usr/share/nitro_enclaves/blobs.",
    fix: "Name that folder: bootproof init NAME --from /usr/share/nitro_enclaves/blobs",
  },
  "BP-ENCLAVE-004": {
    title: "the signature is of another image",
    exit: EXIT.no,
    why: "A recipe names a signature that was made elsewhere. It is of one PCR0; since it was made, the kernel, the command line or a ramdisk has changed, or certificate and signature do not belong together.",
    fix: "Leave `signature` out and build; sign what bootproof eif payload FILE.eif --certificate FILE prints; put the signature beside the recipe again.",
  },
  "BP-ENCLAVE-101": leftOut(
    "enclaver's supervisor",
    "Enclaver puts its program odyn before the application: it makes the loopback network, forwards ports, and ends with the application. The imported recipe starts the application itself, so it is another image with other PCRs.",
    "Let the application use vsock itself; or make an image that has such a program as its entrypoint, and name that.",
  ),
  "BP-ENCLAVE-102": leftOut(
    "ingress",
    "Enclaver's supervisor listens on vsock and hands connections to the application over TCP, with TLS where the manifest says so.",
    "Let the application listen on vsock, or run a program inside that forwards.",
  ),
  "BP-ENCLAVE-103": leftOut(
    "egress",
    "Enclaver's supervisor runs an HTTP proxy inside the enclave that enforces the allow and deny rules. Without it nothing leaves the enclave but over vsock.",
    "Run a proxy inside the enclave that enforces the rules; one on the parent enforces nothing that an attestation shows.",
  ),
  "BP-ENCLAVE-104": leftOut(
    "the KMS proxy",
    "Enclaver's proxy attaches an attestation document to each request to KMS and decrypts the answer.",
    "Use an SDK for Nitro Enclaves in the application; bootproof export kms writes the key's policy.",
  ),
  "BP-ENCLAVE-105": leftOut(
    "the attestation API",
    "Enclaver serves attestation documents over HTTP on a local port.",
    "Read /dev/nsm in the application.",
  ),
  "BP-ENCLAVE-106": leftOut(
    "SPIFFE identities",
    "Enclaver asks a SPIRE server for an identity when it starts.",
    "Let the application ask, with its own attestation document.",
  ),
  "BP-ENCLAVE-107": leftOut(
    "the release image",
    "Enclaver wraps the EIF into a container image that starts it. A recipe's result is the EIF.",
    "Start it with nitro-cli run-enclave, or wrap it yourself.",
  ),
  "BP-ENCLAVE-108": leftOut(
    "the signature",
    "A recipe's build knows no keys, or nobody else could rebuild it. Signing changes PCR8 and no other register.",
    "Sign what was built (bootproof eif sign), or put what was made of it beside the recipe: signature: {certificate: cert.pem, file: app.sig}.",
  ),
  "BP-ENCLAVE-109": leftOut(
    "processors and memory",
    "They are options of run-enclave and no part of an image: no register tells of them.",
    "Give them to nitro-cli run-enclave.",
  ),
  "BP-ENCLAVE-110": leftOut(
    "linuxkit's archives",
    "nitro-cli packs both ramdisks with linuxkit, whose order of entries, times and inode numbers are its own. Kernel and command line are the same bytes, and the ramdisks hold the same files with the same modes, but the archives differ, and so do PCR0, PCR1 and PCR2.",
    "Publish the PCRs of this image. To keep nitro-cli's, measure its own file: bootproof measure nitro FILE.eif",
  ),
};

function leftOut(what: string, why: string, fix: string): Page {
  return { title: `left out: ${what}`, exit: EXIT.yes, why, fix };
}
