/**
 * The QEMU arguments that libvirt writes for a domain, as far as a launch digest depends on them (src/qemu/
 * qemu_command.c; libvirt 10.5 and later for sev-snp). Arguments of <qemu:commandline> come last and so win.
 * @module
 */
import type { XmlElement } from "@bootproof/bytes/xml";
import { MeasureError } from "../measure-error.ts";
import { HOST_MODEL } from "./cpu.ts";
import type { Findings } from "./notes.ts";

/** libvirt's name for its guest object. */
const GUEST_ID = "lsec0";
const QEMU_NAMESPACE = "http://libvirt.org/schemas/domain/qemu/1.0";

/** The arguments of a <domain>; throws {@link MeasureError} BP-MACHINE-004. */
export function libvirtArguments(domain: XmlElement, findings: Findings): readonly string[] {
  const os = child(domain, "os");
  const security = child(domain, "launchSecurity");
  return [
    ...["-accel", domain.attributes["type"] === "kvm" ? "kvm" : "tcg"],
    ...machine(os, security),
    ...cpu(child(domain, "cpu")),
    ...smp(domain, findings),
    ...loader(os, findings),
    ...directBoot(os),
    ...guestObject(security, findings),
    ...qemuCommandLine(domain, findings),
  ];
}

/** The first child of a name. */
export const child = (element: XmlElement | undefined, name: string): XmlElement | undefined =>
  element?.children.find((candidate) => candidate.name === name);

/** Text of a child; libvirt takes an empty one for absent, and trims nothing. */
function textOf(element: XmlElement | undefined, name: string): string | undefined {
  const text = child(element, name)?.text;
  return text === "" ? undefined : text;
}

/** A value inside of `key=value,...`. */
const escape = (value: string): string => value.replaceAll(",", ",,");

function machine(os: XmlElement | undefined, security: XmlElement | undefined): string[] {
  const type = child(os, "type");
  const { arch = "x86_64", machine: name = "pc" } = type?.attributes ?? {};
  if (arch !== "x86_64" && arch !== "i686") throw badDomain("architecture", "x86_64", arch);
  // The name ends at the first comma.
  if (/[,=]/.test(name)) throw badDomain("machine type", "a name", name);
  return ["-machine", security === undefined ? name : `${name},confidential-guest-support=${GUEST_ID}`];
}

function cpu(element: XmlElement | undefined): string[] {
  const { mode = "custom", match } = element?.attributes ?? {};
  if (mode === "host-passthrough") return ["-cpu", "host"];
  if (mode === "maximum") return ["-cpu", "max"];
  // A minimum is completed with what the host has.
  if (mode === "host-model" || match === "minimum") return ["-cpu", HOST_MODEL];
  const model = child(element, "model")?.text.trim() ?? "";
  if (/[,=]/.test(model)) throw badDomain("CPU model", "a name", model);
  return model === "" ? [] : ["-cpu", model];
}

const LEVELS = ["sockets", "dies", "clusters", "cores", "threads"] as const;

function smp(domain: XmlElement, findings: Findings): string[] {
  const vcpu = child(domain, "vcpu");
  if (vcpu === undefined) return [];
  const maxcpus = count(vcpu.text.trim(), "vcpu");
  const cpus = count(vcpu.attributes["current"] ?? `${maxcpus}`, "vcpu current");
  const plugged = child(domain, "vcpus")?.children.filter(
    ({ attributes }) => attributes["enabled"] === "yes" && attributes["hotpluggable"] === "yes",
  );
  if (plugged !== undefined && plugged.length > 0)
    findings.stop(
      "BP-MACHINE-105",
      `${plugged.length} vCPUs with hotpluggable='yes'`,
      "libvirt plugs them in after QEMU has started; how many are measured then is not in the XML",
    );
  const topology = child(child(domain, "cpu"), "topology")?.attributes ?? {};
  const levels = LEVELS.filter((level) => topology[level] !== undefined && topology[level] !== "1").map(
    (level) => `,${level}=${count(topology[level] ?? "", `topology ${level}`)}`,
  );
  return ["-smp", `${cpus},maxcpus=${maxcpus}${levels.join("")}`];
}

function count(text: string, what: string): number {
  if (!/^[0-9]{1,5}$/.test(text)) throw badDomain(what, "a number", text);
  return Number(text);
}

