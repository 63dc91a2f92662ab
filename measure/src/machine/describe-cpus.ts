/**
 * How many vCPUs a machine starts with, and their model.
 * @module
 */
import type { AmdPlatform } from "../snp/profile.ts";
import { DEFAULT_CPU, HOST_MODEL, parseCpu } from "./cpu.ts";
import type { MachineDescription } from "./description.ts";
import type { Findings } from "./notes.ts";
import type { QemuConfiguration } from "./qemu-configuration.ts";
import { launchVcpus } from "./smp.ts";

type Part<K extends keyof MachineDescription> = Pick<MachineDescription, K>;

/** vCPUs present at launch and their CPU. */
export function describeCpus(
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
