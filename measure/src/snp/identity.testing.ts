/**
 * The identities of the vectors, and their keys, which are for tests only.
 * @module
 */
import { createPrivateKey } from "node:crypto";
import { readFileSync } from "node:fs";
import { parseBase64, parseHex, asDigest } from "@bootproof/bytes";
import type { IdBlock } from "./id-block.ts";
import { vectors } from "./vectors.testing.ts";

export interface IdentityVector {
  readonly name: string;
  readonly launchDigest: string;
  readonly familyId: string;
  readonly imageId: string;
  readonly version: number;
  readonly guestSvn: number;
  readonly policy: string;
  readonly idBlock: string;
  readonly idKeyDigest: string;
  readonly authorKeyDigest: string;
  readonly idAuth: readonly (readonly [number, string])[];
}

export const identities: readonly IdentityVector[] = vectors<IdentityVector>("id-block.json");

export const idBlockOf = (vector: IdentityVector): Uint8Array => parseBase64(vector.idBlock, "ID block");

/** The 4096 bytes of the sample, from its ranges that are not zero. */
export function idAuthOf({ idAuth }: IdentityVector): Uint8Array {
  const bytes = new Uint8Array(4096);
  for (const [offset, hex] of idAuth) bytes.set(parseHex(hex, "range"), offset);
  return bytes;
}

export const fieldsOf = (vector: IdentityVector): IdBlock => ({
  launchDigest: asDigest("sha384", parseHex(vector.launchDigest, "launch digest")),
  familyId: parseHex(vector.familyId, "family ID"),
  imageId: parseHex(vector.imageId, "image ID"),
  version: vector.version,
  guestSvn: vector.guestSvn,
  policy: BigInt(vector.policy),
});

/** The 48 bytes of a private key in `vectors/keys/`. */
export function testKey(name: "id" | "author"): Uint8Array {
  const pem = readFileSync(new URL(`../../vectors/keys/TEST-ONLY-${name}.pem`, import.meta.url));
  const { d = "" } = createPrivateKey(pem).export({ format: "jwk" });
  return new Uint8Array(Buffer.from(d, "base64url"));
}
