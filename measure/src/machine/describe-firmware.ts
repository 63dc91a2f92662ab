/**
 * The image that a machine starts with: an IGVM file, flash unit 0, or -bios.
 * @module
 */
import type { AmdPlatform } from "../snp/profile.ts";
import type { MachineDescription } from "./description.ts";
import { blockdevFile, driveFlash, type FlashFile } from "./flash.ts";
import type { Findings } from "./notes.ts";
import type { QemuConfiguration } from "./qemu-configuration.ts";

type Part<K extends keyof MachineDescription> = Pick<MachineDescription, K>;

/** The firmware, and what is loaded beside it. */
export function describeFirmware(
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
  if (vars !== undefined)
    findings.stop(
      "BP-MACHINE-102",
      "flash unit 1 without unit 0",
      "QEMU requires unit 0 and refuses to start",
    );
  if (bios !== undefined && bios !== "") return { ...varsFile, firmware: bios };
  findings.lack(
    "firmware",
    findings.words(
      "no -bios, no flash unit 0 and no IGVM file: QEMU would load SeaBIOS",
      "no <loader>: QEMU would load SeaBIOS",
    ),
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
