/**
 * From QEMU's merged configuration to a description: what is measured, what stops a measurement, what is missing.
 * @module
 */
import type { AmdPlatform } from "../snp/profile.ts";
import { DEFAULT_CPU, HOST_MODEL, parseCpu } from "./cpu.ts";
import type { MachineDescription, MachineSource } from "./description.ts";
import { blockdevFile, driveFlash, type FlashFile } from "./flash.ts";
import { type GuestParts, noteAmdese, readGuestObject } from "./guest-object.ts";
import type { Findings } from "./notes.ts";
import type { QemuConfiguration } from "./qemu-configuration.ts";
import { launchVcpus } from "./smp.ts";

/** Describes a machine; throws MeasureError BP-MACHINE-003 for values that QEMU refuses. */
export function describeMachine(
  configuration: QemuConfiguration,
  source: MachineSource,
  findings: Findings,
): MachineDescription {
  const guest = readGuest(configuration, findings);
  noteOutside(configuration, findings);
  return {
    source,
    vmm: "qemu",
    ...describeGuest(configuration, guest, findings),
    ...describeFirmware(configuration, guest?.platform, findings),
    ...describeKernel(configuration, guest, findings),
    ...describeCpus(configuration, guest?.platform, findings),
    notes: findings.notes,
    missing: findings.missing,
  };
}

type Part<K extends keyof MachineDescription> = Pick<MachineDescription, K>;

function readGuest({ machine, objects }: QemuConfiguration, findings: Findings): GuestParts | undefined {
  const id = machine.get("confidential-guest-support") ?? machine.get("memory-encryption");
  const guests = objects.filter(({ type }) => type === "sev-guest" || type === "sev-snp-guest");
  if (id === undefined) {
    const unused = guests.map((object) => `${object.type} ${object.id}`).join(", ");
    findings.stop(
      "BP-MACHINE-101",
      unused === "" ? "no -machine confidential-guest-support" : `${unused}, and no -machine that names it`,
      unused === ""
        ? "an ordinary guest: nothing of it is measured"
        : "an ordinary guest, in spite of the object: -machine confidential-guest-support=ID makes it confidential",
    );
    return undefined;
  }
  const object = objects.find((candidate) => candidate.id === id);
  if (object === undefined) {
    findings.stop(
      "BP-MACHINE-102",
      `confidential-guest-support=${id}`,
      "no -object has this id; QEMU refuses to start",
    );
    return undefined;
  }
  const parts = readGuestObject(object, findings);
  if (parts === undefined)
    findings.stop("BP-MACHINE-101", `-object ${object.type}`, "no guest of SEV, SEV-ES or SEV-SNP");
  return parts;
}

function describeGuest(
  { machine, objects }: QemuConfiguration,
  guest: GuestParts | undefined,
  findings: Findings,
): Pick<MachineDescription, "platform" | "profileHints"> & Partial<MachineDescription> {
  if (guest === undefined) return { platform: undefined, profileHints: [] };
  const signs = [
    ...(machine.get("kvm-type") === "protected" ? ["kvm-type=protected"] : []),
    ...(objects.some(({ type }) => type === "memory-backend-memfd-private")
      ? ["memory-backend-memfd-private"]
      : []),
  ];
  if (guest.platform !== "snp" || signs.length === 0 || guest.profileHints.length > 0) return guest;
  noteAmdese(signs, findings);
  return { ...guest, profileHints: ["qemu-amdese-old"] };
}

function describeFirmware(
  configuration: QemuConfiguration,
  platform: AmdPlatform | undefined,
  findings: Findings,
): Part<"firmware" | "varsFile" | "igvm"> {
  const { machine } = configuration;
  const bios = machine.get("firmware");
  const flash = [0, 1].map((unit) => flashUnit(configuration, unit));
  const igvm = igvmFile(configuration, findings);
  if (igvm !== undefined) {
    if (bios !== undefined || flash[0] !== undefined)
      findings.note(
        "BP-MACHINE-106",
        "-bios or flash beside igvm-cfg",
        "the IGVM file is what is loaded and measured",
      );
    return { igvm };
  }
  const [code, vars] = flash;
  const varsFile = vars?.path === undefined ? {} : { varsFile: vars.path };
  if (vars !== undefined)
    findings.note(
      "BP-MACHINE-106",
      `flash unit 1: ${vars.path ?? "?"}`,
      "UEFI variables are in no launch digest",
    );
  if (code !== undefined) return { ...varsFile, ...flashFirmware(code, platform, bios, findings) };
  if (bios !== undefined) return { ...varsFile, firmware: bios };
  findings.lack(
    "firmware",
    "no -bios, no flash unit 0 and no IGVM file: QEMU would load SeaBIOS",
    "the firmware's file",
  );
  return varsFile;
}

function flashUnit({ machine, nodes, flashDrives }: QemuConfiguration, unit: number): FlashFile | undefined {
  const node = machine.get(`pflash${unit}`);
  return node === undefined ? driveFlash(flashDrives).get(unit) : blockdevFile(nodes, node);
}

