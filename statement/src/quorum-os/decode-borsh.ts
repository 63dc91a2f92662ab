/**
 * Reads manifests and their envelopes from Borsh, strictly: known enum values, true and false as 1 and 0, no byte
 * behind the last field, so that the bytes are those that would be written again.
 * @module
 */
import { ByteReader, ParseError, parseUtf8 } from "@bootproof/bytes";
import type {
  BridgeConfig,
  PivotConfig,
  QuorumApproval,
  QuorumEnvelope,
  QuorumManifest,
  QuorumMember,
  QuorumSet,
} from "./manifest.ts";

/** Reads a manifest and no byte more; throws {@link ParseError}. */
export function decodeManifest(bytes: Uint8Array, version: "v0" | "v1"): QuorumManifest {
  const reader = new ByteReader(bytes);
  const manifest = readManifest(reader, version);
  reader.end("manifest");
  return manifest;
}

/** Reads an envelope and no byte more; throws {@link ParseError}. */
export function decodeEnvelope(bytes: Uint8Array, version: "v0" | "v1"): QuorumEnvelope {
  const reader = new ByteReader(bytes);
  const manifest = readManifest(reader, version);
  const manifestSetApprovals = readList(reader, "manifest set approvals", readApproval);
  const shareSetApprovals = readList(reader, "share set approvals", readApproval);
  reader.end("manifest envelope");
  return { manifest, manifestSetApprovals, shareSetApprovals };
}

function readManifest(reader: ByteReader, version: "v0" | "v1"): QuorumManifest {
  const namespace = {
    name: readText(reader, "namespace name"),
    nonce: reader.u32le("namespace nonce"),
    quorumKey: readBytes(reader, "quorum key"),
  };
  const pivot = readPivot(reader, version);
  const manifestSet = readSet(reader, "manifest set");
  const shareSet = readSet(reader, "share set");
  const enclave = {
    pcrs: [0, 1, 2, 3].map((pcr) => readBytes(reader, `PCR${pcr}`)),
    awsRootCertificate: readBytes(reader, "AWS root certificate"),
    qosCommit: readText(reader, "QOS commit"),
  };
  const patchSet = {
    threshold: reader.u32le("patch set threshold"),
    members: readList(reader, "patch set", (one) => readBytes(one, "patch set member")),
  };
  return { version, namespace, pivot, manifestSet, shareSet, enclave, patchSet, dns: undefined };
}

function readPivot(reader: ByteReader, version: "v0" | "v1"): PivotConfig {
  const hash = reader.bytes(32, "pivot hash");
  const restart = readVariant(reader, "restart policy", ["Never", "Always"] as const);
  const bridgeConfig = version === "v0" ? [] : readList(reader, "bridge config", readBridge);
  const debugMode = version === "v0" ? false : readVariant(reader, "debug mode", [false, true] as const);
  const args = readList(reader, "pivot args", (one) => readText(one, "pivot argument"));
  return { hash, restart, bridgeConfig, debugMode, args, env: [] };
}

function readBridge(reader: ByteReader): BridgeConfig {
  const type = readVariant(reader, "bridge type", ["server", "client"] as const);
  const port = reader.u16le("bridge port");
  if (type === "server") return { type, port, host: readText(reader, "bridge host") };
  const present = readVariant(reader, "bridge host", [false, true] as const);
  return { type, port, host: present ? readText(reader, "bridge host") : undefined };
}

function readSet(reader: ByteReader, field: string): QuorumSet {
  const threshold = reader.u32le(`${field} threshold`);
  return { threshold, members: readList(reader, field, readMember) };
}

const readMember = (reader: ByteReader): QuorumMember => ({
  alias: readText(reader, "member alias"),
  pubKey: readBytes(reader, "member key"),
});

const readApproval = (reader: ByteReader): QuorumApproval => ({
  signature: readBytes(reader, "approval signature"),
  member: readMember(reader),
});

function readVariant<T>(reader: ByteReader, field: string, variants: readonly [T, T]): T {
  const offset = reader.offset;
  const value = reader.u8(field);
  if (value > 1)
    throw new ParseError("OUT_OF_RANGE", field, { offset, expected: "0 or 1", found: `${value}` });
  return value === 0 ? variants[0] : variants[1];
}

/** Sets have a dozen members, programs a few arguments; each signature that is checked takes a millisecond. */
const MAX_ITEMS = 1000;

/** Every item takes four bytes at least, so a count that the rest has no room for ends here. */
function readList<T>(reader: ByteReader, field: string, item: (reader: ByteReader) => T): T[] {
  const offset = reader.offset;
  const count = reader.u32le(field);
  if (count > reader.remaining)
    throw new ParseError("TRUNCATED", field, {
      offset,
      expected: `${count} items`,
      found: `${reader.remaining} bytes`,
    });
  if (count > MAX_ITEMS)
    throw new ParseError("TOO_LARGE", field, {
      offset,
      expected: `at most ${MAX_ITEMS} items`,
      found: `${count}`,
    });
  return Array.from({ length: count }, () => item(reader));
}

const readBytes = (reader: ByteReader, field: string): Uint8Array => reader.bytes(reader.u32le(field), field);

const readText = (reader: ByteReader, field: string): string => parseUtf8(readBytes(reader, field), field);
