/**
 * The keys that a log or a witness signs with, as their files remember them: where the private half is, and the public
 * half that it must have.
 * @module
 */
import { ParseError, parseVkey, type JsonValue } from "@bootproof/bytes";
import type { Signer } from "@bootproof/bytes/signing";

import { readList, readObject, readText } from "../frame/strict-fields.ts";
import type { KeyUse } from "../signing/key-use.ts";
import { openSpec, type SignerSurroundings } from "../signing/open-signer.ts";
import { otherKey } from "../signing/signer-failure.ts";
import { parseSignerSpec } from "../signing/signer-spec.ts";

/** Two during a rotation, and one more after quantum computers; signature lines are bounded. */
const MAX_KEYS = 8;
const MAX_TEXT = 4096;

/** A key that signs. */
export interface PlaceKey {
  /** Where its private half is: a signer spec. */
  readonly signer: string;
  readonly vkey: string;
}

/** Reads the list: keys of one name, none twice; throws {@link ParseError}. */
export function readKeyList(value: JsonValue | undefined, field: string): readonly PlaceKey[] {
  const keys = readList(value, field, { min: 1, max: MAX_KEYS }).map((key, at) =>
    readKey(key, `${field} ${at}`),
  );
  const parsed = keys.map(({ vkey }) => parseVkey(vkey));
  if (new Set(parsed.map(({ name }) => name)).size !== 1)
    throw new ParseError("NOT_CANONICAL", field, { expected: "keys of one name" });
  if (new Set(parsed.map(({ keyId }) => keyId)).size !== parsed.length)
    throw new ParseError("DUPLICATE", field);
  return keys;
}

/** The list as JSON. */
export const formatKeyList = (keys: readonly PlaceKey[]): JsonValue[] =>
  keys.map(({ signer, vkey }) => ({ signer, vkey }));

/** Opens a key, which must be the one that is remembered. */
export async function openKey(
  { signer: text, vkey }: PlaceKey,
  surroundings: SignerSurroundings,
  role: KeyUse["role"],
): Promise<Signer> {
  const { name, type } = parseVkey(vkey);
  const signer = await openSpec(parseSignerSpec(text), surroundings, { role, name, type });
  if (signer.vkey !== vkey)
    throw otherKey(vkey, signer.vkey, `the key at ${text} must be the one remembered`);
  return signer;
}

function readKey(value: JsonValue, field: string): PlaceKey {
  const { signer, vkey } = readObject(value, field, { required: ["signer", "vkey"], optional: [] });
  const text = readText(vkey, `${field} vkey`, { max: MAX_TEXT });
  parseVkey(text, `${field} vkey`);
  return { signer: readText(signer, `${field} signer`, { max: MAX_TEXT }), vkey: text };
}
