/**
 * Looks at what machines boot: firmware, kernels, initrds.
 * @module
 */
import { detectCompression, parseInitrd, parseKernel } from "@bootproof/boot";
import { formatHex, sha256, sha384 } from "@bootproof/bytes";
import { describeFirmware } from "@bootproof/ovmf";
import { formatFields, formatTable } from "../report/table.ts";
import { type Inspector, textHead } from "./inspection.ts";

const TABLE_FOOTER = [
  0xde, 0x82, 0xb5, 0x96, 0xb2, 0x1f, 0xf7, 0x45, 0xba, 0xea, 0xa3, 0x66, 0xc5, 0x5a, 0x08, 0x2d,
];
const MAX_ENTRIES_SHOWN = 200;

/** An OVMF image, known by the GUID of its table's footer, 48 bytes before its end. */
export const inspectFirmware: Inspector = (bytes) => {
  const at = bytes.length - 48;
  if (at < 0 || !TABLE_FOOTER.every((byte, index) => bytes[at + index] === byte)) return undefined;
  const firmware = describeFirmware(bytes);
  const hex = (value: number | undefined): string =>
    value === undefined ? "none" : `0x${value.toString(16)}`;
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
  const sections = (firmware.sevMetadata?.sections ?? []).map(({ name, type, guestAddress, size }) => [
    hex(guestAddress),
    hex(size),
    name ?? `type ${hex(type)}`,
  ]);
  const volumes = firmware.volumes.map(({ offset, length, files }) => [
    hex(offset),
    hex(length),
    `${String(files.length)} files`,
  ]);
  const problems = firmware.problems.map((problem) => `problem: ${problem}\n`).join("");
  const text = [
    formatFields(fields),
    formatTable(entries, ["offset", "guid", "table entry"]),
    formatTable(sections, ["guest address", "size", "SEV section"]),
    formatTable(volumes, ["offset", "length", "volume"]),
    problems,
  ];
  return { kind: "ovmf", text: text.filter((part) => part !== "").join("\n"), document: firmware };
};

/** A Linux kernel image. */
export const inspectKernel: Inspector = (bytes) => {
  const header = parseKernel(bytes);
  if (header === undefined) return undefined;
  const fields: [string, string][] = Object.entries(header).flatMap(([name, value]: [string, unknown]) =>
    value === undefined ? [] : [[name, shown(value)]],
  );
  const digests = digestsOf(bytes);
  return {
    kind: "kernel",
    text: formatFields([["kind", "Linux kernel (self-reported fields)"], ...digests, ...fields]),
    document: { ...Object.fromEntries(digests), header },
  };
};

/** An initrd: cpio archives, perhaps compressed. */
export const inspectInitrd: Inspector = (bytes) => {
  const head = textHead(bytes, 6);
  const compressed = detectCompression(bytes);
  if (head !== "070701" && head !== "070702" && compressed === undefined) return undefined;
  const parts = parseInitrd(bytes).map((part) =>
    part.kind === "compressed"
      ? part
      : {
          ...part,
          entries: part.entries.map(({ data, ...entry }) => ({ ...entry, size: data.length })),
        },
  );
  const digests = digestsOf(bytes);
  const lines = parts.map((part) => {
    if (part.kind === "compressed") return `part at ${part.offset}: ${part.format}, ${part.length} bytes\n`;
    const rows = part.entries
      .slice(0, MAX_ENTRIES_SHOWN)
      .map(({ mode, uid, gid, mtime, size, name, unsafe }) => [
        mode.toString(8).padStart(6, "0"),
        `${uid}:${gid}`,
        String(mtime),
        String(size),
        `${name}${unsafe === undefined ? "" : ` (UNSAFE: ${unsafe})`}`,
      ]);
    const more =
      part.entries.length > MAX_ENTRIES_SHOWN ? `... ${part.entries.length - MAX_ENTRIES_SHOWN} more\n` : "";
    const title = `part at ${part.offset}: cpio, ${part.length} bytes, ${part.entries.length} entries\n`;
    return title + formatTable(rows, ["mode", "owner", "mtime", "size", "name"]) + more;
  });
  return {
    kind: "initrd",
    text: formatFields([["kind", "initrd"], ...digests]) + lines.join(""),
    document: { ...Object.fromEntries(digests), parts },
  };
};

function digestsOf(bytes: Uint8Array): [string, string][] {
  return [
    ["size", String(bytes.length)],
    ["sha256", formatHex(sha256(bytes))],
    ["sha384", formatHex(sha384(bytes))],
  ];
}

function shown(value: unknown): string {
  if (typeof value === "bigint") return `0x${value.toString(16)}`;
  if (Array.isArray(value)) return value.join(" ");
  return String(value);
}
