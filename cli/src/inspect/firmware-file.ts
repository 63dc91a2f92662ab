/**
 * Looks at firmware: what an OVMF image says of itself, and what each VMM would do with it.
 * @module
 */
import { formatDigest, sha256, sha384 } from "@bootproof/bytes";
import { type FirmwareLint, lintFirmware } from "@bootproof/measure/lint";
import { describeFirmware } from "@bootproof/ovmf";

import { EXIT } from "../frame/exit-code.ts";
import { formatFields, formatTable } from "../report/table.ts";
import type { Inspection, Inspector } from "./inspection.ts";
import { formatFindings, formatLaunches, formatSections } from "./lint-text.ts";

const TABLE_FOOTER = [
  0xde, 0x82, 0xb5, 0x96, 0xb2, 0x1f, 0xf7, 0x45, 0xba, 0xea, 0xa3, 0x66, 0xc5, 0x5a, 0x08, 0x2d,
];

const hex = (value: number | undefined): string => (value === undefined ? "none" : `0x${value.toString(16)}`);

/** An OVMF image, known by the GUID of its table's footer, 48 bytes before its end. */
export const inspectFirmware: Inspector = (bytes) => {
  const at = bytes.length - 48;
  if (at < 0 || !TABLE_FOOTER.every((byte, index) => bytes[at + index] === byte)) return undefined;
  const lint = lintFirmware(bytes);
  // A table that cannot be read leaves nothing to describe; the findings say why.
  if (lint.findings.some(({ code }) => UNDESCRIBED.has(code))) return inspectUnreadable(bytes, lint);
  const firmware = describeFirmware(bytes);
  const fields: [string, string][] = [
    ["kind", "OVMF firmware"],
    ["size", String(firmware.size)],
    ["sha256", firmware.sha256],
    ["sha384", firmware.sha384],
    ["guest address", hex(firmware.guestAddress)],
    ["AP reset address", hex(firmware.resetAddress)],
    ["kernel hashes table", hex(firmware.hashTable?.guestAddress)],
    ["TDX metadata at", hex(firmware.tdxMetadataOffset)],
  ];
  const entries = firmware.table.entries.map(({ guid, name, offset }) => [hex(offset), guid, name ?? ""]);
  const volumes = firmware.volumes.map(({ offset, length, files }) => [
    hex(offset),
    hex(length),
    `${String(files.length)} files`,
  ]);
  const text = [
    formatFields(fields),
    entries.length === 0 ? "" : formatTable(entries, ["offset", "guid", "table entry"]),
    formatSections(lint.sections),
    volumes.length === 0 ? "" : formatTable(volumes, ["offset", "length", "volume"]),
    formatFindings(lint.findings),
    formatLaunches(lint),
  ];
  return inspection(text, { ...firmware, lint }, lint);
};

const UNDESCRIBED: ReadonlySet<string> = new Set(["BP-LINT-003", "BP-LINT-004"]);

/** Bytes that are meant to be firmware and have no GUIDed table that can be read. */
export function inspectUnreadable(bytes: Uint8Array, lint: FirmwareLint = lintFirmware(bytes)): Inspection {
  const described = {
    size: bytes.length,
    sha256: formatDigest(sha256(bytes)),
    sha384: formatDigest(sha384(bytes)),
  };
  const fields: [string, string][] = [
    ["kind", "firmware without a GUIDed table that can be read"],
    ["size", String(described.size)],
    ["sha256", described.sha256],
    ["sha384", described.sha384],
  ];
  const text = [formatFields(fields), formatFindings(lint.findings), formatLaunches(lint)];
  return inspection(text, { ...described, lint }, lint);
}

function inspection(parts: readonly string[], document: object, lint: FirmwareLint): Inspection {
  return {
    kind: "ovmf",
    text: parts.filter((part) => part !== "").join("\n"),
    document,
    judged: lint.launches.qemu.snp.answer === "no" ? EXIT.no : EXIT.yes,
  };
}
