/**
 * The statement in a bundle: signed by a key that the policy names for this very release, of a type that we
 * understand, with values that a boot can give. The log proves publication, not authority.
 * @module
 */
import {
  BOOT_MEASUREMENT_TYPE,
  checkSignatures,
  keyidOf,
  readBootMeasurement,
  zeroValues,
  type BootMeasurement,
  type Statement,
  type UntrustedEnvelope,
} from "@bootproof/statement";
import type { Vkey } from "@bootproof/bytes";
import type { Check } from "./answer.ts";
import type { UntrustedBundle } from "./bundle.ts";
import { mayPublish, type Publisher } from "./policy.ts";

/** Whose signature verified, among keys with an owner; or why none did. */
export type SignedBy<T> = { readonly owner: T } | { readonly reason: string };

/** The owner of a key that signed the envelope; none when any named key's signature fails. */
export function signedBy<T extends { readonly key: Vkey }>(
  envelope: UntrustedEnvelope,
  owners: readonly T[],
): SignedBy<T> {
  const checked = checkSignatures(
    envelope,
    owners.map(({ key }) => key),
  );
  const failed = checked.find(({ outcome }) => outcome === "invalid");
  if (failed !== undefined) return { reason: `the signature by ${failed.keyid} does not verify` };
  const valid = checked.find(({ outcome }) => outcome === "valid");
  const owner = owners.find(({ key }) => keyidOf(key) === valid?.keyid);
  const signers = checked.map(({ keyid }) => keyid).join(", ");
  return owner === undefined ? { reason: `signed by ${signers}, whom the policy does not name` } : { owner };
}

/** A bundle's statement as a release, when its type is ours; throws ParseError when it breaks its schema. */
export function readRelease({ statement }: UntrustedBundle): Statement<BootMeasurement> | undefined {
  return statement?.predicateType === BOOT_MEASUREMENT_TYPE ? readBootMeasurement(statement) : undefined;
}

/** Whether the statement is of a type that this verifier judges. */
export function checkType({ statement, envelope }: UntrustedBundle): Check {
  const name = "statement type";
  const type = statement?.predicateType ?? envelope.payloadType;
  return type === BOOT_MEASUREMENT_TYPE
    ? { name, answer: "yes", reason: type }
    : { name, answer: "undecided", reason: `${type} is not a type that this verifier judges` };
}

/** Whether a publisher of the policy signed the release and may publish it. */
export function checkPublisher(
  envelope: UntrustedEnvelope,
  release: string,
  publishers: readonly Publisher[],
): { readonly check: Check; readonly publisher?: Publisher } {
  const name = "publisher";
  const signed = signedBy(envelope, publishers);
  if ("reason" in signed) return { check: { name, answer: "no", reason: signed.reason } };
  const publisher = signed.owner;
  const who = `${publisher.organisation} (${keyidOf(publisher.key)})`;
  const what = publisher.subjects === "any" ? "any release" : publisher.subjects.join(", ");
  return mayPublish(publisher, release)
    ? {
        check: { name, answer: "yes", reason: `${release} is signed by ${who}, who may publish ${what}` },
        publisher,
      }
    : { check: { name, answer: "no", reason: `${who} may publish ${what}, not ${release}` } };
}

/** Whether no expected value is a placeholder. */
export function checkValues({ predicate }: Statement<BootMeasurement>): Check {
  const name = "expected values";
  const zero = predicate.measurements.flatMap(zeroValues);
  return zero.length === 0
    ? { name, answer: "yes", reason: "no expected value is empty or all zero" }
    : { name, answer: "no", reason: `all zero, which no boot gives: ${zero.join(", ")}` };
}
