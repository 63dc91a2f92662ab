/**
 * `bootproof measure snp|sev|sev-es|nitro`: what a machine of a shape will report, from the files alone.
 * @module
 */
import { type Command, Option } from "commander";

import type { Frame } from "../frame/frame.ts";
import { addGuestOptions } from "../measuring/guest-options.ts";
import { defineMeasureNitro } from "./measure-nitro.ts";

const AFTER = `
Give the CPU once: by QEMU's name, by CPUID signature, or by family, model and stepping.
Nothing is trimmed: --append and the bytes of --append-file are measured as they are.
Several values of --vcpus, --vcpu-type, --guest-features or --profile make a table of all combinations.
A line of --batch is a JSON object of these options: {"ovmf":"OVMF.fd","vcpus":4,"vcpu-type":"EPYC-v4","id":1};
each answer is one line, and exit status 2 says that a request has none.
Every option of sev-snp-measure is taken as it is.

Examples:
  bootproof measure snp --ovmf OVMF.fd --vcpus 4 --vcpu-type EPYC-v4 \\
    --kernel vmlinuz --initrd initrd.cpio --append 'console=ttyS0' --json
  bootproof measure snp --ovmf OVMF.fd --vcpus 1..64 --vcpu-type EPYC-v4,EPYC-Genoa --format csv
  bootproof measure snp --from-qemu /proc/PID/cmdline`;

const PLATFORMS = [
  ["snp", "the launch digest of an AMD SEV-SNP guest"],
  ["sev-es", "the launch digest of an AMD SEV-ES guest"],
  ["sev", "the launch digest of an AMD SEV guest"],
] as const;

/** Defines `measure`. */
export function defineMeasure(parent: Command, frame: Frame): void {
  const measure = parent
    .command("measure")
    .helpCommand(false)
    .description("predict what a machine will report after booting");
  for (const [platform, summary] of PLATFORMS) {
    const command = frame.verb(measure, platform, summary, async (context, given) =>
      (await import("../work/measure.ts")).measureVerb(context, given, platform),
    );
    addGuestOptions(command)
      .option(
        "--allow-unknown-sections",
        "measure firmware sections of unknown types as QEMU does, as ZERO pages, instead of refusing them",
      )
      .option("--trace", "print every page in the order it is measured")
      .option("--batch <file>", "one JSON request a line, from a file or - for standard input")
      .option("--format <name>", "of several shapes: table (default) or csv")
      .option(
        "--reference",
        "print what every shape's digest follows from without the image; without --vcpus, of the firmware alone (snp)",
      )
      .option("--dump-vmsa [folder]", "also write each vCPU's VMSA page as vmsaN.bin")
      // sev-snp-measure's short name of --verbose.
      .addOption(new Option("-v").hideHelp())
      .addOption(new Option("--output-format <name>", "print the bare digest: hex or base64"))
      .addHelpText("after", AFTER);
  }
  defineMeasureNitro(measure, frame);
}
