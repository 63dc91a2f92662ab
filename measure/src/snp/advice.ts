/**
 * What to do about a difference between two launches, by what differs.
 * @module
 */
import type { Finding } from "../explain/explanation.ts";

const BUILD = "the firmware's build decides it: bootproof inspect firmware FILE shows it";

const ADVICE: Readonly<Record<string, string>> = {
  firmware:
    "bootproof inspect firmware FILE shows what is in each image; a rebuild says whether its recipe gives it",
  firmwareFile: BUILD,
  firmwareSize:
    "measure the file that the VMM is given: -bios takes a combined image, pflash unit 0 the code alone",
  section: "bootproof inspect firmware FILE lists the sections of each image in their order",
  resetAddress: BUILD,
  hashTable: BUILD,
  secretArea: BUILD,
  tableEntry: BUILD,
  profile: "bootproof profiles NAME says which hosts a profile is of; measure with the host's: --profile",
  kernelHashes: "QEMU measures them with kernel-hashes=on; where it is off, measure with --no-kernel-hashes",
  kernel: "measure the very file that -kernel is given, not one that a package or a bootloader changed",
  initrd: "measure the very file that -initrd is given; most tools that make one put times into it",
  cmdline: "--append-file measures every byte of a file, the newline at its end too; --append what is typed",
  cpu: "give the model of the guest's -cpu: --vcpu-type, or --vcpu-sig for -cpu host",
  guestFeatures: "the host's kernel decides them: measure with what it gives, --guest-features",
  vcpus: "give the number of -smp: --vcpus, or 1..N for all up to N",
};

/** A finding with what to do about it, where there is something to do. */
export function advise(finding: Finding): Finding {
  const next = ADVICE[finding.subject];
  return next === undefined ? finding : { ...finding, next };
}
