/**
 * The options that name a guest: its firmware, what it boots, its shape. `measure`, `coverage` and `explain` share them.
 * Every option name of sev-snp-measure is among them.
 * @module
 */
import { type Command, Option } from "commander";

import { collect } from "../frame/frame.ts";

type Definition = readonly [flags: string, description: string];

const FIRMWARE: readonly Definition[] = [
  ["--ovmf <file>", "the firmware image, or a firmware reference (JSON) in its place"],
  ["--firmware-digest <hex>", "launch digest after the firmware's pages, instead of the image's own"],
  ["--igvm <file>", "an IGVM file in place of firmware"],
  ["--reading <name>", "how the IGVM file is read: qemu (default), or as another tool reads it"],
  ["--svsm <file>", "a COCONUT SVSM image beside the firmware (QEMU before IGVM)"],
  ["--vars-size <bytes>", "size of the variable store between firmware and SVSM"],
  ["--vars-file <file>", "the variable store itself: its size is taken"],
];

const BOOT: readonly Definition[] = [
  ["--kernel <file>", "the kernel of a measured direct boot"],
  ["--initrd <file>", "its initrd"],
  ["--append <text>", "its command line"],
  ["--append-file <file>", "its command line, as the exact bytes of a file"],
  ["--no-kernel-hashes", "the VMM does not add the hashes of kernel, initrd and command line"],
];

const SHAPE: readonly Definition[] = [
  ["--vcpus <n>", "number of vCPUs (-smp); several as 1..64 or 1,2,4"],
  ["--vcpu-type <model>", "CPU model as QEMU names it (-cpu), such as EPYC-v4; several with commas"],
  ["--vcpu-sig <signature>", "CPUID function 1 EAX, such as 0x800f12; several with commas"],
  ["--vcpu-family <n>", "CPU family"],
  ["--vcpu-model <n>", "CPU model number"],
  ["--vcpu-stepping <n>", "CPU stepping"],
  ["--guest-features <bits>", "SEV_FEATURES (default: the profile's); several with commas"],
  ["--vmm <name>", "the VMM: qemu (default), ec2, gce, libkrun, cloud-hypervisor"],
  [
    "--profile <name>",
    "exactly how the VMM sets guests up (bootproof profiles); several with commas, or all",
  ],
];

const SOURCES: readonly Definition[] = [
  ["--from-qemu <command>", "read files and shape from a QEMU command line, or a file that holds one"],
  ["--from-libvirt <file>", "read files and shape from a libvirt domain XML"],
  ["--from-kata <file>", "read files and shape from a Kata configuration"],
];

/** Adds the options that name a guest to a verb. */
export function addGuestOptions(command: Command): Command {
  for (const [flags, description] of [...FIRMWARE, ...BOOT, ...SHAPE, ...SOURCES])
    command.option(flags, description);
  command.option(
    "--region <address:file>",
    "measured memory of a guest without OVMF (libkrun), in order; may be repeated",
    collect,
  );
  // What sev-snp-measure calls the same things.
  for (const flags of ["--firmware <file>", "--snp-ovmf-hash <hex>", "--vmm-type <name>", "--mode <mode>"])
    command.addOption(new Option(flags).hideHelp());
  return command;
}
