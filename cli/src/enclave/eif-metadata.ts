/**
 * The metadata of an EIF as it is shown: what whoever built the file wrote, which no register sees.
 * @module
 */
import type { EifReading } from "@bootproof/boot/eif";
import { formatBase64, formatHex, type JsonValue, sha384 } from "@bootproof/bytes";

import { oneLine } from "../report/printable.ts";
import { formatFields } from "../report/table.ts";

type Metadata = Pick<EifReading, "metadata" | "parsedMetadata">;

const TITLE = "metadata (not attested: no register sees it)\n";

/** Metadata as lines. */
export function formatMetadata({ metadata, parsedMetadata: parsed }: Metadata): string {
  if (metadata === undefined) return "";
  if (parsed === undefined) return `${TITLE}  ${metadata.length} bytes that AWS's reader refuses\n`;
  const rows: [string, string][] = [
    ["name", parsed.name],
    ["version", parsed.version],
    ["build time", parsed.buildTime],
    ["build tool", `${parsed.buildTool} ${parsed.buildToolVersion}`],
    ["operating system", parsed.operatingSystem],
    ["kernel version", parsed.kernelVersion],
    ["Docker", jsonText(parsed.dockerInfo)],
    ["custom", jsonText(parsed.custom)],
  ];
  const filled = rows.filter(([, text]) => text !== "");
  return TITLE + formatFields(filled.map(([name, text]) => [`  ${name}`, oneLine(text)]));
}

const jsonText = (value: JsonValue): string => (value === null ? "" : JSON.stringify(value));

/** Metadata for programs: its fields, or the bytes when they are none. */
export function metadataDocument({ metadata, parsedMetadata: parsed }: Metadata): object | undefined {
  if (metadata === undefined) return undefined;
  const content = parsed ?? { base64: formatBase64(metadata) };
  return { attested: false, size: metadata.length, sha384: formatHex(sha384(metadata)), ...content };
}
