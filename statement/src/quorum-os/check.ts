/**
 * What is checked of a manifest, each with its answer and reason. QuorumOS's docs/attestation_verification.md, steps
 * 5 to 8, and check_approvals of qos_core.
 * @module
 */
import { concatBytes, equalBytes, formatHex, sha384, utf8 } from "@bootproof/bytes";
import { ecdsaVerify, isEcdsaPublicKey } from "@bootproof/bytes/ecdsa";
import {
  manifestHash,
  type QuorumApproval,
  type QuorumEnvelope,
  type QuorumManifest,
  type QuorumSet,
} from "./manifest.ts";

/** The code of a check that fails. */
export type QuorumCode =
  /** user_data is not the manifest's hash. */
  | "BP-QOS-001"
  /** A register differs from the manifest's. */
  | "BP-QOS-002"
  /** A register of the manifest is all zeros or no register. */
  | "BP-QOS-003"
  /** public_key is not the ephemeral key of QuorumOS. */
  | "BP-QOS-004"
  /** PCR16 or PCR17 does not commit to the manifest and key. */
  | "BP-QOS-005"
  /** An approval's signature does not verify. */
  | "BP-QOS-006"
  /** An approval is by somebody who is no member, or twice by one. */
  | "BP-QOS-007"
  /** Fewer approvals than the threshold. */
  | "BP-QOS-008"
  /** Members that are not told apart, or a threshold that is none. */
  | "BP-QOS-009";

/** One check. */
export interface QuorumCheck {
  readonly name: string;
  readonly answer: "yes" | "no" | "could not decide";
  readonly reason: string;
  /** When the answer is no. */
  readonly code?: QuorumCode;
}

/** What a document shows; whether it is genuine is for others to check. */
export interface ShownDocument {
  readonly pcrs: ReadonlyMap<number, Uint8Array>;
  readonly userData: Uint8Array | undefined;
  readonly publicKey: Uint8Array | undefined;
}

const POINT = 65;
const ZEROS = new Uint8Array(48);
/** Registers that QuorumOS extends since 2026, and what with. */
const COMMITMENTS = [
  [16, "setup", "qos-setup-manifest-pcr-commitment-v1"],
  [17, "live", "qos-live-manifest-pcr-commitment-v1"],
] as const;

const yes = (name: string, reason: string): QuorumCheck => ({ name, answer: "yes", reason });
const no = (name: string, code: QuorumCode, reason: string): QuorumCheck => ({
  name,
  answer: "no",
  reason,
  code,
});
const open = (name: string, reason: string): QuorumCheck => ({ name, answer: "could not decide", reason });

/** Whether a document commits to a manifest and shows its registers. The document's signature is not checked. */
export function checkDocument(manifest: QuorumManifest, document: ShownDocument): QuorumCheck[] {
  const hash = manifestHash(manifest);
  const { userData, publicKey, pcrs } = document;
  return [
    userData !== undefined && equalBytes(userData, hash)
      ? yes("user_data", "is the manifest's hash")
      : no(
          "user_data",
          "BP-QOS-001",
          `is ${userData === undefined ? "not there" : formatHex(userData)}, the manifest's hash is ${formatHex(hash)}`,
        ),
    ...checkRegisters(manifest, pcrs),
    checkEphemeralKey(publicKey),
    ...checkCommitments(hash, document),
  ];
}

/** Whether registers are those of the manifest: of a document, or predicted of an EIF (which has no PCR3). */
export function checkRegisters(
  manifest: QuorumManifest,
  pcrs: ReadonlyMap<number, Uint8Array>,
): QuorumCheck[] {
  return manifest.enclave.pcrs.map((wanted, index) => {
    const name = `PCR${index}`;
    const found = pcrs.get(index);
    if (wanted.length !== 48) return no(name, "BP-QOS-003", `the manifest's has ${wanted.length} bytes`);
    // PCR3 of zeros is an instance without a role.
    if (index < 3 && equalBytes(wanted, ZEROS))
      return no(name, "BP-QOS-003", "the manifest's is all zeros, as of every enclave in debug mode");
    if (found === undefined) return open(name, "not known");
    if (equalBytes(found, wanted)) return yes(name, "is the manifest's");
    const shown =
      index < 3 && equalBytes(found, ZEROS)
        ? "all zeros, as every enclave in debug mode reports"
        : formatHex(found);
    return no(name, "BP-QOS-002", `is ${shown}, the manifest's is ${formatHex(wanted)}`);
  });
}

function checkEphemeralKey(key: Uint8Array | undefined): QuorumCheck {
  const name = "public_key";
  if (key?.length === 2 * POINT && isPoint(key.subarray(0, POINT)) && isPoint(key.subarray(POINT)))
    return yes(name, "is two points on P-256, to encrypt to and to verify with");
  return no(
    name,
    "BP-QOS-004",
    key === undefined
      ? "is not there: an enclave of QuorumOS gives its ephemeral key"
      : `is ${key.length} bytes that are no ephemeral key: two uncompressed points on P-256`,
  );
}

