import { readFileSync } from "node:fs";
import { join } from "node:path";

import { formatHex, ParseError, parseHex, sha256, utf8, type JsonValue } from "@bootproof/bytes";
import { ecdsaPublicKey, ecdsaSign } from "@bootproof/bytes/ecdsa";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeManifest } from "./encode-borsh.ts";
import {
  checkApprovals,
  checkDocument,
  commitmentRegister,
  formatQosJson,
  manifestHash,
  parseQuorumFile,
  type QuorumApproval,
  type QuorumEnvelope,
  type QuorumManifest,
  type QuorumMember,
  type ShownDocument,
} from "./index.ts";

const VECTORS = join(import.meta.dirname, "../../vectors/quorum-os");
const load = (file: string): Uint8Array<ArrayBuffer> => new Uint8Array(readFileSync(join(VECTORS, file)));
const facts = JSON.parse(readFileSync(join(VECTORS, "documents.json"), "utf8")) as {
  document: { userData: string; publicKey: string; pcrs: Record<string, string> };
  manifestHashes: Record<string, string>;
  commitments: Record<string, string>;
  canonicalJson: { value: JsonValue; text: string; sha256: string }[];
};
const hex = (text: string): Uint8Array => parseHex(text, "hex");
const DOCUMENT: ShownDocument = {
  userData: hex(facts.document.userData),
  publicKey: hex(facts.document.publicKey),
  pcrs: new Map(Object.entries(facts.document.pcrs).map(([index, value]) => [Number(index), hex(value)])),
};
const envelopeBytes = load("turnkey-preprod-signer-envelope.bin");
const envelope = parseQuorumFile(envelopeBytes).envelope!;

describe("manifests from the wild", () => {
  it.each(Object.entries(facts.manifestHashes))(
    "%s has the hash that its document commits to",
    (file, hash) => {
      const bytes = load(file);
      const { kind, form, manifest } = parseQuorumFile(bytes);
      expect([kind, form]).toEqual(["manifest", "borsh"]);
      expect(formatHex(manifestHash(manifest))).toBe(hash);
      expect(encodeManifest(manifest)).toEqual(bytes);
    },
  );

  it("say what they run, and who may approve it", () => {
    expect(parseQuorumFile(load("qos-old-manifest.bin")).manifest).toMatchObject({
      version: "v0",
      namespace: { name: "quit-coding-to-vape", nonce: 2 },
      pivot: { restart: "Never", args: ["--msg", "testing420"] },
      manifestSet: { threshold: 2, members: [{ alias: "user1" }, { alias: "user2" }, { alias: "user3" }] },
    });
    expect(envelope.manifest).toMatchObject({ version: "v0", namespace: { name: "preprod/signer" } });
  });

  it("an enclave's document commits to the manifest it booted", () => {
    const checks = checkDocument(envelope.manifest, DOCUMENT);
    expect(checks.map(({ name, answer }) => `${name} ${answer}`)).toEqual([
      "user_data yes",
      "PCR0 yes",
      "PCR1 yes",
      "PCR2 yes",
      "PCR3 yes",
      "public_key yes",
      "PCR16, PCR17 could not decide",
    ]);
  });

  it("the members' signatures over the hash verify, and the threshold is met", () => {
    expect(checkApprovals(envelope).map(({ answer }) => answer)).toEqual(["yes", "yes", "yes"]);
  });
});

