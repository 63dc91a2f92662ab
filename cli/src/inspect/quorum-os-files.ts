/**
 * Looks at QuorumOS manifests, envelopes, and boot proofs that hold them beside an attestation document. What is
 * checked and what is not stand apart.
 * @module
 */
import { formatHex, type JsonValue, ParseError, parseBase64, parseStrictJson } from "@bootproof/bytes";
import {
  checkApprovals,
  checkDocument,
  manifestHash,
  parseQuorumFile,
  type QuorumCheck,
  type QuorumFile,
  type QuorumManifest,
} from "@bootproof/statement/quorum-os";
import { parseAttestationDocument } from "@bootproof/verify/nitro";

import { EXIT } from "../frame/exit-code.ts";
import { oneLine } from "../report/printable.ts";
import { formatFields, formatTable } from "../report/table.ts";
import { type Inspection, type Inspector, textHead } from "./inspection.ts";

const MAX_PROOF = 2 ** 21;

/** A manifest or an envelope, in Borsh or JSON. */
export const inspectManifest: Inspector = (bytes) => {
  // Borsh has no mark: what does not fit to the last byte is something else.
  const json = bytes[0] === 0x7b;
  if (json && !textHead(bytes, 65_536).includes('"namespace"')) return undefined;
  if (json) return inspectAnyManifest(bytes);
  const name = bytes.length < 4 ? 0 : new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  if (name === 0 || name > 256 || bytes.length > MAX_PROOF) return undefined;
  try {
    return inspectAnyManifest(bytes);
  } catch (error) {
    if (error instanceof ParseError) return undefined;
    throw error;
  }
};

/** Bytes that are said to be a manifest; throws ParseError when they are none. */
export const inspectAnyManifest = (bytes: Uint8Array): Inspection =>
  inspectParsed(
    parseQuorumFile(bytes),
    [],
    ["whether any enclave runs it (give --against an attestation document or an EIF)"],
  );

/** A manifest with its approvals, and what else was and was not checked. */
export function inspectParsed(
  file: QuorumFile,
  others: readonly QuorumCheck[],
  unchecked: readonly string[],
): Inspection {
  const approvals = file.envelope === undefined ? [] : checkApprovals(file.envelope);
  return shown(file, `QuorumOS ${file.kind}`, [...others, ...approvals], [...unchecked, ...NEVER_CHECKED]);
}

const NEVER_CHECKED = ["whose keys the members' are", "what the program is whose hash it names"];

/** What operators such as Turnkey hand out: a document, a manifest, and the envelope with approvals, in JSON. */
export const inspectBootProof: Inspector = (bytes) => {
  if (!textHead(bytes, 65_536).includes('"awsAttestationDocB64"')) return undefined;
  const value = parseStrictJson(bytes, "boot proof", MAX_PROOF);
  const outer = record(value);
  const proof = "bootProof" in outer ? record(outer["bootProof"] ?? null) : outer;
  const document = parseAttestationDocument(field(proof, "awsAttestationDocB64"));
  const file = parseQuorumFile(field(proof, "qosManifestB64"));
  const envelopeBytes =
    proof["qosManifestEnvelopeB64"] === undefined ? undefined : field(proof, "qosManifestEnvelopeB64");
  const checks = checkDocument(file.manifest, document);
  if (envelopeBytes !== undefined) checks.push(...checkEnvelope(file.manifest, envelopeBytes));
  const key = proof["ephemeralPublicKeyHex"];
  if (typeof key === "string") {
    const same = document.publicKey !== undefined && key.toLowerCase() === formatHex(document.publicKey);
    checks.push({
      name: "ephemeral key",
      answer: same ? "yes" : "no",
      reason: same ? "is the document's public_key" : "is another than the document's public_key",
      ...(!same && { code: "BP-QOS-004" }),
    });
  }
  const unchecked = ["the document's signature and certificates", ...NEVER_CHECKED];
  return shown(file, "boot proof of QuorumOS", checks, unchecked);
};

function checkEnvelope(manifest: QuorumManifest, bytes: Uint8Array): QuorumCheck[] {
  const { envelope } = parseQuorumFile(bytes);
  if (envelope === undefined)
    throw new ParseError("MISSING", "qosManifestEnvelopeB64", { expected: "approvals" });
  const same = formatHex(manifestHash(envelope.manifest)) === formatHex(manifestHash(manifest));
  const envelopeCheck: QuorumCheck = same
    ? { name: "envelope", answer: "yes", reason: "is around the same manifest" }
    : { name: "envelope", answer: "no", reason: "is around another manifest", code: "BP-QOS-001" };
  return [envelopeCheck, ...checkApprovals(envelope)];
}

function shown(
  file: QuorumFile,
  kind: string,
  checks: readonly QuorumCheck[],
  unchecked: readonly string[],
): Inspection {
  const rows = checks.map(({ answer, name, reason, code }) => [
    answer,
    oneLine(name),
    `${oneLine(reason, 1000)}${code === undefined ? "" : ` (${code})`}`,
  ]);
  const text = [
    formatFields([
      ["kind", `${kind} (${file.manifest.version}, ${file.form})`],
      ...manifestFields(file.manifest),
    ]),
    checks.length === 0 ? "" : formatTable(rows, ["answer", "checked", "reason"]),
    unchecked.map((what) => `not checked: ${what}\n`).join(""),
  ];
  const failed = checks.some(({ answer }) => answer === "no");
  return {
    kind: "quorum-os",
    text: text.filter((part) => part !== "").join("\n"),
    document: { manifestHash: manifestHash(file.manifest), ...file, checks, unchecked },
    judged: failed ? EXIT.no : EXIT.yes,
  };
}

/** What a manifest says, in lines. */
function manifestFields(manifest: QuorumManifest): [string, string][] {
  const { namespace, pivot, manifestSet, shareSet, enclave } = manifest;
  const set = ({ threshold, members }: QuorumManifest["manifestSet"]): string =>
    `${threshold} of ${members.length}: ${members.map(({ alias }) => alias).join(", ")}`;
  return [
    ["manifest hash", formatHex(manifestHash(manifest))],
    ["namespace", `${oneLine(namespace.name)}, nonce ${namespace.nonce}`],
    [
      "program",
      `sha256 ${formatHex(pivot.hash)}, restart ${pivot.restart}${pivot.debugMode ? ", DEBUG MODE" : ""}`,
    ],
    ["arguments", oneLine(pivot.args.join(" ")) || "none"],
    ["manifest set", oneLine(set(manifestSet))],
    ["share set", oneLine(set(shareSet))],
    ...enclave.pcrs.map((pcr, index): [string, string] => [`PCR${index}`, formatHex(pcr)]),
    ["QOS commit", oneLine(enclave.qosCommit) || "none"],
  ];
}

function record(value: JsonValue): Readonly<Record<string, JsonValue>> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new ParseError("BAD_ENCODING", "boot proof", { expected: "an object" });
  return value as Readonly<Record<string, JsonValue>>;
}

function field(proof: Readonly<Record<string, JsonValue>>, name: string): Uint8Array {
  const value = proof[name];
  if (typeof value !== "string")
    throw new ParseError("MISSING", `boot proof ${name}`, { expected: "base64" });
  return parseBase64(value, name);
}
