/**
 * Judges an ID block and its ID auth offline, as the firmware does at SNP_LAUNCH_FINISH, and against what the owner of
 * the guest expects. Every check is one line with its reason.
 * @module
 */
import { equalBytes, formatHex, sha384 } from "@bootproof/bytes";
import { isEcdsaPublicKey, ecdsaVerify } from "@bootproof/bytes/ecdsa";
import { bitList, formatPolicy, hasBit } from "../policy-bits.ts";
import {
  CURVE_P384,
  ECDSA_P384_SHA384,
  keyDigest,
  parsePublicKey,
  parseSignature,
} from "./ecdsa-structures.ts";
import { decodeGuestPolicy } from "./guest-policy.ts";
import { hasNoAuthor, parseIdAuth, type UntrustedIdAuth } from "./id-auth.ts";
import { ID_BLOCK_VERSION, type IdBlock, parseIdBlock } from "./id-block.ts";

/** The answer to one question. */
export type IdentityAnswer = "yes" | "no" | "undecided";

/** One question about an identity, its answer, and why. */
export interface IdentityCheck {
  readonly name: string;
  readonly answer: IdentityAnswer;
  readonly reason: string;
}

/** Every check, what was not asked, and the answer to all of it. */
export interface IdentityVerdict {
  readonly answer: IdentityAnswer;
  readonly checks: readonly IdentityCheck[];
  readonly skipped: readonly { readonly name: string; readonly reason: string }[];
}

/** The two structures; what is missing is not decided. */
export interface IdentityBytes {
  readonly idBlock?: Uint8Array | undefined;
  readonly idAuth?: Uint8Array | undefined;
}

/** What the owner expects; what is not given is not asked. */
export interface IdentityExpectations {
  readonly launchDigest?: Uint8Array | undefined;
  readonly policy?: bigint | undefined;
  readonly familyId?: Uint8Array | undefined;
  readonly imageId?: Uint8Array | undefined;
  readonly guestSvn?: number | undefined;
  readonly idKeyDigest?: Uint8Array | undefined;
  readonly authorKeyDigest?: Uint8Array | undefined;
}

/** Judges an identity. Throws ParseError for structures of a wrong length only. */
export function verifyIdentity(files: IdentityBytes, expected: IdentityExpectations = {}): IdentityVerdict {
  const block = files.idBlock === undefined ? undefined : parseIdBlock(files.idBlock);
  const auth = files.idAuth === undefined ? undefined : parseIdAuth(files.idAuth);
  const compared = [...compareBlock(block, expected), ...compareKeys(auth, expected)];
  const checks = [
    ...checkBlock(block),
    ...checkAuth(auth),
    ...checkBlockSignature(files.idBlock, auth),
    ...checkAuthor(auth),
    ...compared.flatMap(({ check }) => check ?? []),
  ];
  const answers = checks.map(({ answer }) => answer);
  return {
    answer: answers.includes("no") ? "no" : answers.includes("undecided") ? "undecided" : "yes",
    checks,
    skipped: compared
      .filter(({ check }) => check === undefined)
      .map(({ name }) => ({ name, reason: "no expected value given" })),
  };
}

const yes = (name: string, reason: string): IdentityCheck => ({ name, answer: "yes", reason });
const no = (name: string, reason: string): IdentityCheck => ({ name, answer: "no", reason });
const undecided = (name: string, reason: string): IdentityCheck => ({ name, answer: "undecided", reason });

function checkBlock(block: IdBlock | undefined): IdentityCheck[] {
  if (block === undefined) return [undecided("ID block", "not given")];
  const { version } = block;
  return [
    version === ID_BLOCK_VERSION
      ? yes("ID block version", `${version}`)
      : no("ID block version", `must be ${ID_BLOCK_VERSION}, is ${version}`),
    checkPolicy(block.policy),
  ];
}

function checkPolicy(policy: bigint): IdentityCheck {
  const name = "policy";
  const { reserved } = decodeGuestPolicy(policy);
  const text = formatPolicy(policy);
  if (!hasBit(policy, 17)) return no(name, `${text} has bit 17 clear: KVM and firmware refuse it`);
  if (reserved === 0n) return yes(name, `${text} has no reserved bits`);
  return undecided(name, `${text} has bits that this version knows no meaning of: ${bitList(reserved)}`);
}

function checkAuth(auth: UntrustedIdAuth | undefined): IdentityCheck[] {
  if (auth === undefined) return [undecided("ID auth", "not given")];
  return [checkReserved(auth), checkKey("ID key", auth.idKeyAlgorithm, auth.idPublicKey)];
}

function checkReserved({ reserved }: UntrustedIdAuth): IdentityCheck {
  const name = "reserved bytes";
  for (const [offset, range] of reserved) {
    const at = range.findIndex((byte) => byte !== 0);
    if (at !== -1) return no(name, `not zero at ${hex(offset + at)} of the ID auth`);
  }
  const ranges = [...reserved].map(([offset, { length }]) => `${hex(offset)}..${hex(offset + length)}`);
  return yes(name, `zero: ${ranges.join(", ")}`);
}