describe("a document that does not fit its manifest", () => {
  const { manifest } = envelope;
  const codes = (document: Partial<ShownDocument>, other: QuorumManifest = manifest): unknown[] =>
    checkDocument(other, { ...DOCUMENT, ...document })
      .filter(({ answer }) => answer === "no")
      .map(({ code }) => code);
  const register = (index: number, value: Uint8Array): Partial<ShownDocument> => ({
    pcrs: new Map([...DOCUMENT.pcrs, [index, value]]),
  });
  it("is told from one that does, field by field", () => {
    expect(codes({ userData: sha256(envelopeBytes) })).toEqual(["BP-QOS-001"]);
    expect(codes({ userData: undefined })).toEqual(["BP-QOS-001"]);
    for (const index of [0, 1, 2, 3])
      expect(codes(register(index, new Uint8Array(48).fill(7)))).toEqual(["BP-QOS-002"]);
    for (const publicKey of [undefined, new Uint8Array(130), DOCUMENT.publicKey!.subarray(0, 65)])
      expect(codes({ publicKey })).toEqual(["BP-QOS-004"]);
    expect(codes(register(16, new Uint8Array(48)))).toEqual(["BP-QOS-005"]);
  });

  it("is said to be of debug mode, or without a key, in words", () => {
    const reasons = (document: Partial<ShownDocument>): string[] =>
      checkDocument(manifest, { ...DOCUMENT, ...document }).map(({ reason }) => reason);
    expect(reasons(register(0, new Uint8Array(48)))[1]).toMatch(
      /^is all zeros, as every enclave in debug mode/,
    );
    expect(reasons({ publicKey: undefined })).toContain(
      "is not there: an enclave of QuorumOS gives its ephemeral key",
    );
  });

  it("of debug mode never matches a manifest of zeros", () => {
    const zeros = Array.from({ length: 4 }, () => new Uint8Array(48));
    const debug = { ...manifest, enclave: { ...manifest.enclave, pcrs: zeros } };
    const shown = {
      userData: manifestHash(debug),
      pcrs: new Map(zeros.map((value, index) => [index, value])),
    };
    expect(codes(shown, debug)).toEqual(["BP-QOS-003", "BP-QOS-003", "BP-QOS-003"]);
  });

  it("is not decided where registers are not known, as PCR3 of an EIF", () => {
    const pcrs = new Map([...DOCUMENT.pcrs].filter(([index]) => index !== 3));
    const pcr3 = checkDocument(manifest, { ...DOCUMENT, pcrs }).find(({ name }) => name === "PCR3");
    expect(pcr3).toMatchObject({ answer: "could not decide" });
  });

  it.each([
    [16, "qos-setup-manifest-pcr-commitment-v1"],
    [17, "qos-live-manifest-pcr-commitment-v1"],
  ])("PCR%i commits to manifest and key as QuorumOS computes it", (index, domain) => {
    const { manifestHash: hash, publicKey } = facts.commitments;
    expect(formatHex(commitmentRegister(domain, hex(hash!), hex(publicKey!)))).toBe(
      facts.commitments[domain],
    );
    const committed = commitmentRegister(domain, manifestHash(manifest), DOCUMENT.publicKey!);
    const checks = checkDocument(manifest, { ...DOCUMENT, ...register(index, committed) });
    expect(checks.at(-1)).toMatchObject({ name: `PCR${index}`, answer: "yes" });
  });
});

describe("approvals", () => {
  const secret = (seed: number): Uint8Array => new Uint8Array(32).fill(seed);
  const point = (seed: number): number[] => [4, ...ecdsaPublicKey("P-256", secret(seed))];
  const member = (seed: number, alias = `member ${seed}`): QuorumMember => ({
    alias,
    pubKey: Uint8Array.from([...point(seed + 100), ...point(seed)]),
  });
  const members = [member(1), member(2), member(3)];
  const manifest: QuorumManifest = { ...envelope.manifest, manifestSet: { threshold: 2, members } };
  const approve = (
    seed: number,
    by: QuorumMember = member(seed),
    what: QuorumManifest = manifest,
  ): QuorumApproval => ({
    signature: ecdsaSign("P-256", secret(seed), manifestHash(what)),
    member: by,
  });
  const codes = (approvals: readonly QuorumApproval[], what: QuorumManifest = manifest): unknown[] => {
    const given: QuorumEnvelope = { manifest: what, manifestSetApprovals: approvals, shareSetApprovals: [] };
    return checkApprovals(given)
      .filter(({ answer }) => answer !== "yes")
      .map(({ code }) => code);
  };
  it("of enough members are enough, and nothing else is", () => {
    expect(codes([approve(1), approve(3)])).toEqual([]);
    expect(codes([])).toEqual(["BP-QOS-008"]);
    expect(codes([approve(1)])).toEqual(["BP-QOS-008"]);
    expect(codes([approve(1), approve(1)])).toEqual(["BP-QOS-007", "BP-QOS-007", "BP-QOS-008"]);
    expect(codes([approve(1), approve(4)])).toEqual(["BP-QOS-007", "BP-QOS-008"]);
    expect(codes([approve(1), approve(2, member(2, "somebody"))])).toEqual(["BP-QOS-007", "BP-QOS-008"]);
    expect(codes([approve(1), approve(3, member(2))])).toEqual(["BP-QOS-006", "BP-QOS-008"]);
    const newer = { ...manifest, namespace: { ...manifest.namespace, nonce: manifest.namespace.nonce + 1 } };
    expect(codes([approve(1), approve(2)], newer)).toEqual(["BP-QOS-006", "BP-QOS-006", "BP-QOS-008"]);
  });

  it("of a set whose members are one party, or whose threshold is none, are a no", () => {
    const set = (threshold: number, ...all: QuorumMember[]): QuorumManifest => ({
      ...manifest,
      manifestSet: { threshold, members: all },
    });
    const twice = set(2, member(1), member(1, "other name"));
    expect(
      codes([approve(1, member(1), twice), approve(1, member(1, "other name"), twice)], twice),
    ).toContain("BP-QOS-009");
    expect(codes([], set(0, member(1)))).toContain("BP-QOS-009");
    expect(codes([], set(2, member(1)))).toContain("BP-QOS-009");
  });
});

