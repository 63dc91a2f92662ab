/**
 * Pages of reading machine descriptions.
 * @module
 */
import { EXIT } from "../frame/exit-code.ts";
import type { Pages } from "./page.ts";

/** Pages of BP-MACHINE: -0xx are errors, -1xx notes of a description. */
export const MACHINE_PAGES: Pages = {
  "BP-MACHINE-001": {
    title: "no QEMU command, several, or one of another architecture",
    exit: EXIT.usage,
    why: "A launch digest is of one x86 machine; the text must hold the command that starts it.",
    fix: "Give qemu-system-x86_64 with its options, a script with one such command, or a copy of /proc/PID/cmdline.",
  },
  "BP-MACHINE-002": {
    title: "a command that a shell would expand",
    exit: EXIT.usage,
    why: "Variables, substitutions and ~ have no value here, and no shell is run on somebody's text.",
    fix: "Write the values, or give a copy of /proc/PID/cmdline of the running QEMU: it holds them.",
  },
  "BP-MACHINE-003": {
    title: "a value that QEMU refuses",
    exit: EXIT.malformed,
    why: "QEMU would not start this machine, so it has no launch digest.",
    fix: "Correct the option; QEMU's own message for it is the judge.",
  },
  "BP-MACHINE-004": {
    title: "XML that is no KVM domain of libvirt's",
    exit: EXIT.malformed,
    why: "Launch digests are known for QEMU domains: <domain type='kvm'>.",
    fix: "Give what virsh dumpxml DOMAIN prints, of the running domain if it runs.",
  },
  "BP-MACHINE-005": {
    title: "TOML that is no Kata configuration for QEMU",
    exit: EXIT.malformed,
    why: "The machine is described in the table [hypervisor.qemu], with values of fixed types.",
    fix: "Give configuration-qemu-snp.toml or the like; see what kata-runtime env shows.",
  },
  "BP-MACHINE-006": {
    title: "a machine's definition that lacks part of what is measured",
    exit: EXIT.undecided,
    why: "The file does not say everything that the launch digest depends on, or the machine would not start.",
    fix: "Give the missing parts beside it, such as --vcpus 4 or --vcpu-type EPYC-Milan.",
  },
  "BP-MACHINE-101": {
    title: "note: the guest is not confidential",
    exit: EXIT.undecided,
    why: "QEMU makes a guest confidential only if -machine names an AMD guest object.",
    fix: "Add -machine confidential-guest-support=ID, or in libvirt <launchSecurity>.",
  },
  "BP-MACHINE-102": {
    title: "note: this machine does not start",
    exit: EXIT.undecided,
    why: "QEMU, libvirt, Kata or AMD's firmware refuses the combination, so it has no launch digest.",
    fix: "Change what the note names.",
  },
  "BP-MACHINE-103": {
    title: "note: something outside of the description decides",
    exit: EXIT.undecided,
    why: "Part of the machine comes from a file, a host or an option that is not in the description.",
    fix: "Put it on the command line, or give the parts by options.",
  },
  "BP-MACHINE-104": {
    title: "note: a default is in force",
    exit: EXIT.undecided,
    why: "Something measured is not given, and the program's default for it is easily forgotten.",
    fix: "Give it, or check that the default is meant.",
  },
  "BP-MACHINE-105": {
    title: "note: measured in a way that is not predicted",
    exit: EXIT.undecided,
    why: "QEMU changes what it measures here, or the measured bytes are not those of a file.",
    fix: "Leave the option away, or compare with a report of the running guest.",
  },
  "BP-MACHINE-106": {
    title: "note: given, but in no launch digest",
    exit: EXIT.undecided,
    why: "Not all that a machine is given is measured; whoever runs the host can exchange the rest.",
    fix: "For a kernel: kernel-hashes=on, in libvirt kernelHashes='yes'.",
  },
  "BP-MACHINE-107": {
    title: "note: quotes seem to be lost",
    exit: EXIT.undecided,
    why: "ps prints arguments without quotes, and a kernel command line has spaces in it.",
    fix: "Give a copy of /proc/PID/cmdline instead.",
  },
  "BP-MACHINE-108": {
    title: "note: the description points to a profile or to guest features",
    exit: EXIT.undecided,
    why: "Some options exist only in certain QEMUs, or change the VMSA.",
    fix: "Check it against your hosts; --profile and --guest-features override it.",
  },
};
