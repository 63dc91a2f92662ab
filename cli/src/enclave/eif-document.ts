/**
 * An EIF for programs.
 * @module
 */
import type { UntrustedEifSection } from "@bootproof/boot/eif";
import { formatBase64, formatHex, ParseError, parseUtf8 } from "@bootproof/bytes";
import { knownBootstrap } from "@bootproof/measure/nitro";

import { metadataDocument } from "./eif-metadata.ts";
import type { ReadingShown } from "./eif-readings.ts";
import { signatureDocument } from "./eif-signature.ts";
import { architectureOf, hex32 } from "./eif-text.ts";
import type { ShownEif } from "./inspect-eif.ts";

/** The document of `inspect --json`, without schema and file. */
export function eifDocument({
  size,
  reading,
  readings,
  kernel,
  signature,
  members,
  verdict,
}: ShownEif): object {
  const { header, cmdline, findings } = reading;
  const metadata = metadataDocument(reading);
  return {
    size,
    oneReading: readings.length === 1,
    verdict: verdict.words,
    ...(header && {
      header: {
        version: header.version,
        flags: header.flags,
        architecture: architectureOf(header),
        defaultMemory: header.defaultMemory,
        defaultCpus: header.defaultCpus,
        sectionCount: header.sectionCount,
        crc32: hex32(header.crc32),
      },
    }),
    readings: readings.map(readingDocument),
    ...(kernel && { kernel: kernel.text }),
    ...(cmdline && { cmdline: textDocument(cmdline) }),
    ...(metadata && { metadata }),
    ...(signature && { signature: signatureDocument(signature) }),
    findings,
    ...(members && {
      members: members.map(({ ramdisk, offset, parts, problem }) => ({ ramdisk, offset, parts, problem })),
    }),
  };
}

function readingDocument({ reading, sections, sha384, crc32, registers }: ReadingShown): object {
  const bootstrap = registers && knownBootstrap(registers["PCR1"] ?? "");
  return {
    reading,
    sections: sections.map((section, index) => sectionDocument(section, sha384?.[index])),
    ...(crc32 !== undefined && { crc32: hex32(crc32) }),
    ...(registers && { registers }),
    ...(bootstrap && { bootstrap }),
  };
}

function sectionDocument({ type, ...section }: UntrustedEifSection, sha384: Uint8Array | undefined): object {
  return { ...(type && { type }), ...section, ...(sha384 && { sha384: formatHex(sha384) }) };
}

/** Exact bytes, and as text when they are that. */
function textDocument(bytes: Uint8Array): object {
  const base64 = formatBase64(bytes);
  try {
    return { text: parseUtf8(bytes, "command line"), base64 };
  } catch (error) {
    if (error instanceof ParseError) return { base64 };
    throw error;
  }
}
