/**
 * Looks at attestation documents of Nitro Enclaves. What they say is shown as they say it: their signature is not
 * checked here.
 * @module
 */
import { formatHex } from "@bootproof/bytes";
import { knownBootstrap } from "@bootproof/measure/nitro";
import {
  describeConsistency,
  type DocumentConsistency,
  parseAttestationDocument,
  type UntrustedAttestationDocument,
} from "@bootproof/verify/nitro";

import { EXIT } from "../frame/exit-code.ts";
import { documentBytes } from "../kms/document-bytes.ts";
import { formatFields, formatTable } from "../report/table.ts";
import type { Inspector } from "./inspection.ts";

const ZERO = /^0+$/;

/** An attestation document, binary or base64. */
export const inspectDocument: Inspector = (bytes) => {
  const found = documentBytes(bytes);
  if (found === undefined) return undefined;
  const document = parseAttestationDocument(found);
  const shown = describeConsistency(document);
  const registers = [...document.pcrs].map(([index, value]): [string, string] => [
    `PCR${index}`,
    formatHex(value),
  ]);
  const bootstrap = knownBootstrap(formatHex(document.pcrs.get(1) ?? new Uint8Array()));
  const fields: [string, string][] = [
    ["kind", "attestation document of a Nitro Enclave, signature not checked"],
    ["module", document.moduleId],
    ["time", new Date(document.timestamp).toISOString()],
    ["mode", modeOf(shown)],
    ...registers.filter(([, value]) => !ZERO.test(value)),
    [
      "zero",
      registers
        .filter(([, value]) => ZERO.test(value))
        .map(([name]) => name)
        .join(" ") || "none",
    ],
    ...(bootstrap === undefined
      ? []
      : [["PCR1", `a known bootstrap: ${bootstrap.note}`] as [string, string]]),
    ["PCR4", spoken(shown.pcr4IsModule, "is of the module's instance", "is NOT of the module's instance")],
    [
      "certificate",
      spoken(shown.certificateIsModule, "is named after the module", "is NOT named after the module"),
    ],
    [
      "chain",
      shown.chainInOrder
        ? "each certificate names the next as its issuer"
        : "NOT in order: a certificate does not name the next as its issuer",
    ],
    ...optionalFields(document),
  ];
  return {
    kind: "attestation-document",
    text: [formatFields(fields), formatChain(shown)].join("\n"),
    document: {
      ...documentOf(document, shown),
      registers: Object.fromEntries(registers),
      ...(bootstrap && { bootstrap }),
    },
    // A document that contradicts itself is nobody's; one that does not may still be anybody's.
    judged: contradicts(shown) ? EXIT.no : EXIT.yes,
  };
};

const contradicts = (shown: DocumentConsistency): boolean =>
  shown.pcr4IsModule === false || !shown.certificateIsModule || !shown.chainInOrder || shown.partlyZero;

function modeOf({ debug, partlyZero }: DocumentConsistency): string {
  if (partlyZero)
    return "NOT one there is: of PCR0, PCR1 and PCR2 only some are zero, which no enclave reports";
  return debug ? "debug: PCR0 to PCR2 are zero, so it says nothing about an image" : "not debug";
}

function spoken(fits: boolean | undefined, yes: string, no: string): string {
  return fits === undefined ? "cannot be compared with the module" : fits ? yes : no;
}

function optionalFields({ publicKey, userData, nonce }: UntrustedAttestationDocument): [string, string][] {
  const field = (name: string, value: Uint8Array | undefined): [string, string] => [
    name,
    value === undefined ? "none" : `${value.length} bytes ${formatHex(value)}`,
  ];
  return [field("public_key", publicKey), field("user_data", userData), field("nonce", nonce)];
}

function formatChain({ chain }: DocumentConsistency): string {
  const rows = chain.map(({ subject, notBefore, notAfter, coversTimestamp }) => [
    notBefore.toISOString(),
    notAfter.toISOString(),
    coversTimestamp ? "yes" : "no",
    subject,
  ]);
  return formatTable(rows, ["not before", "not after", "covers time", "certificate (not checked)"]);
}

function documentOf(document: UntrustedAttestationDocument, shown: DocumentConsistency): object {
  const { moduleId, timestamp, publicKey, userData, nonce } = document;
  return {
    signatureChecked: false,
    moduleId,
    time: new Date(timestamp).toISOString(),
    debug: shown.debug,
    partlyZero: shown.partlyZero,
    chainInOrder: shown.chainInOrder,
    pcr4IsModule: shown.pcr4IsModule,
    certificateIsModule: shown.certificateIsModule,
    publicKey,
    userData,
    nonce,
    chain: shown.chain,
  };
}
