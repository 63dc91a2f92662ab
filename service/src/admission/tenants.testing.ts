/**
 * Two tenants of one log, and what each could send; everything is signed for real.
 * @module
 */
import { formatHex, formatVkey, parseUtf8, sha256, sha384, utf8 } from "@bootproof/bytes";
import { makeSigningKey, signerOf, type SigningKey } from "@bootproof/bytes/signing";
import { leafHash } from "@bootproof/log";
import {
  formatEnvelope,
  formatStatement,
  IN_TOTO_PAYLOAD_TYPE,
  makeBootMeasurement,
  makeProvenance,
  makeRebuild,
  parseEnvelope,
  signEnvelope,
  type Artifact,
  type Rebuild,
  type Release,
  type Statement,
} from "@bootproof/statement";

import { openAdmission, type Admission } from "./admission.ts";
import type { AboutLog } from "./named.ts";

const keyOf = (name: string, seed: number): SigningKey => makeSigningKey(name, new Uint8Array(32).fill(seed));

export const ACME: SigningKey = keyOf("acme.example/key", 1);
export const GLOBEX: SigningKey = keyOf("globex.example/key", 2);
export const REBUILDER: SigningKey = keyOf("rebuilder.example/key", 3);
export const STRANGER: SigningKey = keyOf("stranger.example/key", 4);
export const SBOM = "https://spdx.dev/Document";

const text = ({ vkey }: SigningKey): string => JSON.stringify(formatVkey(vkey));

export const PUBLISHERS: string = `
publishers:
  - organisation: Acme
    key: ${text(ACME)}
    subjects: ["acme-*"]
    may: [release, rebuild, provenance, ${JSON.stringify(SBOM)}]
    quota: {entriesPerDay: 5, bytesPerDay: 20000}
  - organisation: Globex
    key: ${text(GLOBEX)}
    subjects: ["globex-*", globex]
    may: [release, provenance]
    quota: {entriesPerDay: 5, bytesPerDay: 20000}
  - organisation: Rebuilders
    key: ${text(REBUILDER)}
    subjects: any
    may: [rebuild]
    quota: any
`.trimStart();

const blob = (of: string): { sha256: string; size: number } => ({
  sha256: formatHex(sha256(utf8(of))),
  size: of.length,
});

const artifact = (name: string): Artifact => ({
  name,
  kind: "file",
  size: name.length,
  sha256: formatHex(sha256(utf8(name))),
  sha384: formatHex(sha384(utf8(name))),
});

export const release = (name: string, change: Partial<Release> = {}): Release => ({
  release: { name, version: "1" },
  artifacts: [artifact("OVMF.fd")],
  build: { recipe: blob("recipe"), lock: blob("lock"), provenance: blob("provenance"), actions: [] },
  measurements: [{ platform: "nitro", shape: {}, registers: { PCR0: "ab".repeat(48) } }],
  predictor: { name: "bootproof", version: "0.1.0" },
  ...change,
});

export const releaseStatement = (name: string, change: Partial<Release> = {}): Statement =>
  makeBootMeasurement(release(name, change));

export const provenanceStatement = (name: string): Statement =>
  makeProvenance({
    artifacts: release(name).artifacts,
    release: { name, version: "1" },
    recipe: { name: "recipe", digest: { sha256: blob("recipe").sha256 } },
    lock: { name: "lock", digest: { sha256: blob("lock").sha256 } },
    actions: [],
    dependencies: [],
    builderId: "https://example.org/builder",
    builder: { name: "bootproof", version: "0.1.0" },
  });

export const sbomStatement = (...names: string[]): Statement => ({
  subject: names.map((name) => ({ name, digest: { sha256: blob(name).sha256 } })),
  predicateType: SBOM,
  predicate: {},
});

export const seal = (statement: Statement, key: SigningKey): Promise<Uint8Array> =>
  signEnvelope(IN_TOTO_PAYLOAD_TYPE, formatStatement(statement), signerOf(key));

/** An envelope around a text that need not be a statement. */
export const sealText = (
  payload: string,
  key: SigningKey,
  type: string = IN_TOTO_PAYLOAD_TYPE,
): Promise<Uint8Array> => signEnvelope(type, utf8(payload), signerOf(key));

const entries = [
  utf8("no statement"),
  await seal(releaseStatement("acme-guest"), ACME),
  await seal(releaseStatement("globex-guest"), GLOBEX),
];

/** A log with a release of each tenant: Acme's at 1, Globex's at 2. */
export const LOG: AboutLog = {
  origin: "example.org/log",
  entry: (index) => Promise.resolve(entries[Number(index)]),
};

export function rebuildOf(index: number, change: Partial<Rebuild> = {}): Statement {
  const same = release("any").artifacts.map(({ name, sha256: digest, size }) => ({
    name,
    expected: { sha256: digest, size },
    found: { sha256: digest, size },
  }));
  return makeRebuild({
    of: { origin: LOG.origin, index, leafHash: formatHex(leafHash(entries[index] ?? new Uint8Array())) },
    verdict: "IDENTICAL",
    artifacts: same,
    registers: { compared: 1, differ: [] },
    actions: [],
    rebuilder: { name: "host", organisation: "whatever it says" },
    predictor: { name: "bootproof", version: "0.1.0" },
    ...change,
  });
}

export const NOON: number = 1_700_000_000 - (1_700_000_000 % 86_400) + 43_200;

/** Admission of this list at a time. */
export const open = (now = (): number => NOON): Admission => openAdmission(PUBLISHERS, { now, log: LOG });

const unlimited = PUBLISHERS.replaceAll(/quota: \{.*\}/g, "quota: any");

/** Admission without quotas. */
export const admission: Admission = openAdmission(unlimited, { now: () => NOON, log: LOG });

/** "admitted", or the code of the refusal. */
export async function outcome(body: Uint8Array, by: Admission = admission): Promise<string> {
  const answer = await by.admit(body);
  return "code" in answer ? answer.code : "admitted";
}

export const payloadOf = (envelope: Uint8Array): string =>
  parseUtf8(parseEnvelope(envelope).unverifiedPayload, "payload");

/** The payload of an envelope, changed and signed again. */
export const reseal = (
  envelope: Uint8Array,
  change: (payload: string) => string,
  key: SigningKey,
): Promise<Uint8Array> => sealText(change(payloadOf(envelope)), key);

/** A statement in an envelope that nobody signed. */
export const unsigned = (statement: Statement): Uint8Array =>
  formatEnvelope({
    payloadType: IN_TOTO_PAYLOAD_TYPE,
    unverifiedPayload: formatStatement(statement),
    signatures: [{ keyid: "", sig: new Uint8Array(64) }],
  });

/** A release of Acme's own, and one of Globex's. */
export const own: Uint8Array = await seal(releaseStatement("acme-other"), ACME);
export const theirs: Uint8Array = await seal(releaseStatement("globex-other"), GLOBEX);
