/**
 * `bootproof inspect [KIND] FILE`: decodes a file of any kind we know, always as hostile input.
 * @module
 */
import type { Command } from "commander";

import type { Frame } from "../frame/frame.ts";

const AFTER = `
With one argument the kind is recognised by the file's content. With a kind before it, a file of
another kind is malformed input (65); firmware is then examined even when its table cannot be read.

Kinds:
  firmware (OVMF), igvm, eif (Nitro Enclaves), reference (of firmware), kernel (bzImage), initrd (cpio),
  id-block, id-auth, measurement (or trace), bundle (tlog-proof), checkpoint, evidence (against a log),
  envelope (DSSE), key (public or private), recipe, lock, document (attestation document),
  kms-policy, manifest and boot-proof (of QuorumOS),
  answer (what other verbs print with --json)

Of firmware and IGVM files it also says what QEMU and others would each do with them, and what is
wrong or odd; bootproof explain BP-LINT-018 says more about a finding. Exit status 1: the answer is
printed, and QEMU cannot launch a guest from the file (firmware: an SNP guest).

An enclave image file (eif) of any size is read in both ways that readers of this format have, and hashed; its
ramdisks stay packed, --members lists what is in them. Exit status 0: it has one reading, and its checksum and
signature hold; 1: it would boot otherwise than it is described, or checksum or signature are wrong; 2: how it is
measured is not public; 65: it is malformed, and what can be shown of it is shown.

An attestation document is shown with its signature not checked; exit status 1: it contradicts itself. A QuorumOS
manifest can be held --against the document or the EIF that should fit it; exit status 1: something checked does not.

Examples:
  bootproof inspect out/snp-guest-1.tlog-proof
  bootproof inspect firmware OVMF.fd
  bootproof inspect app.eif
  bootproof inspect qos.manifest --against attestation.bin`;

/** Defines `inspect`. */
export function defineInspect(parent: Command, frame: Frame): void {
  frame
    .verb(
      parent,
      "inspect <kind-or-file> [file]",
      "say what a file is and what is in it; verifies nothing",
      async (context, given) => (await import("../work/inspect.ts")).inspect(context, given),
    )
    .option("--members", "of an EIF, also list the members of its ramdisks")
    .option("--against <file>", "of a QuorumOS manifest: a document or EIF that should fit it")
    .addHelpText("after", AFTER);
}
