/**
 * A manifest of QuorumOS (tkhq/qos, qos_core::protocol::services::boot): what an enclave is to run, who may approve
 * that, and which registers its attestation document must show.
 * @module
 */
import { formatHex, sha256, utf8, type JsonValue, type Sha256 } from "@bootproof/bytes";
import { encodeManifest } from "./encode-borsh.ts";
import { formatQosJson } from "./qos-json.ts";

/** Schemas: v0 and v1 are hashed as Borsh, v2 as JSON, whatever form they came in. */
export type ManifestVersion = "v0" | "v1" | "v2";

/** A member of a set; the alias is only a name. */
export interface QuorumMember {
  readonly alias: string;
  /** Two uncompressed P-256 points: one to encrypt to, one that signs. */
  readonly pubKey: Uint8Array;
}

/** Members, and how many of them it takes. */
export interface QuorumSet {
  readonly threshold: number;
  readonly members: readonly QuorumMember[];
}

/** A way in or out of the enclave. */
export type BridgeConfig =
  | { readonly type: "server"; readonly port: number; readonly host: string }
  | { readonly type: "client"; readonly port: number; readonly host: string | undefined };

/** The program that the enclave runs once it has its key. */
export interface PivotConfig {
  /** SHA-256 of the program. */
  readonly hash: Uint8Array;
  readonly restart: "Never" | "Always";
  readonly args: readonly string[];
  /** None in v0. */
  readonly bridgeConfig: readonly BridgeConfig[];
  /** False in v0. */
  readonly debugMode: boolean;
  /** In v2 alone; sorted by name. */
  readonly env: readonly (readonly [string, string])[];
}

/** What an attestation document must show. */
export interface EnclaveConfig {
  /** PCR0 to PCR3. */
  readonly pcrs: readonly Uint8Array[];
  readonly awsRootCertificate: Uint8Array;
  readonly qosCommit: string;
}

/** A manifest; nobody has checked what it says. */
export interface QuorumManifest {
  readonly version: ManifestVersion;
  readonly namespace: { readonly name: string; readonly nonce: number; readonly quorumKey: Uint8Array };
  readonly pivot: PivotConfig;
  readonly manifestSet: QuorumSet;
  readonly shareSet: QuorumSet;
  readonly enclave: EnclaveConfig;
  /** In v0 and v1. */
  readonly patchSet: { readonly threshold: number; readonly members: readonly Uint8Array[] } | undefined;
  /** In v2, when set: IP addresses. */
  readonly dns: readonly string[] | undefined;
}

/** A member's signature over a manifest's hash. */
export interface QuorumApproval {
  readonly signature: Uint8Array;
  readonly member: QuorumMember;
}

/** A manifest with its approvals. */
export interface QuorumEnvelope {
  readonly manifest: QuorumManifest;
  readonly manifestSetApprovals: readonly QuorumApproval[];
  readonly shareSetApprovals: readonly QuorumApproval[];
}

/** The hash that members sign and that an attestation document carries in user_data. */
export function manifestHash(manifest: QuorumManifest): Sha256 {
  if (manifest.version !== "v2") return sha256(encodeManifest(manifest));
  return sha256(utf8(formatQosJson(manifestJson(manifest))));
}

/** A manifest of v2 as JSON, with what is not set left out. */
function manifestJson({ namespace, pivot, manifestSet, shareSet, enclave, dns }: QuorumManifest): JsonValue {
  const [pcr0, pcr1, pcr2, pcr3] = enclave.pcrs.map(formatHex);
  const set = ({ threshold, members }: QuorumSet): JsonValue => ({
    threshold,
    members: members.map(({ alias, pubKey }) => ({ alias, pubKey: formatHex(pubKey) })),
  });
  const env = Object.fromEntries(pivot.env.map(([name, value]) => [name, { plain: { value } }]));
  return {
    version: "v2",
    namespace: { name: namespace.name, nonce: namespace.nonce, quorumKey: formatHex(namespace.quorumKey) },
    pivot: {
      hash: formatHex(pivot.hash),
      restart: pivot.restart,
      bridgeConfig: pivot.bridgeConfig.map(({ host = null, ...bridge }) => ({ ...bridge, host })),
      debugMode: pivot.debugMode,
      args: pivot.args,
      env: pivot.env.length === 0 ? null : env,
    },
    manifestSet: set(manifestSet),
    shareSet: set(shareSet),
    enclave: {
      pcr0: pcr0 ?? "",
      pcr1: pcr1 ?? "",
      pcr2: pcr2 ?? "",
      pcr3: pcr3 ?? "",
      awsRootCertificate: formatHex(enclave.awsRootCertificate),
      qosCommit: enclave.qosCommit,
    },
    dns: dns === undefined ? null : { resolvers: dns },
  };
}
