/**
 * From QEMU's merged configuration to a description: what is measured, what stops a measurement, what is missing.
 * @module
 */
import { describeCpus } from "./describe-cpus.ts";
import { describeFirmware } from "./describe-firmware.ts";
import { describeKernel } from "./describe-kernel.ts";
import type { MachineDescription } from "./description.ts";
import { type GuestParts, noteAmdese, readGuestObject } from "./guest-object.ts";
import type { Findings } from "./notes.ts";
import type { QemuConfiguration } from "./qemu-configuration.ts";

/** Describes a machine; throws MeasureError BP-MACHINE-003 for values that QEMU refuses. */
export function describeMachine(configuration: QemuConfiguration, findings: Findings): MachineDescription {
  const guest = readGuest(configuration, findings);
  noteOutside(configuration, findings);
  return {
    source: findings.source,
    vmm: "qemu",
    ...describeGuest(configuration, guest, findings),
    ...describeFirmware(configuration, guest?.platform, findings),
    ...describeKernel(configuration, guest, findings),
    ...describeCpus(configuration, guest?.platform, findings),
    notes: findings.notes,
    missing: findings.missing,
  };
}

function readGuest({ machine, objects }: QemuConfiguration, findings: Findings): GuestParts | undefined {
  const id = machine.get("confidential-guest-support") ?? machine.get("memory-encryption");
  const guests = objects.filter(({ type }) => type === "sev-guest" || type === "sev-snp-guest");
  if (id === undefined) {
    const unused = guests.map((object) => `${object.type} ${object.id}`).join(", ");
    findings.stop(
      "BP-MACHINE-101",
      unused === ""
        ? findings.words("no -machine confidential-guest-support", "no <launchSecurity>")
        : `${unused}, and no -machine that names it`,
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
