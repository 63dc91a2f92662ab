/**
 * The PCRs that an enclave reported: as words, as JSON of a tool, or in an attestation document.
 * @module
 */
import { formatHex, ParseError, parseBase64 } from "@bootproof/bytes";
import { parseObservedPcrs } from "@bootproof/measure/nitro";
import { looksLikeAttestationDocument, parseAttestationDocument } from "@bootproof/verify/nitro";

import { reading } from "../errors/reading.ts";
import { readInput } from "../frame/files.ts";

/** Observed values by register in lower-case hex. */
export interface ObservedPcrs {
  readonly registers: Readonly<Record<string, string>>;
  readonly notes: readonly string[];
}

const MAX_FILE = 2 ** 21;

/** Reads `PCR0=...` words, or a file with them, with JSON of nitro-cli, or with an attestation document. */
export async function readObservedPcrs(text: string): Promise<ObservedPcrs> {
  if (/^PCR[0-9]+[=:]/i.test(text)) return { registers: parseObservedPcrs(text), notes: [] };
  const bytes = await readInput(text, MAX_FILE);
  const document = documentIn(bytes);
  if (document === undefined)
    return { registers: parseObservedPcrs(Buffer.from(bytes).toString()), notes: [] };
  const { pcrs, moduleId } = reading(text, () => parseAttestationDocument(document));
  // Registers that stay zero in every enclave say nothing, and a document has all of them.
  const told = [...pcrs].filter(([index, value]) => index <= 4 || value.some((byte) => byte !== 0));
  return {
    registers: Object.fromEntries(told.map(([index, value]) => [`PCR${index}`, formatHex(value)])),
    notes: [`what the document of ${moduleId} says is self-reported: its signature was not checked`],
  };
}

/** The document's bytes, also from base64. */
function documentIn(bytes: Uint8Array): Uint8Array | undefined {
  if (looksLikeAttestationDocument(bytes)) return bytes;
  try {
    const text = Buffer.from(bytes).toString("latin1").replaceAll(/\s/g, "");
    const decoded = parseBase64(text, "attestation document");
    return looksLikeAttestationDocument(decoded) ? decoded : undefined;
  } catch (error) {
    if (error instanceof ParseError) return undefined;
    throw error;
  }
}