function flashFirmware(
  code: FlashFile,
  platform: AmdPlatform | undefined,
  bios: string | undefined,
  findings: Findings,
): Part<"firmware"> {
  if (platform === "snp")
    findings.stop(
      "BP-MACHINE-102",
      `flash unit 0: ${code.path ?? "?"}`,
      "KVM has no read-only memory for SEV-SNP guests, so QEMU refuses flash: give the firmware by -bios",
    );
  if (bios !== undefined)
    findings.note("BP-MACHINE-106", `-bios ${bios}`, "QEMU boots from flash unit 0 and ignores it");
  if (code.obstacle !== undefined)
    findings.stop("BP-MACHINE-105", code.obstacle, "the bytes that are measured are not those of the file");
  if (code.path !== undefined) return { firmware: code.path };
  findings.lack("firmware", "flash unit 0 has no file that we can tell", "the firmware's file");
  return {};
}

function igvmFile({ machine, objects }: QemuConfiguration, findings: Findings): string | undefined {
  const id = machine.get("igvm-cfg");
  const object = objects.find(({ type, id: own }) => type === "igvm-cfg" && (id === undefined || own === id));
  const file = object?.properties.get("file");
  if (id === undefined) {
    if (object !== undefined)
      findings.note(
        "BP-MACHINE-106",
        `igvm-cfg ${object.id}`,
        "no -machine igvm-cfg names it: the file is not loaded",
      );
    return undefined;
  }
  if (file === undefined)
    findings.stop(
      "BP-MACHINE-102",
      `igvm-cfg=${id}`,
      "no -object igvm-cfg with this id and a file; QEMU refuses to start",
    );
  return file;
}

function describeKernel(
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
        "-kernel without kernel-hashes=on",
        "QEMU's default is off: kernel, initrd and command line are in no launch digest, and whoever runs the host may exchange them",
      );
    return;
  }
  if (kernel === undefined) {
    if (guest.platform === "snp")
      findings.stop(
        "BP-MACHINE-102",
        "kernel-hashes=on without -kernel",
        "QEMU has no hashes to add and aborts",
      );
    else findings.note("BP-MACHINE-104", "kernel-hashes=on without -kernel", "no hashes are added");
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

function describeCpus(
  { machine, cpu }: QemuConfiguration,
  platform: AmdPlatform | undefined,
  findings: Findings,
): Part<"vcpus" | "cpu"> {
  const smp = new Map(
    [...machine].flatMap(([key, value]) => (key.startsWith("smp.") ? [[key.slice(4), value]] : [])),
  );
  const vcpus = launchVcpus(smp);
  // On plain SEV neither the number of vCPUs nor their CPU is measured.
  const measured = platform === "snp" || platform === "sev-es";
  if (smp.size === 0 && measured)
    findings.note("BP-MACHINE-104", "no number of vCPUs", "QEMU's default is 1 vCPU");
  const read = parseCpu(cpu ?? DEFAULT_CPU);
  if (measured) noteCpu(read, cpu, findings);
  return { vcpus, cpu: read.cpu };
}

function noteCpu(
  { cpu, open }: ReturnType<typeof parseCpu>,
  written: string | undefined,
  findings: Findings,
): void {
  if (written === undefined)
    findings.note(
      "BP-MACHINE-104",
      "no CPU model",
      `QEMU's default is ${DEFAULT_CPU}, whose signature is measured`,
    );
  const give =
    "the guest's CPU: its signature, or family, model and stepping, as its /proc/cpuinfo shows them";
  if (cpu.name === HOST_MODEL)
    findings.lack("cpu", "libvirt chooses the model at start; the XML of the running domain names it", give);
  else if (cpu.kind === "host")
    findings.lack("cpu", `CPU ${cpu.name}: the signature is that of the host's silicon`, give);
  else if (open !== undefined)
    findings.lack(
      "cpu",
      `-cpu ${written ?? ""} sets ${open} of a model whose other parts we do not know`,
      give,
    );
}

function noteOutside(
  { outside, unknownOptions, accelerators, objects, machine }: QemuConfiguration,
  findings: Findings,
): void {
  for (const { name, argument } of outside)
    findings.stop(
      "BP-MACHINE-103",
      `-${name} ${argument}`,
      "this brings in what is not on the command line, or changes a CPU behind it",
    );
  for (const name of unknownOptions)
    findings.note("BP-MACHINE-103", `-${name}`, "no option that we know; taken for one that is not measured");
  if (accelerators.includes("kvm")) return;
  const confidential = machine.has("confidential-guest-support") || machine.has("memory-encryption");
  if (accelerators.length > 0)
    findings.stop("BP-MACHINE-102", `accelerator ${accelerators.join(", ")}`, "confidential guests need KVM");
  else if (confidential && objects.length > 0)
    findings.note(
      "BP-MACHINE-104",
      "no accelerator",
      "QEMU's default may be TCG, which starts no confidential guest; taken for KVM",
    );
}
