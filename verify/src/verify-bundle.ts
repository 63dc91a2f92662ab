/**
 * A bundle and a policy become a verdict, offline: everything a client must verify (specs of C2SP tlog-proof, DSSE and
 * in-toto), one check with one reason each. Malformed input throws; all else is an answer.
 * @module
 */
import type { Sha256 } from "@bootproof/bytes";
import { verifyTlogProof, type ProofVerdict } from "@bootproof/log";
import type { BootMeasurement, Statement } from "@bootproof/statement";
import { joinAnswers, type Answer, type Check, type Skipped } from "./answer.ts";
import { logPolicyOf, parseBundle } from "./bundle.ts";
import { checkArtifact, type HashedFile } from "./check-artifact.ts";
import { checkRebuilds } from "./check-rebuilds.ts";
import { checkPublisher, checkType, checkValues, readRelease } from "./check-statement.ts";
import { checkMeasurements } from "./expand.ts";
import type { Policy, Publisher } from "./policy.ts";

/** What to verify, and by whose word. */
export interface BundleQuestion {
  readonly bundle: Uint8Array;
  readonly policy: Policy;
  /** Bundles of rebuilds of this release. */
  readonly confirmations?: readonly Uint8Array[];
  /** Files that should be artifacts of the release. */
  readonly artifacts?: readonly HashedFile[];
}

/** What was found out. */
export interface BundleVerdict {
  readonly answer: Answer;
  readonly checks: readonly Check[];
  /** What is not asked: by the policy, or because the statement claims nothing of the kind. */
  readonly skipped: readonly Skipped[];
  /** Where the bundle says it is logged: to be believed only when "log signature" and "inclusion" are yes. */
  readonly place: {
    readonly origin: string;
    readonly index: bigint;
    readonly size: bigint;
    readonly leafHash: Sha256;
  };
  /** Witnesses of the policy whose cosignatures verified. */
  readonly witnesses: readonly { readonly name: string; readonly timestamp: bigint }[];
  /** Who signed, when a publisher of the policy did and may publish this release. */
  readonly publisher?: Publisher;
  /** The release, under the same condition. */
  readonly release?: Statement<BootMeasurement>;
}

/** Verifies a bundle against a policy; throws ParseError for malformed bundles only. */
export function verifyBundle({
  bundle,
  policy,
  confirmations = [],
  artifacts = [],
}: BundleQuestion): BundleVerdict {
  const parsed = parseBundle(bundle);
  const logged = verifyTlogProof({ proof: parsed.proof, policy: logPolicyOf(policy) });
  const { leafHash, checkpoint, index, witnesses } = logged;
  if (leafHash === undefined) throw new TypeError("a parsed bundle has a leaf");
  const place = { origin: checkpoint.origin, index, size: checkpoint.size, leafHash };
  const base = { place, witnesses, skipped: skippedBy(policy) };
  const checks = [...logChecks(logged, policy), checkType(parsed)];

  const statement = readRelease(parsed);
  if (statement === undefined) return { ...base, answer: joinAnswers(checks), checks };
  const { check, publisher } = checkPublisher(
    parsed.envelope,
    statement.predicate.release.name,
    policy.publishers,
  );
  const { measurements } = statement.predicate;
  checks.push(check, checkValues(statement));
  if (measurements.length > 0) checks.push(checkMeasurements(measurements));
  else base.skipped.push({ name: "measurements", reason: "the statement predicts no register" });
  checks.push(...artifacts.map((file) => checkArtifact(statement, file)));
  if (policy.rebuilds !== "any") {
    const release = { statement, ...place, publisher: publisher?.organisation };
    checks.push(checkRebuilds(release, confirmations, policy, policy.rebuilds));
  }
  const believed = publisher === undefined ? {} : { publisher, release: statement };
  return { ...base, answer: joinAnswers(checks), checks, ...believed };
}

function logChecks({ checks }: ProofVerdict, { witnesses }: Policy): Check[] {
  const asked = checks.filter(({ check }) => witnesses !== "any" || check !== "witnesses");
  return asked.map(({ check, answer, reason }) => ({ name: check, answer, reason }));
}

function skippedBy({ witnesses, rebuilds }: Policy): Skipped[] {
  return [
    ...(witnesses === "any" ? [{ name: "witnesses", reason: "the policy says any" }] : []),
    ...(rebuilds === "any" ? [{ name: "rebuilds", reason: "the policy says any" }] : []),
  ];
}