function loader(os: XmlElement | undefined, findings: Findings): string[] {
  const element = child(os, "loader");
  const path = textOf(os, "loader");
  if (path === undefined) return [];
  const { type = "rom", format = "raw" } = element?.attributes ?? {};
  if (type === "rom") return ["-bios", path];
  if (type !== "pflash") {
    findings.stop("BP-MACHINE-103", `<loader type='${type}'>`, "a kind of loader that we do not know");
    return [];
  }
  const nvram = child(os, "nvram");
  const vars = child(nvram, "source")?.attributes["file"] ?? nvram?.text.trim() ?? "";
  return [
    ...["-drive", `if=pflash,unit=0,readonly=on,format=${escape(format)},file=${escape(path)}`],
    ...(vars === "" ? [] : ["-drive", `if=pflash,unit=1,file=${escape(vars)}`]),
  ];
}

/** Elements of <os> and the options that they become. */
const DIRECT_BOOT = [
  ["kernel", "-kernel"],
  ["initrd", "-initrd"],
  ["cmdline", "-append"],
  ["dtb", "-dtb"],
  ["shim", "-shim"],
] as const;

function directBoot(os: XmlElement | undefined): string[] {
  return DIRECT_BOOT.flatMap(([name, option]) => {
    const value = textOf(os, name);
    return value === undefined ? [] : [option, value];
  });
}

/** libvirt's types of launch security, and QEMU's objects. */
const OBJECTS: Readonly<Record<string, string>> = {
  sev: "sev-guest",
  "sev-snp": "sev-snp-guest",
  tdx: "tdx-guest",
};
/** Attributes with yes or no, and whether QEMU's property means the opposite. */
const SWITCHES = [
  ["kernelHashes", "kernel-hashes", false],
  ["authorKey", "author-key-enabled", false],
  ["vcek", "vcek-disabled", true],
] as const;
const VALUES = [
  ["policy", "policy"],
  ["guestVisibleWorkarounds", "guest-visible-workarounds"],
  ["idBlock", "id-block"],
  ["idAuth", "id-auth"],
  ["hostData", "host-data"],
] as const;

function guestObject(security: XmlElement | undefined, findings: Findings): string[] {
  if (security === undefined) return [];
  const { type = "" } = security.attributes;
  const object = Object.hasOwn(OBJECTS, type) ? OBJECTS[type] : undefined;
  if (object === undefined) throw badDomain("launchSecurity type", "sev or sev-snp", type);
  if (type === "sev" && textOf(security, "policy") === undefined)
    findings.stop("BP-MACHINE-102", "<launchSecurity type='sev'> without <policy>", "libvirt requires it");
  const switches = SWITCHES.flatMap(([attribute, property, opposite]) => {
    const value = security.attributes[attribute];
    if (value === undefined) return [];
    if (value !== "yes" && value !== "no") throw badDomain(attribute, "yes or no", value);
    return [`${property}=${(value === "yes") === opposite ? "off" : "on"}`];
  });
  const values = VALUES.flatMap(([name, property]) => {
    const value = textOf(security, name)?.trim();
    return value === undefined ? [] : [`${property}=${escape(value)}`];
  });
  return ["-object", [object, `id=${GUEST_ID}`, ...switches, ...values].join(",")];
}

function qemuCommandLine(domain: XmlElement, findings: Findings): string[] {
  const inNamespace = qemuElements(domain);
  const commandLine = inNamespace.find(({ name }) => name.endsWith(":commandline"));
  if (inNamespace.some(({ name }) => name.endsWith(":override")))
    findings.note(
      "BP-MACHINE-103",
      "<qemu:override>",
      "properties of devices are changed; taken for ones not measured",
    );
  const all = commandLine?.children ?? [];
  for (const { attributes } of all.filter(({ name }) => name.endsWith(":env")))
    findings.note(
      "BP-MACHINE-103",
      `<qemu:env name='${attributes["name"] ?? ""}'>`,
      "an environment variable of QEMU's: a patched QEMU may take guest features from it",
    );
  return all.filter(({ name }) => name.endsWith(":arg")).map(({ attributes }) => attributes["value"] ?? "");
}

/** Children of the domain in QEMU's namespace, whatever its prefix. */
function qemuElements(domain: XmlElement): readonly XmlElement[] {
  return domain.children.filter(({ name, attributes }) => {
    const [prefix = "", local] = name.split(":");
    const declaration = `xmlns:${prefix}`;
    return (
      local !== undefined && (attributes[declaration] ?? domain.attributes[declaration]) === QEMU_NAMESPACE
    );
  });
}

/** XML that libvirt would refuse. */
export function badDomain(what: string, expected: string, found: string): MeasureError {
  return new MeasureError("BP-MACHINE-004", `the domain's ${what} is none that we can read`, {
    expected,
    found: found.slice(0, 80),
  });
}
