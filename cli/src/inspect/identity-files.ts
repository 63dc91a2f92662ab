/**
 * Looks at ID blocks and ID auths. Neither has a magic number: they are known by length and by fields that have one
 * value in every one that firmware accepts.
 * @module
 */
import { ID_AUTH_SIZE, ID_BLOCK_SIZE, ID_BLOCK_VERSION } from "@bootproof/measure/identity";

import { structureBytes } from "../identity/read-structure.ts";
import { type DecodedStructure, describeIdAuth, describeIdBlock } from "../identity/structure-fields.ts";
import { formatFields } from "../report/table.ts";
import type { Inspection, Inspector } from "./inspection.ts";

/** Base64 of an ID auth with line breaks. */
const MAX_TEXT = 6144;
const [VERSION_AT, POLICY_AT, CURVE_AT] = [0x50, 0x58, 0x240];
/** Bit 17 of a guest policy is 1, bits 26 and up are 0. */
const [POLICY_ONE, POLICY_ZERO] = [1 << 17, ~0x3ff_ffff];
const ECDSA_P384 = 1;
const P384 = 2;

/** An ID block: 96 bytes, binary or base64. */
export const inspectIdBlock: Inspector = (bytes) => {
  const block = structureOf(bytes, ID_BLOCK_SIZE);
  if (block === undefined) return undefined;
  const [version, low, high] = [VERSION_AT, POLICY_AT, POLICY_AT + 4].map((at) => u32(block, at));
  const policy = low ?? 0;
  const plausible = (policy & POLICY_ONE) !== 0 && (policy & POLICY_ZERO) === 0 && high === 0;
  return version === ID_BLOCK_VERSION && plausible ? inspectAnyIdBlock(block) : undefined;
};

/** An ID auth: 4096 bytes, binary or base64. */
export const inspectIdAuth: Inspector = (bytes) => {
  const auth = structureOf(bytes, ID_AUTH_SIZE);
  if (auth === undefined || u32(auth, 0) !== ECDSA_P384 || u32(auth, CURVE_AT) !== P384) return undefined;
  return inspectAnyIdAuth(auth);
};

/** Bytes that are said to be an ID block; throws ParseError when they are not 96. */
export const inspectAnyIdBlock = (bytes: Uint8Array): Inspection =>
  shown("id-block", "ID block", describeIdBlock(structureBytes(bytes)));

/** Bytes that are said to be an ID auth; throws ParseError when they are not 4096. */
export const inspectAnyIdAuth = (bytes: Uint8Array): Inspection =>
  shown("id-auth", "ID auth", describeIdAuth(structureBytes(bytes)));

function structureOf(bytes: Uint8Array, size: number): Uint8Array | undefined {
  if (bytes.length !== size && bytes.length > MAX_TEXT) return undefined;
  const structure = structureBytes(bytes);
  return structure.length === size ? structure : undefined;
}

function u32(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(at, true);
}

function shown(kind: string, name: string, { fields, document }: DecodedStructure): Inspection {
  const rest = fields.filter(([field]) => field !== "kind");
  return { kind, text: formatFields([["kind", name], ...rest]), document };
}
