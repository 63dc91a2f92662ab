/**
 * Reads a Kata Containers configuration for QEMU. The facts are those of the Go runtime and of runtime-rs at commit
 * 7c6ba40 of 22 August 2026 (virtcontainers/qemu_amd64.go, qemu.go, govmm/qemu; runtime-rs cmdline_generator.rs).
 * @module
 */
import { parseUtf8 } from "@bootproof/bytes";

import { MeasureError } from "../measure-error.ts";
import { parseCpu } from "./cpu.ts";
import type { MachineDescription } from "./description.ts";
import { Findings } from "./notes.ts";
import { isTable, parseToml, type TomlTable } from "./toml.ts";
import { parseBlob } from "./values.ts";

/** The model that both runtimes start SEV-SNP guests with, whatever the host. */
const SNP_CPU = "EPYC-v4";
const DEFAULT_POLICY = 0x3_0000n;

/**
 * Describes the machine that Kata starts by a configuration.toml. What Kata adds at run time and the file does not
 * say (its part of the kernel command line, vCPUs for a pod's limits) is missing, never guessed. Throws ParseError for
 * text that is no TOML, and MeasureError BP-MACHINE-005 or -003.
 */
export function parseKataConfiguration(input: string | Uint8Array): MachineDescription {
  const text = typeof input === "string" ? input : parseUtf8(input, "TOML");
  const section = new Section(hypervisor(parseToml(text)));
  const findings = new Findings("kata");
  const platform = readPlatform(section, findings);
  const boot = readBoot(section, platform, findings);
  noteRunTime(section, findings);
  lackVcpus(section, findings);
  return {
    source: "kata",
    vmm: "qemu",
    platform,
    profileHints: [],
    ...boot,
    ...(platform === "snp" && readSnp(section, findings)),
    notes: findings.notes,
    missing: findings.missing,
  };
}

function hypervisor(document: TomlTable): TomlTable {
  const { hypervisor: all } = document;
  const names = isTable(all) ? Object.keys(all) : [];
  const qemu = isTable(all) ? all["qemu"] : undefined;
  if (isTable(qemu)) return qemu;
  throw new MeasureError("BP-MACHINE-005", "no configuration of QEMU", {
    expected: "a table [hypervisor.qemu]",
    found: names.length === 0 ? "no [hypervisor] table" : `hypervisors ${names.join(", ")}`.slice(0, 80),
  });
}

/** Typed access to [hypervisor.qemu]. */
class Section {
  readonly #table: TomlTable;

  constructor(table: TomlTable) {
    this.#table = table;
  }

  /** A text; undefined when absent or empty, which Kata takes for absent. */
  text(key: string): string | undefined {
    const value = this.#value(key);
    if (value === undefined || value === "") return undefined;
    if (typeof value === "string") return value;
    throw wrongType(key, "text", value);
  }

  flag(key: string): boolean {
    const value = this.#value(key) ?? false;
    if (typeof value === "boolean") return value;
    throw wrongType(key, "true or false", value);
  }

  number(key: string): bigint | number | undefined {
    const value = this.#value(key);
    if (value === undefined || typeof value === "bigint" || typeof value === "number") return value;
    throw wrongType(key, "a number", value);
  }

  list(key: string): readonly string[] {
    const value = this.#value(key) ?? [];
    if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value;
    throw wrongType(key, "a list of texts", value);
  }

  #value(key: string): unknown {
    return Object.hasOwn(this.#table, key) ? this.#table[key] : undefined;
  }
}

function wrongType(key: string, expected: string, found: unknown): MeasureError {
  return new MeasureError("BP-MACHINE-005", `${key} of [hypervisor.qemu] has the wrong type`, {
    expected,
    found: Array.isArray(found) ? "a list" : typeof found,
  });
}

function readPlatform(section: Section, findings: Findings): "snp" | undefined {
  const confidential = section.flag("confidential_guest");
  const snp = section.flag("sev_snp_guest");
  if (confidential && snp) return "snp";
  if (!confidential)
    findings.stop(
      "BP-MACHINE-101",
      snp ? "sev_snp_guest = true without confidential_guest = true" : "confidential_guest = false",
      "Kata starts an ordinary guest: nothing of it is measured",
    );
  else
    findings.lack(
      "platform",
      "confidential_guest without sev_snp_guest: Kata takes what the host has, SEV on AMD and TDX on Intel",
      "the platform",
    );
  return undefined;
}

type Boot = Pick<MachineDescription, "firmware" | "kernel" | "initrd">;

