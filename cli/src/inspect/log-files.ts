/**
 * Looks at what logs hand out: bundles, checkpoints, envelopes. Nothing is verified here, and the output says so.
 * @module
 */
import { formatHex } from "@bootproof/bytes";
import { leafHash, parseCheckpoint, parseNote, parseTlogProof } from "@bootproof/log";
import { MeasureError } from "@bootproof/measure";
import {
  LOG_CONTINUATION_TYPE,
  readLogContinuation,
  type PlatformMeasurements,
  type Statement,
} from "@bootproof/statement";
import { claimedSigners, readEntry, shapeValues, type UntrustedStatement } from "@bootproof/verify";

import { formatFields, formatTable } from "../report/table.ts";
import { type Inspector, startsWith, textHead } from "./inspection.ts";

/** A tlog-proof bundle. */
export const inspectBundle: Inspector = (bytes) => {
  if (!startsWith(bytes, "c2sp.org/tlog-proof@")) return undefined;
  const proof = parseTlogProof(bytes);
  const note = parseNote(proof.checkpoint);
  const checkpoint = parseCheckpoint(note.unverifiedText);
  const leaf = proof.extra === undefined ? undefined : describeLeaf(proof.extra);
  const hash =
    proof.extra === undefined ? "none: the bundle carries no leaf" : formatHex(leafHash(proof.extra));
  const signatures = note.signatures.map(({ name, keyId }) => `${name}+${keyId}`);
  const fields: [string, string][] = [
    ["kind", "tlog-proof bundle"],
    ["log", checkpoint.origin],
    ["index", `${proof.index} of ${checkpoint.size}`],
    ["leaf hash", hash],
    ["checkpoint signed as", signatures.join(", ")],
  ];
  return {
    kind: "tlog-proof",
    text: formatFields(fields) + (leaf?.text ?? ""),
    document: {
      origin: checkpoint.origin,
      index: Number(proof.index),
      size: Number(checkpoint.size),
      root: formatHex(checkpoint.root),
      leafHash: hash,
      signatures,
      leaf: leaf?.document,
    },
  };
};

/** A signed checkpoint. */
export const inspectCheckpoint: Inspector = (bytes) => {
  const head = textHead(bytes);
  if (
    !/^[^\n]+\n(0|[1-9][0-9]*)\n[A-Za-z0-9+/]{43}=\n/.test(head) ||
    !head.includes("\n\n\u00e2\u0080\u0094 ")
  )
    return undefined;
  const note = parseNote(bytes);
  const { origin, size, root, extensions } = parseCheckpoint(note.unverifiedText);
  const signatures = note.signatures.map(({ name, keyId }) => `${name}+${keyId}`);
  const fields: [string, string][] = [
    ["kind", "checkpoint"],
    ["origin", origin],
    ["size", String(size)],
    ["root", formatHex(root)],
    ...extensions.map((line): [string, string] => ["extension", line]),
    ["signed as", signatures.join(", ")],
  ];
  const document = { origin, size: Number(size), root: formatHex(root), extensions, signatures };
  return { kind: "checkpoint", text: formatFields(fields), document };
};

/** A DSSE envelope. */
export const inspectEnvelope: Inspector = (bytes) => {
  const head = textHead(bytes, 65_536);
  if (!head.trimStart().startsWith("{") || !head.includes('"payloadType"')) return undefined;
  const { text, document } = describeLeaf(bytes);
  return { kind: "envelope", text: formatFields([["kind", "DSSE envelope"]]) + text, document };
};

function describeLeaf(bytes: Uint8Array): { text: string; document: object } {
  const entry = readEntry(bytes);
  const { subject, predicateType, predicate } = entry.statement;
  const fields: [string, string][] = [
    ["statement", predicateType],
    ["signed as", claimedSigners(entry).join(", ")],
    ...describePredicate(entry),
  ];
  const subjects = subject.map(({ name, digest }) => [
    name,
    digest["sha256"] ?? Object.values(digest)[0] ?? "",
  ]);
  return {
    text: formatFields(fields) + formatTable(subjects, ["subject", "sha256"]),
    document: { signers: claimedSigners(entry), statement: { subject, predicateType, predicate } },
  };
}

function describePredicate(entry: UntrustedStatement): [string, string][] {
  if (entry.kind === "rebuild") {
    const { verdict, of, reason } = entry.statement.predicate;
    return [
      ["verdict", verdict],
      ["of", `${of.origin} index ${of.index}`],
      ...(reason === undefined ? [] : ([["reason", reason]] as [string, string][])),
    ];
  }
  if (entry.statement.predicateType === LOG_CONTINUATION_TYPE) return describeContinuation(entry.statement);
  if (entry.kind !== "boot-measurement") return [];
  const { release, build, measurements } = entry.statement.predicate;
  return [
    ["release", `${release.name} ${release.version}`],
    ["recipe", build.recipe.sha256],
    ["lock", build.lock.sha256],
    ["provenance", build.provenance.sha256],
    ...build.actions.map(({ name, action }): [string, string] => [`action of ${name}`, action.sha256]),
    ...measurements.flatMap(registerFields),
  ];
}

function describeContinuation(statement: UntrustedStatement["statement"]): [string, string][] {
  const { origin, size, root, keys, checkpoint } = readLogContinuation(statement as Statement).predicate;
  const { signatures } = parseNote(new TextEncoder().encode(checkpoint));
  return [
    ["continues", origin],
    ["at size", String(size)],
    ["root", root],
    ...keys.map((key): [string, string] => ["its key", key]),
    ["checkpoint signed as", signatures.map(({ name, keyId }) => `${name}+${keyId}`).join(", ")],
  ];
}

/** The registers of an entry; or why they cannot be derived, which makes the rest no less worth showing. */
function registerFields(entry: PlatformMeasurements): [string, string][] {
  try {
    return shapeValues(entry).map(({ platform, shape, register, value }) => [
      `${platform} ${shape} ${register}`,
      value,
    ]);
  } catch (error) {
    if (!(error instanceof MeasureError)) throw error;
    const found = error.found === undefined ? "" : ` (${error.found})`;
    return [[`${entry.platform} registers`, `cannot be derived here: ${error.message}${found}`]];
  }
}
