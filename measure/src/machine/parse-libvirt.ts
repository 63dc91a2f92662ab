/**
 * Reads a libvirt domain.
 * @module
 */
import { parseUtf8 } from "@bootproof/bytes";
import { parseXml, type XmlElement } from "@bootproof/bytes/xml";

import { describeMachine } from "./describe-machine.ts";
import type { MachineDescription } from "./description.ts";
import { badDomain, child, libvirtArguments } from "./libvirt-arguments.ts";
import { Findings } from "./notes.ts";
import { readConfiguration } from "./qemu-configuration.ts";
import { exactWords } from "./words.ts";

/**
 * Describes the machine of a libvirt domain, as `virsh dumpxml` prints it or /run/libvirt/qemu holds it. Throws
 * ParseError for text that is no XML, declares a document type or nests too deep, and MeasureError BP-MACHINE-003 and
 * -004 for what is no QEMU domain or has values that are refused.
 */
export function parseLibvirtDomain(input: string | Uint8Array): MachineDescription {
  const text = typeof input === "string" ? input : parseUtf8(input, "XML");
  const domain = domainOf(parseXml(text));
  const findings = new Findings("libvirt");
  const words = exactWords(libvirtArguments(domain, findings));
  const description = describeMachine(readConfiguration(words), findings);
  return child(domain, "os")?.attributes["firmware"] === undefined
    ? description
    : chosenFirmware(description);
}

function domainOf(root: XmlElement): XmlElement {
  const domain = root.name === "domstatus" ? child(root, "domain") : root;
  if (domain?.name !== "domain") throw badDomain("root element", "domain", root.name);
  const { type = "" } = domain.attributes;
  if (type !== "kvm" && type !== "qemu") throw badDomain("type", "kvm", type);
  return domain;
}

/** With <os firmware='efi'> and no <loader> libvirt chooses the firmware from the host's descriptors. */
function chosenFirmware(description: MachineDescription): MachineDescription {
  const missing = description.missing.map((part) =>
    part.what === "firmware"
      ? {
          ...part,
          why: "<os firmware='efi'> lets libvirt choose a firmware that the host has; the XML of the running domain names it",
        }
      : part,
  );
  return { ...description, missing };
}
