/**
 * `bootproof coverage`: which register sees each byte of each input and each launch parameter, or why none does.
 * @module
 */
import type { Command } from "commander";

import type { Frame } from "../frame/frame.ts";
import { addGuestOptions } from "../measuring/guest-options.ts";

const AFTER = `
Answers from the launch's own events: a byte that is seen changes the register, one that is not does not.
Without --vcpus and a CPU, two vCPUs are assumed.

Example:
  bootproof coverage snp --ovmf OVMF.fd --kernel vmlinuz --initrd initrd.cpio --append 'console=ttyS0'`;

/** Defines `coverage`. */
export function defineCoverage(parent: Command, frame: Frame): void {
  const command = frame.verb(
    parent,
    "coverage [platform]",
    "say which register sees each input (snp, sev, sev-es), and what nobody sees",
    async (context, given) => (await import("../work/coverage.ts")).coverage(context, given),
  );
  addGuestOptions(command).addHelpText("after", AFTER);
}
