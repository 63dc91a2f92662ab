/**
 * A small world to verify in: a log of a few leaves, witnesses, a publisher, rebuilders; everything signed for real.
 * @module
 */
import { formatHex, formatVkey, KEY_TYPE, sha256, sha384, utf8, type Sha256 } from "@bootproof/bytes";
import { makeSigningKey, signerOf, type SigningKey } from "@bootproof/bytes/signing";
import {
  addSignatures,
  cosign,
  formatCheckpoint,
  formatTlogProof,
  leafHash,
  nodeHash,
  signNote,
} from "@bootproof/log";
import {
  FIRMWARE_REFERENCE_SCHEMA,
  hashDirectBoot,
  parseFirmwareReference,
  prepareFromReference,
  referenceOf,
  SnpLaunch,
  snpProfile,
} from "@bootproof/measure/snp";
import {
  formatStatement,
  IN_TOTO_PAYLOAD_TYPE,
  makeBootMeasurement,
  makeRebuild,
  signEnvelope,
  type Artifact,
  type PlatformMeasurements,
  type SnpMeasurements,
  type Rebuild,
  type Release,
  type Statement,
} from "@bootproof/statement";

const key = (name: string, type?: typeof KEY_TYPE.cosignature): SigningKey =>
  makeSigningKey(name, sha256(utf8(`test seed of ${name}`)), type);

/** Whose keys there are. */
export type Party =
  | "log"
  | "otherLog"
  | "publisher"
  | "stranger"
  | "rebuilderA"
  | "rebuilderA2"
  | "rebuilderB"
  | "publisherRebuilder"
  | "witness1"
  | "witness2";

/** Everybody's keys. */
export const KEYS: Readonly<Record<Party, SigningKey>> = {
  log: key("example.org/log"),
  otherLog: key("example.net/log"),
  publisher: key("example.org/publisher"),
  stranger: key("example.net/stranger"),
  rebuilderA: key("a.example/rebuilder"),
  rebuilderA2: key("a.example/second-rebuilder"),
  rebuilderB: key("b.example/rebuilder"),
  publisherRebuilder: key("example.org/rebuilder"),
  witness1: key("w1.example/witness", KEY_TYPE.cosignature),
  witness2: key("w2.example/witness", KEY_TYPE.cosignature),
};

/** The text of one of {@link KEYS}. */
export const vkeyOf = (name: Party): string => formatVkey(KEYS[name].vkey);

const hash256 = (text: string): string => formatHex(sha256(utf8(text)));
const blob = (text: string): { sha256: string; size: number } => ({
  sha256: hash256(text),
  size: text.length,
});

/** A launch with a shape still open. */
export const launch: SnpLaunch = new SnpLaunch(
  {
    profile: snpProfile("qemu"),
    digest: sha384(utf8("everything before the VMSAs")),
    resetAddress: 0x80b004,
  },
  [],
  [],
);

const { prefix, vmsas } = referenceOf(
  launch,
  ["EPYC-v4", "EPYC-Milan"].map((cpu) => ({ vcpus: 1, cpu, guestFeatures: 1n })),
);

/** What the test release promises. */
export const measurements: PlatformMeasurements = {
  platform: "snp",
  vmm: "qemu",
  kernelHashes: true,
  axes: { vcpus: "1..4,8", cpu: ["EPYC-Milan", "EPYC-v4"], guestFeatures: ["0x1"] },
  reference: { prefix, vmsas },
};

/** An entry that states its firmware and kernel hashes in short, for one vCPU of one model. */
export function inShort(name: string): SnpMeasurements {
  const profile = snpProfile(name);
  const text = JSON.stringify({
    schema: FIRMWARE_REFERENCE_SCHEMA,
    size: 4096,
    seed: formatHex(sha384(utf8("every page of the firmware"))),
    resetAddress: "0x80b004",
    sections: ["0x800000+0x9000 0x1", "0x80d000+0x1000 0x2", "0x80e000+0x1000 0x3", "0x810000+0x1000 0x10"],
    hashTable: "0x810c00+0x400",
  });
  const boot = hashDirectBoot({ kernel: utf8("a kernel"), cmdline: utf8("quiet") });
  const firmware = parseFirmwareReference(utf8(text));
  const shape = { profile: name, vcpus: 1, cpu: "EPYC-Milan", guestFeatures: profile.guestFeatures };
  const {
    prefix: stated,
    vmsas: pages,
    ...parts
  } = referenceOf(prepareFromReference(firmware, boot, profile), [shape]);
  return {
    platform: "snp",
    vmm: profile.vmm,
    profile: name,
    kernelHashes: true,
    axes: {
      vcpus: "1",
      cpu: ["EPYC-Milan"],
      guestFeatures: [`0x${profile.guestFeatures.toString(16)}`],
    },
    reference: { prefix: stated, vmsas: pages, firmware: parts.firmware, kernelHashes: parts.kernelHashes },
  };
}