function readBoot(section: Section, platform: "snp" | undefined, findings: Findings): Boot {
  const firmware = section.text("firmware");
  const kernel = section.text("kernel");
  const initrd = section.text("initrd");
  const image = section.text("image");
  if (firmware === undefined)
    findings.lack(
      "firmware",
      "firmware is empty: QEMU would load SeaBIOS, which no confidential guest starts with",
      "the firmware's file",
    );
  if (kernel === undefined) findings.stop("BP-MACHINE-102", "no kernel", "Kata requires one");
  if (image !== undefined && initrd !== undefined)
    findings.stop("BP-MACHINE-102", "image and initrd", "Kata refuses to have both");
  else if (image !== undefined)
    findings.note(
      "BP-MACHINE-106",
      `image = ${image}`,
      "the image is in no launch digest; kernel_verity_params put its root hash into the command line, which is",
    );
  if (platform === "snp" && section.list("pflashes").length > 0)
    findings.stop(
      "BP-MACHINE-102",
      "pflashes",
      "KVM has no read-only memory for SEV-SNP guests, so QEMU refuses flash",
    );
  if (section.text("firmware_volume") !== undefined)
    findings.note("BP-MACHINE-106", "firmware_volume", "UEFI variables are in no launch digest");
  return {
    ...(firmware !== undefined && { firmware }),
    ...(kernel !== undefined && { kernel }),
    ...(initrd !== undefined && { initrd }),
  };
}

function readSnp(section: Section, findings: Findings): Partial<MachineDescription> {
  const features = section.text("cpu_features");
  const { cpu } = parseCpu(features === undefined ? SNP_CPU : `${SNP_CPU},${features}`);
  findings.note(
    "BP-MACHINE-103",
    `CPU model ${SNP_CPU}`,
    "not in the file: what Kata's runtimes have started SEV-SNP guests with, to August 2026",
  );
  const idBlock = section.text("snp_id_block");
  const idAuth = section.text("snp_id_auth");
  if ((idBlock === undefined) !== (idAuth === undefined))
    findings.stop(
      "BP-MACHINE-102",
      "one of snp_id_block and snp_id_auth",
      "Kata refuses one without the other",
    );
  findings.note(
    "BP-MACHINE-103",
    "host data",
    "Kata sets it from a pod's initdata at run time; it is in the report, not in the launch digest",
  );
  return {
    cpu,
    // Both runtimes always pass kernel-hashes=on.
    kernelHashes: true,
    policy: policyOf(section, findings),
    ...(idBlock !== undefined && { idBlock: parseBlob(idBlock, "snp_id_block", 96) }),
    ...(idAuth !== undefined && { idAuth: parseBlob(idAuth, "snp_id_auth", 4096) }),
  };
}

function policyOf(section: Section, findings: Findings): bigint {
  const value = section.number("snp_guest_policy");
  if (value === undefined) {
    findings.note("BP-MACHINE-104", "no snp_guest_policy", "QEMU's default is 0x30000");
    return DEFAULT_POLICY;
  }
  if (typeof value === "bigint" && value >= 0n && value < 1n << 64n) return value;
  throw new MeasureError("BP-MACHINE-005", "snp_guest_policy is no policy", {
    expected: "an integer of 64 bits",
    found: `${value}`,
  });
}

function noteRunTime(section: Section, findings: Findings): void {
  const own = section.text("kernel_params");
  findings.lack(
    "cmdline",
    `Kata builds it at run time: its own parameters (tsc, no_timer_check, the root device, quiet, panic, selinux, systemd units, ...) by version and options, with kernel_params${own === undefined ? "" : ` (${own.slice(0, 200)})`} among them`,
    "the exact -append of a running guest, from /proc/PID/cmdline of its QEMU",
  );
  const annotations = section.list("enable_annotations");
  findings.note(
    "BP-MACHINE-103",
    annotations.length === 0 ? "config.d" : `config.d; annotations ${annotations.join(", ").slice(0, 200)}`,
    "drop-in files, and pod annotations that are allowed, change this configuration",
  );
}

function lackVcpus(section: Section, findings: Findings): void {
  const value = section.number("default_vcpus") ?? 0n;
  const base = Number(value);
  const own =
    base < 0
      ? "as many vCPUs as the host has CPUs"
      : `${base === 0 ? "1 vCPU" : `${base} vCPU`} unless the host has fewer`;
  findings.lack(
    "vcpus",
    `default_vcpus = ${value}: ${own}, and the CPU limits of the pod are added (rounded up) before start; annotations may change it`,
    "the number of vCPUs of the pod's guest",
  );
}