function checkKey(name: string, algorithm: number, structure: Uint8Array): IdentityCheck {
  const { curve, pair, notZero } = parsePublicKey(structure);
  if (algorithm !== ECDSA_P384_SHA384)
    return no(name, `algorithm must be ${ECDSA_P384_SHA384} (ECDSA P-384 with SHA-384), is ${algorithm}`);
  if (curve !== CURVE_P384) return no(name, `curve must be ${CURVE_P384} (P-384), is ${curve}`);
  if (notZero !== undefined) return no(name, `padding is not zero at ${hex(notZero)} of the key`);
  if (!isEcdsaPublicKey("P-384", pair)) return no(name, "is no point of the curve");
  return yes(name, `P-384, digest ${formatHex(keyDigest(pair))}`);
}

function checkBlockSignature(
  block: Uint8Array | undefined,
  auth: UntrustedIdAuth | undefined,
): IdentityCheck[] {
  const name = "signature of the ID block";
  if (block === undefined || auth === undefined)
    return [undecided(name, `needs the ${block === undefined ? "ID block" : "ID auth"}`)];
  return [checkSignature(name, auth.idBlockSignature, block, auth.idPublicKey)];
}

function checkSignature(
  name: string,
  structure: Uint8Array,
  message: Uint8Array,
  key: Uint8Array,
): IdentityCheck {
  const { pair, notZero } = parseSignature(structure);
  if (notZero !== undefined) return no(name, `padding is not zero at ${hex(notZero)} of the signature`);
  return ecdsaVerify("P-384", parsePublicKey(key).pair, message, pair)
    ? yes(name, "holds")
    : no(name, "does not hold: the firmware answers BAD_SIGNATURE (fw_error 10)");
}

function checkAuthor(auth: UntrustedIdAuth | undefined): IdentityCheck[] {
  if (auth === undefined) return [];
  const { authorKeyAlgorithm: algorithm, authorPublicKey, idKeySignature, idPublicKey } = auth;
  if (hasNoAuthor(auth)) {
    const name = "author key";
    return algorithm === 0 || algorithm === ECDSA_P384_SHA384
      ? [yes(name, "none: the guest starts with author-key-enabled off")]
      : [no(name, `none, and algorithm must be 0, is ${algorithm}`)];
  }
  return [
    checkKey("author key", algorithm, authorPublicKey),
    checkSignature("signature of the ID key", idKeySignature, idPublicKey, authorPublicKey),
  ];
}

/** A comparison that was asked for, or only its name. */
interface Compared {
  readonly name: string;
  readonly check?: IdentityCheck;
}

function compareBlock(block: IdBlock | undefined, expected: IdentityExpectations): Compared[] {
  const hexOf = (bytes: Uint8Array | undefined): string | undefined => bytes && formatHex(bytes);
  const decimal = (value: number | undefined): string | undefined => value?.toString();
  const policy = (value: bigint | undefined): string | undefined =>
    value === undefined ? undefined : formatPolicy(value);
  return [
    compare(
      "expected launch digest",
      hexOf(expected.launchDigest),
      hexOf(block?.launchDigest),
      ": the firmware answers BAD_MEASUREMENT (fw_error 11)",
    ),
    compare(
      "expected policy",
      policy(expected.policy),
      policy(block?.policy),
      ": the firmware answers POLICY_FAILURE (fw_error 7)",
    ),
    compare("expected family ID", hexOf(expected.familyId), hexOf(block?.familyId)),
    compare("expected image ID", hexOf(expected.imageId), hexOf(block?.imageId)),
    compare("expected guest SVN", decimal(expected.guestSvn), decimal(block?.guestSvn)),
  ];
}

function compareKeys(auth: UntrustedIdAuth | undefined, expected: IdentityExpectations): Compared[] {
  return [
    compareKey("expected ID key", expected.idKeyDigest, auth?.idPublicKey),
    compareKey(
      "expected author key",
      expected.authorKeyDigest,
      auth !== undefined && hasNoAuthor(auth) ? "none" : auth?.authorPublicKey,
    ),
  ];
}

function compareKey(
  name: string,
  wanted: Uint8Array | undefined,
  structure: Uint8Array | "none" | undefined,
): Compared {
  if (wanted === undefined) return { name };
  if (structure === undefined) return { name, check: undecided(name, "needs the ID auth") };
  if (structure === "none") return { name, check: no(name, "the ID auth has none") };
  // The firmware hashes the structure as it stands, padding included.
  const found = sha384(structure);
  return equalBytes(wanted, found)
    ? { name, check: yes(name, `digest ${formatHex(found)}`) }
    : { name, check: no(name, `digest must be ${formatHex(wanted)}, is ${formatHex(found)}`) };
}

function compare(
  name: string,
  wanted: string | undefined,
  found: string | undefined,
  consequence = "",
): Compared {
  if (wanted === undefined) return { name };
  if (found === undefined) return { name, check: undecided(name, "needs the ID block") };
  return wanted === found
    ? { name, check: yes(name, found) }
    : { name, check: no(name, `must be ${wanted}, is ${found}${consequence}`) };
}

const hex = (value: number): string => `0x${value.toString(16).padStart(3, "0")}`;
