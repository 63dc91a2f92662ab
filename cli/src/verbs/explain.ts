/**
 * `bootproof explain`: what an error code means, or why two launches measure differently.
 * @module
 */
import type { Command } from "commander";

import { type Given, usage } from "../frame/given.ts";
import type { Frame } from "../frame/frame.ts";
import { addGuestOptions } from "../measuring/guest-options.ts";

const AFTER = `
Two files of: firmware image, IGVM file, enclave image (EIF), measurement (measure --json), trace (measure --trace
--json), reference, bundle of a release.
Measurements find their files again by path and hash; what is still there is compared byte by byte.
Two firmware images alone are compared up to the VMSAs; with --vcpus and a CPU both are measured with this shape,
and with --kernel, --initrd and --append with this direct boot.
Of two enclave images the sections that differ are compared, and ramdisks member by member. PCRs do not say where one
section ends: images that measure the same and are cut elsewhere are named too.
Exit status: 0 they measure the same, 1 they differ, 2 could not decide.

With --observed: which guest gave this launch digest? The inputs are those of measure; what is not known may be left
away. Searched are numbers of vCPUs, CPUs, guest features, profiles, kernel hashes, what happens to command lines,
swapped and missing files, split firmware. A digest that other inputs give is a no, and those inputs are named.
Exit status: 0 the inputs as given give it, 1 others do, 2 none that were tried.

With --observed and an enclave image: do these PCRs come from it? PCR0=...,PCR1=..., a file with what nitro-cli printed,
or an attestation document, whose signature is not checked. Searched are command lines with and without a line end,
orders of ramdisks, moved boundaries, other texts of role and instance. Exit status as above.

Examples:
  bootproof explain BP-LOCK-003
  bootproof explain OVMF-old.fd OVMF-new.fd
  bootproof explain yesterday.json today.json
  bootproof explain old.eif new.eif
  bootproof explain --observed document.bin app.eif
  bootproof explain --observed 25ac810f...166155 --ovmf OVMF.fd --vcpus 4 --vcpu-type EPYC-v4 --kernel vmlinuz`;

/** Defines `explain`. */
export function defineExplain(parent: Command, frame: Frame): void {
  const command = frame.verb(
    parent,
    "explain [code-or-a] [b]",
    "say what an error code means, why two launches measure differently, or which guest a digest is from",
    async (context, given) => {
      const [first, second] = [given.optionalArgument(0), given.optionalArgument(1)];
      if (given.text("observed") !== undefined) {
        if (first !== undefined && second === undefined)
          return (await import("../work/solve-nitro.ts")).solveNitroVerb(context, given, first);
        if (first !== undefined)
          throw usage("--observed searches for one guest: two files to compare have no place beside it");
        return (await import("../work/solve.ts")).solveVerb(context, given);
      }
      if (given.has("iamRoleArn") || given.has("instanceId"))
        throw usage("a parent is named, and nothing is compared with it", "give --observed PCRS and an EIF");
      if (given.text("effort") !== undefined)
        throw usage("--effort says how long to search, and nothing is searched", "give --observed DIGEST");
      if (first !== undefined && second !== undefined)
        return (await import("../work/explain.ts")).explainTwo(context, given, [first, second]);
      refuseGuest(given);
      return (await import("../work/explain-code.ts")).explainCode(context, first);
    },
  );
  command
    .option(
      "--observed <digest>",
      "the launch digest or the PCRs that a machine reported, or a file with them or the report",
    )
    .option("--iam-role-arn <arn>", "of an enclave: the IAM role of its parent instance")
    .option("--instance-id <id>", "of an enclave: its parent instance")
    .option("--effort <seconds>", "how long to search when nothing matches (default: 20)");
  addGuestOptions(command).addHelpText("after", AFTER);
}

const GUEST = ["ovmf", "igvm", "kernel", "initrd", "append", "appendFile", "vcpus", "vcpuType", "vcpuSig"];

/** An error code has no shape: whoever gives one means two files. */
function refuseGuest(given: Given): void {
  if (GUEST.some((name) => given.text(name) !== undefined))
    throw usage("a guest is given, and not what to compare", "give two files: bootproof explain A B");
}