describe("manifests in JSON", () => {
  const key = "04".repeat(33);
  const V2 = {
    version: "v2",
    namespace: { name: "n", nonce: 7, quorumKey: key },
    pivot: {
      hash: "09".repeat(32),
      restart: "Never",
      bridgeConfig: [
        { type: "server", port: 3000, host: "0.0.0.0" },
        { type: "client", port: "443" },
      ],
      debugMode: false,
      args: ["--flag"],
      env: { B: { plain: { value: "2" } }, A: { plain: { value: "1" } } },
    },
    manifestSet: { threshold: 1, members: [{ alias: "a", pubKey: key }] },
    shareSet: { threshold: "1", members: [] },
    enclave: {
      pcr0: "aa".repeat(48),
      pcr1: "bb".repeat(48),
      pcr2: "cc".repeat(48),
      pcr3: "dd".repeat(48),
      awsRootCertificate: "",
      qosCommit: "c",
    },
    dns: { resolvers: ["1.1.1.1", "2606:4700:4700::1111"] },
  };
  const V1 = {
    namespace: V2.namespace,
    pivot: { ...V2.pivot, env: undefined },
    manifestSet: V2.manifestSet,
    shareSet: V2.shareSet,
    enclave: V2.enclave,
    patchSet: { threshold: 0, members: [{ pubKey: key }] },
  };
  const read = (value: object): QuorumManifest => parseQuorumFile(utf8(JSON.stringify(value))).manifest;

  it("of v2 are hashed in their canonical form, however they are spelt", () => {
    const { pcr0, pcr1, pcr2, pcr3 } = V2.enclave;
    const canonical =
      `{"dns":{"resolvers":["1.1.1.1","2606:4700:4700::1111"]},` +
      `"enclave":{"awsRootCertificate":"","pcr0":"${pcr0}","pcr1":"${pcr1}","pcr2":"${pcr2}","pcr3":"${pcr3}","qosCommit":"c"},` +
      `"manifestSet":{"members":[{"alias":"a","pubKey":"${key}"}],"threshold":"1"},` +
      `"namespace":{"name":"n","nonce":"7","quorumKey":"${key}"},` +
      `"pivot":{"args":["--flag"],"bridgeConfig":[{"host":"0.0.0.0","port":"3000","type":"server"},{"port":"443","type":"client"}],` +
      `"debugMode":false,"env":{"A":{"plain":{"value":"1"}},"B":{"plain":{"value":"2"}}},"hash":"${V2.pivot.hash}","restart":"Never"},` +
      `"shareSet":{"members":[],"threshold":"1"},"version":"v2"}`;
    const hash = formatHex(sha256(utf8(canonical)));
    expect(formatHex(manifestHash(read(V2)))).toBe(hash);
    expect(formatHex(manifestHash(read(JSON.parse(canonical) as object)))).toBe(hash);
  });

  it("of v2 leave out what is not set", () => {
    const bare = { ...V2, dns: undefined, pivot: { ...V2.pivot, env: undefined } };
    expect(manifestHash(read({ ...bare, dns: null, pivot: { ...bare.pivot, env: {} } }))).toEqual(
      manifestHash(read(bare)),
    );
    expect(manifestHash(read(bare))).not.toEqual(manifestHash(read(V2)));
  });

  it("of v0 and v1 are hashed as Borsh", () => {
    const manifest = read(V1);
    expect(manifest.version).toBe("v1");
    expect(parseQuorumFile(encodeManifest(manifest)).manifest).toEqual(manifest);
    const pivot = { ...V1.pivot, bridgeConfig: undefined, debugMode: undefined };
    const bare = JSON.parse(JSON.stringify({ ...V1, pivot })) as object;
    const old = read(bare);
    expect(old.version).toBe("v0");
    expect(parseQuorumFile(encodeManifest(old)).manifest).toEqual(old);
  });

  it("come with approvals, which v0 spells in its own way", () => {
    const approvals = [{ signature: "00", member: V2.manifestSet.members[0] }];
    const file = parseQuorumFile(
      utf8(JSON.stringify({ manifest: V2, manifestSetApprovals: approvals, shareSetApprovals: [] })),
    );
    expect(file).toMatchObject({ kind: "envelope", form: "json" });
    expect(checkApprovals(file.envelope!).map(({ code }) => code)).toEqual(["BP-QOS-006", "BP-QOS-008"]);
  });

  it.each<[string, object]>([
    ["a member that v2 does not know", { ...V2, patchSet: V1.patchSet }],
    ["a member of v1 that qos would ignore", { ...V1, extra: 1 }],
    ["another version", { ...V2, version: "v3" }],
    ["a number with a fraction", { ...V2, namespace: { ...V2.namespace, nonce: 1.5 } }],
    ["a nonce of 33 bits", { ...V2, namespace: { ...V2.namespace, nonce: 2 ** 32 } }],
    [
      "a port of 17 bits",
      { ...V2, pivot: { ...V2.pivot, bridgeConfig: [{ type: "server", port: 65536, host: "x" }] } },
    ],
    ["a hash of another length", { ...V2, pivot: { ...V2.pivot, hash: "09" } }],
    ["an address in a longer spelling", { ...V2, dns: { resolvers: ["2606:4700:4700:0::1111"] } }],
    ["an address that Rust spells with dots", { ...V2, dns: { resolvers: ["::ffff:1.1.1.1"] } }],
    ["an address with a leading zero", { ...V2, dns: { resolvers: ["01.1.1.1"] } }],
    ["a variable that is none", { ...V2, pivot: { ...V2.pivot, env: { "A=B": { plain: { value: "1" } } } } }],
    ["no restart policy", { ...V2, pivot: { ...V2.pivot, restart: "never" } }],
    ["nothing of a manifest", { namespace: {} }],
  ])("with %s are refused", (_what, value) => {
    expect(() => read(value)).toThrow(ParseError);
  });

  it.each(facts.canonicalJson)(
    "canonical JSON is that of QuorumOS: $text",
    ({ value, text, sha256: digest }) => {
      expect(formatQosJson(value)).toBe(text);
      expect(formatHex(sha256(utf8(text)))).toBe(digest);
    },
  );

  it("canonical JSON has whole numbers only, and keeps nulls in lists", () => {
    expect(() => formatQosJson(1.5)).toThrow(RangeError);
    expect(formatQosJson([null, 1, { a: null }])).toBe('[null,"1",{}]');
  });
});

