/**
 * Confirmations: bundles in which rebuilders say what came out. They count by organisation; the publisher's own does
 * not count; what a rebuilder says about its own organisation is self-reported and ignored in favour of the policy.
 * @module
 */
import { formatHex, type Sha256 } from "@bootproof/bytes";
import { verifyTlogProof, type ProofVerdict } from "@bootproof/log";
import {
  readRebuild,
  REBUILD_TYPE,
  releaseArtifacts,
  type BootMeasurement,
  type Rebuild,
  type Statement,
  type UntrustedEnvelope,
} from "@bootproof/statement";
import type { Check } from "./answer.ts";
import { logPolicyOf, parseBundle } from "./bundle.ts";
import { signedBy } from "./check-statement.ts";
import type { Policy, RebuildRule } from "./policy.ts";

/** The release that confirmations must be about. */
export interface ConfirmedRelease {
  readonly statement: Statement<BootMeasurement>;
  readonly origin: string;
  readonly index: bigint;
  readonly leafHash: Sha256;
  /** Organisation of the publisher, which confirms nothing of its own; undefined when nobody authorised signed. */
  readonly publisher: string | undefined;
}

/** What one confirmation comes to. */
export interface JudgedConfirmation {
  readonly outcome: "confirms" | "denies" | "does not count";
  readonly organisation?: string;
  readonly reason: string;
}

/** Whether enough organisations rebuilt the release; a rebuilder of the policy who saw it diverge makes it no. */
export function checkRebuilds(
  release: ConfirmedRelease,
  confirmations: readonly Uint8Array[],
  policy: Policy,
  rule: RebuildRule,
): Check {
  const name = "rebuilds";
  const judged = confirmations.map((bundle) => judgeConfirmation(release, bundle, policy, rule));
  const denied = judged.find(({ outcome }) => outcome === "denies");
  if (denied !== undefined) return { name, answer: "no", reason: denied.reason };
  const confirmed = judged.flatMap(({ outcome, organisation = "" }) =>
    outcome === "confirms" ? [organisation] : [],
  );
  const organisations = [...new Set(confirmed)].sort();
  const others = judged.flatMap(({ outcome, reason }) => (outcome === "does not count" ? [reason] : []));
  const who = organisations.length === 0 ? "nobody" : organisations.join(", ");
  const reason = [`rebuilt by ${who}; the policy asks for ${rule.need} organisation(s)`, ...others].join(
    "; ",
  );
  return { name, answer: organisations.length >= rule.need ? "yes" : "undecided", reason };
}

/** Judges one confirmation bundle; throws ParseError when it is malformed. */
export function judgeConfirmation(
  release: ConfirmedRelease,
  bytes: Uint8Array,
  policy: Policy,
  rule: RebuildRule,
): JudgedConfirmation {
  const bundle = parseBundle(bytes);
  const logged = verifyTlogProof({ proof: bundle.proof, policy: logPolicyOf(policy) });
  if (logged.answer !== "yes") return ignored(reasonNotLogged(logged));
  if (bundle.statement?.predicateType !== REBUILD_TYPE) return ignored("a bundle that is no rebuild");
  return judgeRebuild(release, bundle.envelope, readRebuild(bundle.statement), rule);
}

/** Judges one rebuild of whose place in a log there is no doubt. */
export function judgeRebuild(
  release: ConfirmedRelease,
  envelope: UntrustedEnvelope,
  { predicate }: Statement<Rebuild>,
  rule: RebuildRule,
): JudgedConfirmation {
  const signed = signedBy(envelope, rule.rebuilders);
  if ("reason" in signed) return ignored(`a rebuild ${signed.reason}`);
  const { organisation } = signed.owner;
  if (organisation === release.publisher) return ignored(`${organisation} published the release itself`);
  if (!isAbout(predicate, release)) return ignored(`${organisation} rebuilt another release`);
  return { organisation, ...judgeVerdict(predicate, organisation, rule) };
}

const ignored = (reason: string): JudgedConfirmation => ({ outcome: "does not count", reason });

function reasonNotLogged({ checks }: ProofVerdict): string {
  const failed = checks.find(({ answer }) => answer !== "yes");
  return `a rebuild whose ${failed?.check ?? "proof"} does not hold: ${failed?.reason ?? ""}`;
}

function judgeVerdict(
  { verdict, reason = "" }: Rebuild,
  organisation: string,
  { accept }: RebuildRule,
): Pick<JudgedConfirmation, "outcome" | "reason"> {
  const said = `${organisation} says ${verdict}${reason === "" ? "" : ` (${reason})`}`;
  switch (verdict) {
    case "IDENTICAL":
    case "MEASUREMENT-EQUAL":
      return { outcome: accept.includes(verdict) ? "confirms" : "does not count", reason: said };
    case "DIVERGED":
      return { outcome: "denies", reason: said };
    case "BUILD-FAILED":
    case "INPUTS-MISSING":
      return { outcome: "does not count", reason: said };
  }
}

/** Whether a rebuild is of this leaf and compared with all of its artifacts as published. */
function isAbout(
  { of, artifacts }: Rebuild,
  { statement, origin, index, leafHash }: ConfirmedRelease,
): boolean {
  const claimed = artifacts.map(({ name, expected }) => `${name} ${expected.sha256} ${expected.size}`);
  const published = releaseArtifacts(statement).map(({ name, sha256, size }) => `${name} ${sha256} ${size}`);
  const sameLeaf = of.leafHash === formatHex(leafHash);
  return (
    sameLeaf && of.origin === origin && BigInt(of.index) === index && claimed.join() === published.join()
  );
}