/** Uncompressed, on the curve. */
const isPoint = (bytes: Uint8Array): boolean =>
  bytes[0] === 4 && isEcdsaPublicKey("P-256", bytes.subarray(1));

function checkCommitments(hash: Uint8Array, { pcrs, publicKey }: ShownDocument): QuorumCheck[] {
  const checks = COMMITMENTS.flatMap(([index, kind, domain]) => {
    const found = pcrs.get(index);
    if (found === undefined || publicKey === undefined) return [];
    const name = `PCR${index}`;
    const wanted = commitmentRegister(domain, hash, publicKey);
    return equalBytes(found, wanted)
      ? [yes(name, `commits to the manifest and this ${kind} key`)]
      : [open(name, `does not commit to the manifest and this key, as a ${kind} document's would`)];
  });
  if (checks.length === 0)
    return [open("PCR16, PCR17", "not in the document: QuorumOS before 2026 extends neither")];
  // A document is of one kind, and the other register is of the other key.
  const committed = checks.find(({ answer }) => answer === "yes");
  return [committed ?? no("PCR16, PCR17", "BP-QOS-005", "neither commits to the manifest and this key")];
}

/** The register after its one extend: SHA-384 over zeros and the SHA-384 of the commitment. */
export function commitmentRegister(domain: string, hash: Uint8Array, publicKey: Uint8Array): Uint8Array {
  const text = `{"domain":"${domain}","ephemeralPublicKey":"${formatHex(publicKey)}","manifestHash":"${formatHex(hash)}"}`;
  return sha384(concatBytes(ZEROS, sha384(utf8(text))));
}

/** Whether enough members of the manifest's own set approved it. Who these members are is for the reader to know. */
export function checkApprovals({
  manifest,
  manifestSetApprovals,
  shareSetApprovals,
}: QuorumEnvelope): QuorumCheck[] {
  const hash = manifestHash(manifest);
  return [
    ...checkSet("manifest set", manifest.manifestSet, manifestSetApprovals, hash, true),
    ...(shareSetApprovals.length === 0
      ? []
      : checkSet("share set", manifest.shareSet, shareSetApprovals, hash, false)),
  ];
}

function checkSet(
  name: string,
  set: QuorumSet,
  approvals: readonly QuorumApproval[],
  hash: Uint8Array,
  needed: boolean,
): QuorumCheck[] {
  const checks = approvals.map((approval) => checkApproval(name, set, approval, approvals, hash));
  const twins = twinOf(set);
  if (twins !== undefined) checks.push(no(name, "BP-QOS-009", twins));
  const good = new Set(
    approvals.filter((_, at) => checks[at]?.answer === "yes").map(({ member }) => formatHex(member.pubKey)),
  );
  if (!needed) return checks;
  const count = `${good.size} of ${set.members.length} members approved, ${set.threshold} are needed`;
  if (set.threshold === 0 || set.threshold > set.members.length)
    return [...checks, no(`${name} threshold`, "BP-QOS-009", count)];
  return [
    ...checks,
    good.size >= set.threshold
      ? yes(`${name} threshold`, count)
      : no(`${name} threshold`, "BP-QOS-008", count),
  ];
}

function checkApproval(
  set: string,
  { members }: QuorumSet,
  { member, signature }: QuorumApproval,
  approvals: readonly QuorumApproval[],
  hash: Uint8Array,
): QuorumCheck {
  const name = `approval by ${member.alias}`;
  const same = (key: Uint8Array): boolean => equalBytes(key, member.pubKey);
  if (!members.some(({ alias, pubKey }) => alias === member.alias && same(pubKey)))
    return no(name, "BP-QOS-007", `is by no member of the ${set}`);
  if (approvals.filter((other) => same(other.member.pubKey)).length > 1)
    return no(name, "BP-QOS-007", "is there twice");
  const key = member.pubKey.subarray(POINT);
  const valid =
    member.pubKey.length === 2 * POINT &&
    isPoint(key) &&
    signature.length === 64 &&
    ecdsaVerify("P-256", key.subarray(1), hash, signature);
  return valid
    ? yes(name, "signs the manifest's hash")
    : no(name, "BP-QOS-006", "does not sign the manifest's hash");
}

/** One party behind two members, by name, signing key or encryption key. */
function twinOf({ members }: QuorumSet): string | undefined {
  const seen = new Set<string>();
  for (const { alias, pubKey } of members)
    for (const part of [
      `alias ${alias}`,
      `key ${formatHex(pubKey.subarray(0, POINT))}`,
      `signer ${formatHex(pubKey.subarray(POINT))}`,
    ]) {
      if (seen.has(part)) return `two members have one ${part.split(" ")[0] ?? ""}`;
      seen.add(part);
    }
  return undefined;
}
