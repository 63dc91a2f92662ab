/**
 * Looks at what firmware boots: kernels, initrds.
 * @module
 */
import { detectCompression, parseInitrd, parseKernel } from "@bootproof/boot";
import { formatHex, sha256, sha384 } from "@bootproof/bytes";
import { formatFields, formatTable } from "../report/table.ts";
import { type Inspector, textHead } from "./inspection.ts";

const MAX_ENTRIES_SHOWN = 200;

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
  const digests = digestsOf(bytes);
  const { parts, text } = listMembers(bytes);
  return {
    kind: "initrd",
    text: formatFields([["kind", "initrd"], ...digests]) + text,
    document: { ...Object.fromEntries(digests), parts },
  };
};

/** The archives in an initrd and their members, without what is in them; compressed archives stay packed. */
export function listMembers(bytes: Uint8Array): { parts: object[]; text: string } {
  const parts = parseInitrd(bytes).map((part) =>
    part.kind === "compressed"
      ? part
      : {
          ...part,
          entries: part.entries.map(({ data, ...entry }) => ({ ...entry, size: data.length })),
        },
  );
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
  return { parts, text: lines.join("") };
}

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
