/**
 * A manifest of v0 or v1 as Borsh (borsh.io, specification): fields in order, lengths as u32, little-endian.
 * @module
 */
import { ByteWriter, utf8 } from "@bootproof/bytes";
import type { BridgeConfig, QuorumManifest, QuorumMember, QuorumSet } from "./manifest.ts";

/** The bytes whose SHA-256 is the manifest's hash. */
export function encodeManifest(manifest: QuorumManifest): Uint8Array {
  const { version, namespace, pivot, manifestSet, shareSet, enclave, patchSet } = manifest;
  const writer = new ByteWriter();
  writeText(writer, namespace.name);
  writer.u32le(namespace.nonce);
  writeBytes(writer, namespace.quorumKey);
  writer.bytes(pivot.hash).u8(pivot.restart === "Never" ? 0 : 1);
  if (version !== "v0") {
    writer.u32le(pivot.bridgeConfig.length);
    for (const bridge of pivot.bridgeConfig) writeBridge(writer, bridge);
    writer.u8(pivot.debugMode ? 1 : 0);
  }
  writer.u32le(pivot.args.length);
  for (const arg of pivot.args) writeText(writer, arg);
  writeSet(writer, manifestSet);
  writeSet(writer, shareSet);
  for (const pcr of enclave.pcrs) writeBytes(writer, pcr);
  writeBytes(writer, enclave.awsRootCertificate);
  writeText(writer, enclave.qosCommit);
  writer.u32le(patchSet?.threshold ?? 0).u32le(patchSet?.members.length ?? 0);
  for (const key of patchSet?.members ?? []) writeBytes(writer, key);
  return writer.finish();
}

function writeBridge(writer: ByteWriter, bridge: BridgeConfig): void {
  writer.u8(bridge.type === "server" ? 0 : 1).u16le(bridge.port);
  if (bridge.type === "client") writer.u8(bridge.host === undefined ? 0 : 1);
  if (bridge.host !== undefined) writeText(writer, bridge.host);
}

function writeSet(writer: ByteWriter, { threshold, members }: QuorumSet): void {
  writer.u32le(threshold).u32le(members.length);
  for (const member of members) writeMember(writer, member);
}

function writeMember(writer: ByteWriter, { alias, pubKey }: QuorumMember): void {
  writeText(writer, alias);
  writeBytes(writer, pubKey);
}

const writeText = (writer: ByteWriter, text: string): void => writeBytes(writer, utf8(text));

function writeBytes(writer: ByteWriter, bytes: Uint8Array): void {
  writer.u32le(bytes.length).bytes(bytes);
}