/** Two artifacts, sorted by name. */
export const artifacts: readonly Artifact[] = (["OVMF.fd", "vmlinuz"] as const).map((name) => ({
  name,
  kind: name === "vmlinuz" ? "kernel" : "firmware",
  size: name.length,
  sha256: hash256(name),
  sha384: formatHex(sha384(utf8(name))),
}));

/** The test release. */
export const release: Release = {
  release: { name: "snp-guest", version: "1" },
  artifacts,
  build: { recipe: blob("recipe"), lock: blob("lock"), provenance: blob("provenance"), actions: [] },
  measurements: [measurements],
  predictor: { name: "bootproof", version: "0.1.0" },
};

/** A statement in an envelope: a leaf. */
export const seal = (statement: Statement, signer: SigningKey): Promise<Uint8Array> =>
  signEnvelope(IN_TOTO_PAYLOAD_TYPE, formatStatement(statement), signerOf(signer));

/** The leaf of the test release. */
export const releaseLeaf: Uint8Array = await seal(makeBootMeasurement(release), KEYS.publisher);

/** Leaves before every other, so that proofs are not empty. */
const EARLIER = [utf8("an earlier leaf"), utf8("another one")];
/** Index of the test release in every test log. */
export const RELEASE_INDEX: number = EARLIER.length;

/** A rebuild statement about the test release. */
export function rebuildOf(change: Partial<Rebuild> = {}): Statement {
  const same = artifacts.map(({ name, sha256: digest, size }) => ({
    name,
    expected: { sha256: digest, size },
    found: { sha256: digest, size },
  }));
  return makeRebuild({
    of: { origin: KEYS.log.vkey.name, index: RELEASE_INDEX, leafHash: formatHex(leafHash(releaseLeaf)) },
    verdict: "IDENTICAL",
    artifacts: same,
    registers: { compared: 10, differ: [] },
    actions: [],
    rebuilder: { name: "host", organisation: "what it calls itself" },
    predictor: release.predictor,
    ...change,
  });
}

/** The artifacts of a rebuild in which the kernel came out otherwise. */
export const divergedArtifacts: Rebuild["artifacts"] = artifacts.map(({ name, sha256: digest, size }) => ({
  name,
  expected: { sha256: digest, size },
  found: name === "vmlinuz" ? blob("another kernel") : { sha256: digest, size },
}));

/** Who signs the checkpoint. */
export interface Signatures {
  readonly log?: SigningKey;
  readonly origin?: string;
  readonly witnesses?: readonly SigningKey[];
}

/** Logs `leaves` behind the earlier ones and returns the bundle of each. */
export async function logLeaves(
  leaves: readonly Uint8Array[],
  signatures: Signatures = {},
): Promise<Uint8Array[]> {
  const { log = KEYS.log, origin = log.vkey.name, witnesses = [] } = signatures;
  const entries = [...EARLIER, ...leaves];
  const hashes = entries.map(leafHash);
  const text = formatCheckpoint({ origin, size: BigInt(entries.length), root: rootOf(hashes) });
  const lines = await Promise.all(
    witnesses.map((witness) => cosign(text, signerOf(witness), 1_700_000_000n)),
  );
  const checkpoint = addSignatures(await signNote(text, [signerOf(log)]), lines);
  return leaves.map((extra, at) => {
    const index = EARLIER.length + at;
    return formatTlogProof({ extra, index: BigInt(index), hashes: pathOf(hashes, index), checkpoint });
  });
}

/** RFC 6962 section 2.1, as it is written there. */
function rootOf(hashes: readonly Sha256[]): Sha256 {
  const [only] = hashes;
  if (only !== undefined && hashes.length === 1) return only;
  const split = splitOf(hashes.length);
  return nodeHash(rootOf(hashes.slice(0, split)), rootOf(hashes.slice(split)));
}

/** RFC 6962 section 2.1.1. */
function pathOf(hashes: readonly Sha256[], index: number): Sha256[] {
  if (hashes.length === 1) return [];
  const split = splitOf(hashes.length);
  const [left, right] = [hashes.slice(0, split), hashes.slice(split)];
  return index < split
    ? [...pathOf(left, index), rootOf(right)]
    : [...pathOf(right, index - split), rootOf(left)];
}

const splitOf = (size: number): number => 2 ** Math.ceil(Math.log2(size) - 1);
