/**
 * `bootproof measure snp`: the launch digest that a machine of a shape will report, from the files alone.
 * @module
 */
import type { Command } from "commander";

import type { Frame } from "../frame/frame.ts";

const AFTER = `
Give the CPU once: by QEMU's name, by CPUID signature, or by family, model and stepping.
Nothing is trimmed: --append and the bytes of --append-file are measured as they are.

Example:
  bootproof measure snp --ovmf OVMF.fd --vcpus 4 --vcpu-type EPYC-v4 \\
    --kernel vmlinuz --initrd initrd.cpio --append 'console=ttyS0' --json`;

/** Defines `measure snp`. */
export function defineMeasure(parent: Command, frame: Frame): void {
  const measure = parent
    .command("measure")
    .helpCommand(false)
    .description("predict what a machine will report after booting");
  frame
    .verb(measure, "snp", "the launch digest of an AMD SEV-SNP guest", async (context, given) =>
      (await import("../work/measure.ts")).measureSnpVerb(context, given),
    )
    .requiredOption("--ovmf <file>", "the firmware image")
    .requiredOption("--vcpus <n>", "number of vCPUs (-smp)")
    .option("--vcpu-type <model>", "CPU model as QEMU names it (-cpu), such as EPYC-v4")
    .option("--vcpu-sig <signature>", "CPUID function 1 EAX, such as 0x800f12")
    .option("--vcpu-family <n>", "CPU family")
    .option("--vcpu-model <n>", "CPU model number")
    .option("--vcpu-stepping <n>", "CPU stepping")
    .option("--kernel <file>", "the kernel of a measured direct boot")
    .option("--initrd <file>", "its initrd")
    .option("--append <text>", "its command line")
    .option("--append-file <file>", "its command line, as the exact bytes of a file")
    .option("--no-kernel-hashes", "the VMM does not add the hashes of kernel, initrd and command line")
    .option("--guest-features <bits>", "SEV_FEATURES (default: 0x1)")
    .option("--vmm <name>", "the VMM (default: qemu)")
    .option("--trace", "print every page in the order it is measured")
    .addHelpText("after", AFTER);
}
