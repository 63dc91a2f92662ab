/**
 * ID blocks and ID auths through verifyIdentity: yes exactly where OpenSSL and the zeros of the layout say so.
 * @module
 */
import { createPublicKey, verify } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";
import { ParseError, parseBase64, parseHex } from "@bootproof/bytes";
import { verifyIdentity } from "@bootproof/measure/identity";
import { mutateBytes } from "../mutate.ts";
import type { Random } from "../random.ts";
import { attempt, Complaint, type Target } from "../target.ts";

const BLOCK = 96;
const AUTH = 4096;

interface Vector {
  readonly idBlock: string;
  readonly idAuth: readonly (readonly [number, string])[];
}

const file = path.resolve(import.meta.dirname, "../../../measure/vectors/id-block.json");
/** ID blocks with their ID auths behind them. */
const IDENTITIES = (JSON.parse(readFileSync(file, "utf8")) as { vectors: readonly Vector[] }).vectors.map(
  ({ idBlock, idAuth }) => {
    const bytes = new Uint8Array(BLOCK + AUTH);
    bytes.set(parseBase64(idBlock, "ID block"));
    for (const [offset, hex] of idAuth) bytes.set(parseHex(hex, "ID auth"), BLOCK + offset);
    return bytes;
  },
);

/** Both structures, changed. */
export const identity: Target = {
  name: "identity",
  about: "ID blocks and ID auths through verifyIdentity",
  limit: 1000,
  makeCase(random) {
    const bytes = change(random.pick(IDENTITIES).slice(), random);
    return {
      bytes,
      given: "verifyIdentity of the first 96 bytes and the rest",
      run: () =>
        attempt(
          (error) => error instanceof ParseError,
          () => verifyIdentity({ idBlock: bytes.subarray(0, BLOCK), idAuth: bytes.subarray(BLOCK) }).answer,
        ),
      judge: (answer) => {
        const wanted = bytes.length === BLOCK + AUTH ? (holds(bytes) ? "yes" : "no") : undefined;
        // Reserved bits of a policy are the one thing that is not decided.
        const reserved =
          wanted === "yes" && bytes.subarray(91, BLOCK).some((byte, at) => byte > (at === 0 ? 3 : 0));
        if (answer !== (reserved ? "undecided" : wanted))
          throw new Complaint(`${String(answer)} instead of ${String(wanted)}`);
        return answer === "yes" ? "accepted" : "refused";
      },
    };
  },
};

/** One change in three at a place where a byte is read, or none; the rest anywhere. */
function change(bytes: Uint8Array<ArrayBuffer>, random: Random): Uint8Array<ArrayBuffer> {
  if (random.oneIn(16)) return bytes;
  if (!random.oneIn(3)) return mutateBytes(bytes, random, IDENTITIES);
  const [start, length] = random.pick(FIELDS);
  bytes[start + random.below(length)] = random.below(256);
  return bytes;
}

/** Fields by offset and length, the ID auth behind the ID block. */
const FIELDS = [
  [0, BLOCK],
  [BLOCK, 8],
  ...[0x40, 0x680].flatMap((at) => [[BLOCK + at, 144] as const]),
  ...[0x240, 0x880].flatMap((at) => [[BLOCK + at, 148] as const]),
] as const;

function holds(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const auth = bytes.subarray(BLOCK);
  const u32 = (at: number): number => view.getUint32(BLOCK + at, true);
  const zero = (from: number, to: number): boolean => auth.subarray(from, to).every((byte) => byte === 0);
  const sound = view.getUint32(80, true) === 1 && ((bytes[90] ?? 0) & 2) !== 0;
  if (!sound || u32(0) !== 1 || !zero(0x008, 0x040) || !zero(0x644, 0x680) || !zero(0xc84, 0x1000))
    return false;
  if (!signed(auth, 0x040, 0x240, bytes.subarray(0, BLOCK))) return false;
  if (zero(0x680, 0xc84)) return u32(4) <= 1;
  return u32(4) === 1 && signed(auth, 0x680, 0x880, auth.subarray(0x240, 0x644));
}

/** Whether a signature and a key of the ID auth are sound and fit a message, by OpenSSL. */
function signed(auth: Uint8Array, signature: number, key: number, message: Uint8Array): boolean {
  const number = (at: number): Buffer => Buffer.from(auth.slice(at, at + 48).reverse());
  const padding = (at: number, end: number): boolean => auth.subarray(at, end).every((byte) => byte === 0);
  const pads = [
    [signature + 48, signature + 72],
    [signature + 120, signature + 512],
    [key + 52, key + 76],
    [key + 124, key + 1028],
  ] as const;
  if (!pads.every(([from, to]) => padding(from, to))) return false;
  if (auth[key] !== 2 || !padding(key + 1, key + 4)) return false;
  const [x, y] = [number(key + 4).toString("base64url"), number(key + 76).toString("base64url")];
  try {
    const opensslKey = createPublicKey({ format: "jwk", key: { kty: "EC", crv: "P-384", x, y } });
    const pair = Buffer.concat([number(signature), number(signature + 72)]);
    return verify("sha384", message, { key: opensslKey, dsaEncoding: "ieee-p1363" }, pair);
  } catch {
    return false; // OpenSSL throws for points off the curve
  }
}