describe("hostile manifests", () => {
  const tolerant = (bytes: Uint8Array): void => {
    try {
      const file = parseQuorumFile(bytes);
      manifestHash(file.manifest);
      if (file.envelope !== undefined) checkApprovals(file.envelope);
      checkDocument(file.manifest, DOCUMENT);
    } catch (error) {
      if (!(error instanceof ParseError)) throw error;
    }
  };
  it("any bytes are read or refused by ParseError", () => {
    fc.assert(fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), fc.json().map(utf8)), tolerant));
  });

  it("any change of a byte is refused, or is another manifest", () => {
    const bytes = load("turnkey-preprod-signer-manifest.bin");
    const hash = formatHex(sha256(bytes));
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, by) => {
        const changed = Uint8Array.from(bytes);
        changed[at] = (changed[at]! + by) % 256;
        try {
          const { manifest } = parseQuorumFile(changed);
          expect(formatHex(manifestHash(manifest))).not.toBe(hash);
          expect(encodeManifest(manifest)).toEqual(changed);
        } catch (error) {
          if (!(error instanceof ParseError)) throw error;
        }
      }),
      { numRuns: 300 },
    );
  });

  it("every cut of an envelope is refused", () => {
    for (let length = 0; length < envelopeBytes.length; length += 7)
      if (length !== load("turnkey-preprod-signer-manifest.bin").length)
        expect(() => parseQuorumFile(envelopeBytes.subarray(0, length))).toThrow(ParseError);
    expect(() => parseQuorumFile(Uint8Array.from([...envelopeBytes, 0]))).toThrow(ParseError);
  });

  it("a count that the bytes have no room for costs nothing", () => {
    const bytes = Uint8Array.from([1, 0, 0, 0, 97, 0, 0, 0, 0, 255, 255, 255, 255]);
    expect(() => parseQuorumFile(bytes)).toThrow(ParseError);
  });
});
