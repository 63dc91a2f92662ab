/**
 * `bootproof guest-policy`: what each bit of a guest policy says, and policies from the names of their bits.
 * @module
 */
import type { Command } from "commander";

import type { Frame } from "../frame/frame.ts";

const AFTER = `
The policy is no part of the launch digest: the report carries it, and an ID block binds it.
QEMU takes it as policy=0x30000 of sev-snp-guest and sev-guest.

Names of SNP: smt, migrate-ma, debug, single-socket, cxl-allow, mem-aes-256-xts, rapl-dis,
ciphertext-hiding-dram, page-swap-disable (bit 17, which must be 1, is set by itself).
Names of SEV: nodbg, noks, es, nosend, domain, sev.

Example:
  bootproof guest-policy 0x30000
  bootproof guest-policy smt,single-socket --abi 1.55
  bootproof guest-policy nodbg,noks,es --sev`;

/** Defines `guest-policy`. */
export function defineGuestPolicy(parent: Command, frame: Frame): void {
  frame
    .verb(
      parent,
      "guest-policy <policy...>",
      "decode a guest policy bit by bit, or build one from names",
      async (context, given) => (await import("../work/guest-policy.ts")).guestPolicy(context, given),
    )
    .option("--sev", "a policy of SEV and SEV-ES (32 bits) instead of SNP (64 bits)")
    .option("--abi <version>", "with names: the least firmware version, such as 1.55")
    .addHelpText("after", AFTER);
}
