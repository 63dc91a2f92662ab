/**
 * `bootproof coverage`: which register sees each byte of each input and each launch parameter, or why none does.
 * @module
 */
import type { Command } from "commander";

import { collect, type Frame } from "../frame/frame.ts";
import { addGuestOptions } from "../measuring/guest-options.ts";

const AFTER = `
Answers from the launch's own events: a byte that is seen changes the register, one that is not does not.
Without --vcpus and a CPU, two vCPUs are assumed.
Of a Nitro Enclave (nitro) give its image file, or --kernel, --cmdline and --ramdisk.

Examples:
  bootproof coverage snp --ovmf OVMF.fd --kernel vmlinuz --initrd initrd.cpio --append 'console=ttyS0'
  bootproof coverage nitro app.eif`;

/** Defines `coverage`. */
export function defineCoverage(parent: Command, frame: Frame): void {
  const command = frame.verb(
    parent,
    "coverage [platform] [file]",
    "say which register sees each input (snp, sev, sev-es, nitro), and what nobody sees",
    async (context, given) => (await import("../work/coverage.ts")).coverage(context, given),
  );
  addGuestOptions(command)
    .option("--cmdline <text>", "of an enclave: its command line")
    .option("--cmdline-file <file>", "of an enclave: its command line, every byte of the file")
    .option("--ramdisk <file>", "of an enclave: a ramdisk; repeated, in order", collect)
    .option("--certificate <file>", "of an enclave: PEM of the certificate that signs it")
    .addHelpText("after", AFTER);
}
