/**
 * Direct boot: kernel, initrd and command line, and whether their hashes are measured.
 * @module
 */
import type { MachineDescription } from "./description.ts";
import type { GuestParts } from "./guest-object.ts";
import type { Findings } from "./notes.ts";
import type { QemuConfiguration } from "./qemu-configuration.ts";

type Part<K extends keyof MachineDescription> = Pick<MachineDescription, K>;

/** What is booted directly; paths and command line as written. */
export function describeKernel(
  configuration: QemuConfiguration,
  guest: GuestParts | undefined,
  findings: Findings,
): Part<"kernel" | "initrd" | "cmdline" | "kernelHashes"> {
  const { machine } = configuration;
  const kernel = machine.get("kernel");
  const initrd = machine.get("initrd");
  const cmdline = machine.get("append");
  if (kernel === undefined) {
    const needs = ["append", "initrd", "shim"].filter((name) => machine.has(name));
    if (needs.length > 0)
      findings.stop(
        "BP-MACHINE-102",
        needs.map((name) => `-${name}`).join(", "),
        "QEMU refuses these without -kernel",
      );
  }
  if (guest !== undefined) noteKernelHashes(configuration, guest, findings);
  return {
    ...(kernel !== undefined && { kernel }),
    ...(initrd !== undefined && { initrd }),
    ...(cmdline !== undefined && { cmdline }),
    ...(guest !== undefined && { kernelHashes: guest.kernelHashes }),
  };
}

function noteKernelHashes({ machine }: QemuConfiguration, guest: GuestParts, findings: Findings): void {
  const kernel = machine.get("kernel");
  if (!guest.kernelHashes) {
    if (kernel !== undefined)
      findings.note(
        "BP-MACHINE-106",
        findings.words("-kernel without kernel-hashes=on", "<kernel> without kernelHashes='yes'"),
        "the default is off: kernel, initrd and command line are in no launch digest, and whoever runs the host may exchange them",
      );
    return;
  }
  if (kernel === undefined) {
    const found = findings.words("kernel-hashes=on without -kernel", "kernelHashes='yes' without <kernel>");
    if (guest.platform === "snp")
      findings.stop("BP-MACHINE-102", found, "QEMU has no hashes to add and aborts");
    else findings.note("BP-MACHINE-104", found, "no hashes are added");
    return;
  }
  if (machine.has("dtb"))
    findings.stop("BP-MACHINE-105", "-dtb", "QEMU appends the device tree to the kernel before it is hashed");
  if (machine.has("shim"))
    findings.note("BP-MACHINE-106", "-shim", "the shim is handed over beside the kernel and is in no hash");
  if (machine.has("igvm-cfg"))
    findings.stop(
      "BP-MACHINE-105",
      "-kernel, kernel-hashes=on and igvm-cfg",
      "QEMU looks for the hash table in OVMF, and there is none",
    );
  if ((machine.get("type") ?? "").startsWith("microvm") && machine.get("auto-kernel-cmdline") !== "off")
    findings.stop(
      "BP-MACHINE-105",
      "-machine microvm",
      "QEMU adds its devices to the command line; auto-kernel-cmdline=off prevents it",
    );
}
