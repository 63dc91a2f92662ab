/**
 * `bootproof measure nitro`: the PCRs that a Nitro Enclave will report, from its image file or from its parts.
 * @module
 */
import type { Command } from "commander";

import { collect, type Frame } from "../frame/frame.ts";

const AFTER = `
An image file (EIF) of any size is hashed once, in constant memory. It is refused (65) when readers of the format would
not all see the same image in it, and when how it is measured is not public; inspect shows such files.
Parts are measured in the order in which nitro-cli and eif_build write them: kernel, command line, ramdisks. They give
the same PCRs as the file. Nothing is trimmed: a line end at the end of --cmdline-file counts.

PCR3 and PCR4 come from the machine that starts the enclave, and are unknown until it is named. PCR8 of an image that is
not signed is zero. PCRs do not say where one section ends and the next begins: --json has the section manifest.

Exit status 1: the PCRs are not those of --expect.

Examples:
  bootproof measure nitro app.eif
  bootproof measure nitro app.eif --expect measurements.json        (what nitro-cli build-enclave printed)
  bootproof measure nitro app.eif --iam-role-arn arn:aws:iam::123456789012:role/Webserver --json
  bootproof measure nitro --kernel bzImage --cmdline 'reboot=k panic=30' --ramdisk init.cpio --ramdisk app.cpio`;

/** Defines `measure nitro`. */
export function defineMeasureNitro(measure: Command, frame: Frame): void {
  const command = frame.verb(
    measure,
    "nitro [file]",
    "the PCRs of an AWS Nitro Enclave",
    async (context, given) => (await import("../work/measure-nitro.ts")).measureNitroVerb(context, given),
  );
  addEnclaveOptions(command)
    .option("--iam-role-arn <arn>", "the IAM role of the parent instance, exactly as it is: PCR3")
    .option("--instance-id <id>", "the parent instance: PCR4")
    .option(
      "--expect <pcrs>",
      "compare: a file with nitro-cli's Measurements, or PCR0=...,PCR1=...; may be repeated",
      collect,
    )
    .option("--trace", "print what each PCR is extended with")
    .addHelpText("after", AFTER);
}

/** Adds the parts of an image that is no file yet. */
function addEnclaveOptions(command: Command): Command {
  return command
    .option("--kernel <file>", "the kernel: a bzImage, or an arm64 Image")
    .option("--cmdline <text>", "the command line")
    .option("--cmdline-file <file>", "the command line, every byte of the file")
    .option("--ramdisk <file>", "a ramdisk; repeated, in order", collect)
    .option("--certificate <file>", "PEM of the certificate that signs the image: PCR8")
    .option("--arch <name>", "x86_64 or aarch64, for the record: no PCR depends on it");
}
