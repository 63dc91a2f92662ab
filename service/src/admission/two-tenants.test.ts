import { concatBytes, formatBase64, parseUtf8, utf8, type JsonValue } from "@bootproof/bytes";
import { makeSigningKey } from "@bootproof/bytes/signing";
import { entryIdentity, formatEnvelope, MAX_ENVELOPE, parseEnvelope } from "@bootproof/statement";
import { describe, expect, it } from "vitest";

import type { Admitted, Refusal } from "./admission.ts";
import {
  ACME,
  GLOBEX,
  REBUILDER,
  SBOM,
  STRANGER,
  admission,
  outcome,
  own,
  payloadOf,
  provenanceStatement,
  rebuildOf,
  releaseStatement,
  reseal,
  sbomStatement,
  seal,
  sealText,
  theirs,
  unsigned,
} from "./tenants.testing.ts";

describe("two tenants: nobody may speak about another's names, however it is written", () => {
  it.each<[string, string, () => Promise<Uint8Array>]>([
    ["a release under the other's name", "BP-ADMIT-010", () => seal(releaseStatement("globex-other"), ACME)],
    [
      "a name that only begins like its own namespace",
      "BP-ADMIT-010",
      () => seal(releaseStatement("acme"), ACME),
    ],
    [
      "a name that continues a name without a *",
      "BP-ADMIT-010",
      () => seal(releaseStatement("globexx"), GLOBEX),
    ],
    [
      "one subject of its own and one of the other's",
      "BP-ADMIT-010",
      () => seal(sbomStatement("acme-a", "globex-a"), ACME),
    ],
    ["the other's subject first", "BP-ADMIT-010", () => seal(sbomStatement("globex-a", "acme-a"), ACME)],
    ["a namespace in capitals", "BP-ADMIT-010", () => seal(sbomStatement("ACME-a"), ACME)],
    [
      "provenance of the other's release",
      "BP-ADMIT-010",
      () => seal(provenanceStatement("globex-other"), ACME),
    ],
    [
      "provenance by another's tool, whose files have the other's names",
      "BP-ADMIT-010",
      () =>
        seal(
          {
            subject: [{ name: "globex-a", digest: { sha256: "ab".repeat(32) } }],
            predicateType: "https://slsa.dev/provenance/v1",
            predicate: {
              buildDefinition: {
                buildType: "https://example.org/other",
                externalParameters: { release: { name: "acme-a" } },
                resolvedDependencies: [],
              },
              runDetails: { builder: { id: "x" } },
            },
          },
          ACME,
        ),
    ],
    ["a rebuild of the other's release", "BP-ADMIT-010", () => seal(rebuildOf(2), ACME)],
    ["a rebuild of an entry that is no release", "BP-ADMIT-011", () => seal(rebuildOf(0), ACME)],
    ["a rebuild of an entry that is not there", "BP-ADMIT-011", () => seal(rebuildOf(9), ACME)],
    [
      "a rebuild of its own index with the other's leaf",
      "BP-ADMIT-011",
      () => {
        const { of } = rebuildOf(2).predicate as { of: { origin: string; leafHash: string } };
        return seal(rebuildOf(1, { of: { ...of, index: 1 } }), ACME);
      },
    ],
    [
      "a rebuild of its own release that expects the other's artifacts",
      "BP-ADMIT-011",
      () => {
        const digest = { sha256: "cd".repeat(32), size: 7 };
        return seal(
          rebuildOf(1, { artifacts: [{ name: "OVMF.fd", expected: digest, found: digest }] }),
          ACME,
        );
      },
    ],
    ["a type that it may not use", "BP-ADMIT-008", () => seal(sbomStatement("globex-a"), GLOBEX)],
    ["a rebuild where only releases are allowed", "BP-ADMIT-008", () => seal(rebuildOf(2), GLOBEX)],
    [
      "its own release by who only rebuilds",
      "BP-ADMIT-008",
      () => seal(releaseStatement("acme-x"), REBUILDER),
    ],
    [
      "a known type in capitals",
      "BP-ADMIT-008",
      () =>
        reseal(
          theirs,
          (text) => text.replace("https://bootproof.dev/boot", "https://BOOTPROOF.dev/boot"),
          ACME,
        ),
    ],
    [
      "a name with a letter that looks alike",
      "BP-ADMIT-009",
      () => reseal(own, (text) => text.replaceAll("acme-other", "acme-\u043ether"), ACME),
    ],
    [
      "a name with a letter of no width",
      "BP-ADMIT-009",
      () => reseal(own, (text) => text.replaceAll("acme-other", "acme-\u200bother"), ACME),
    ],
    [
      "a name composed otherwise",
      "BP-ADMIT-007",
      () => reseal(unsigned(sbomStatement("acme-e")), (text) => text.replace("acme-e", "acme-e\u0301"), ACME),
    ],
    [
      "a path that leads out of its namespace",
      "BP-ADMIT-007",
      () =>
        reseal(
          unsigned(sbomStatement("acme-e")),
          (text) => text.replace("acme-e", "acme-/../globex-e"),
          ACME,
        ),
    ],
    [
      "the other's name, escaped",
      "BP-ADMIT-010",
      () => reseal(own, (text) => text.replace("acme-other", "\\u0067lobex-other"), ACME),
    ],
    [
      "a name with a line feed and the other's name",
      "BP-ADMIT-009",
      () => reseal(own, (text) => text.replace("acme-other", "acme-other\\nglobex-other"), ACME),
    ],
    [
      "a key twice, its own name last",
      "BP-ADMIT-007",
      () =>
        reseal(
          own,
          (text) => text.replace('"name":"acme-other"', '"name":"globex-other","name":"acme-other"'),
          ACME,
        ),
    ],
    [
      "a key twice, once escaped",
      "BP-ADMIT-007",
      () =>
        reseal(
          own,
          (text) => text.replace('"name":"acme-other"', '"n\\u0061me":"globex-other","name":"acme-other"'),
          ACME,
        ),
    ],
    [
      "a second list of subjects",
      "BP-ADMIT-007",
      () =>
        reseal(
          unsigned(sbomStatement("acme-a")),
          (text) =>
            text.replace('"subject":', '"subject":[{"digest":{"sha256":"00"},"name":"globex-a"}],"subject":'),
          ACME,
        ),
    ],
    [
      "a key that some readers skip",
      "BP-ADMIT-007",
      () =>
        reseal(
          unsigned(sbomStatement("acme-a")),
          (text) => text.replace('"predicate":{}', '"predicate":{"__proto__":{"name":"globex-a"}}'),
          ACME,
        ),
    ],
    [
      "keys that the schema does not know",
      "BP-ADMIT-007",
      () =>
        reseal(
          unsigned(sbomStatement("acme-a")),
          (text) => text.replace('"predicate":{}', '"predicate":{},"subjects":[]'),
          ACME,
        ),
    ],
    [
      "no subject at all",
      "BP-ADMIT-007",
      () =>
        sealText(
          JSON.stringify({
            _type: "https://in-toto.io/Statement/v1",
            subject: [],
            predicateType: SBOM,
            predicate: {},
          }),
          ACME,
        ),
    ],
    [
      "a statement of another version",
      "BP-ADMIT-007",
      () => reseal(own, (text) => text.replace("Statement/v1", "Statement/v0.1"), ACME),
    ],
    ["another payload type", "BP-ADMIT-006", () => sealText(payloadOf(own), ACME, "text/plain")],
    [
      "an all-zero measurement",
      "BP-ADMIT-009",
      () => reseal(own, (text) => text.replace("ab".repeat(48), "00".repeat(48)), ACME),
    ],
  ])("refuses %s", async (_, code, make) => {
    const answer = (await admission.admit(await make())) as Refusal;
    expect(answer).toMatchObject({ code });
    expect(answer.message).toMatch(/^.+$/);
  });

  const parsed = parseEnvelope(theirs);
  const [their] = parsed.signatures;
  const [mine] = parseEnvelope(own).signatures;
  const json = JSON.parse(parseUtf8(theirs, "envelope")) as Record<string, JsonValue>;
  const spelled = (document: JsonValue): Uint8Array => utf8(JSON.stringify(document));

  it.each<[string, string, Uint8Array]>([
    [
      "the other's statement under its own signature's name",
      "BP-ADMIT-005",
      formatEnvelope({ ...parsed, signatures: [{ ...their!, keyid: mine!.keyid }] }),
    ],
    [
      "its own statement under the other's name",
      "BP-ADMIT-005",
      formatEnvelope({ ...parseEnvelope(own), signatures: [{ ...mine!, keyid: their!.keyid }] }),
    ],
    [
      "its signature on the other's statement",
      "BP-ADMIT-005",
      formatEnvelope({ ...parsed, signatures: [mine!] }),
    ],
    [
      "a second signature beside the other's",
      "BP-ADMIT-003",
      formatEnvelope({ ...parsed, signatures: [their!, mine!] }),
    ],
    [
      "a second signature before the other's",
      "BP-ADMIT-003",
      formatEnvelope({ ...parsed, signatures: [mine!, their!] }),
    ],
    ["no signature", "BP-ADMIT-002", spelled({ ...json, signatures: [] })],
    [
      "a signature without a key ID",
      "BP-ADMIT-002",
      spelled({ ...json, signatures: [{ sig: formatBase64(their!.sig) }] }),
    ],
    [
      "an empty key ID",
      "BP-ADMIT-004",
      formatEnvelope({ ...parsed, signatures: [{ ...their!, keyid: "" }] }),
    ],
    [
      "the key ID in capitals",
      "BP-ADMIT-004",
      formatEnvelope({ ...parsed, signatures: [{ ...their!, keyid: their!.keyid.toUpperCase() }] }),
    ],
    [
      "the key ID alone, without its name",
      "BP-ADMIT-004",
      formatEnvelope({ ...parsed, signatures: [{ ...their!, keyid: GLOBEX.vkey.keyId }] }),
    ],
    [
      "a replay with keys in another order",
      "BP-ADMIT-002",
      spelled({
        signatures: json["signatures"]!,
        payloadType: json["payloadType"]!,
        payload: json["payload"]!,
      }),
    ],
    ["a replay with space", "BP-ADMIT-002", utf8(`${parseUtf8(theirs, "e")} `)],
    ["a replay with an unknown key", "BP-ADMIT-002", spelled({ ...json, extra: 1 })],
    [
      "a replay with the name of a key in capitals",
      "BP-ADMIT-002",
      utf8(parseUtf8(theirs, "e").replace('"payload"', '"Payload"')),
    ],
    [
      "a replay with the payload type in capitals",
      "BP-ADMIT-005",
      formatEnvelope({ ...parsed, payloadType: parsed.payloadType.toUpperCase() }),
    ],
    [
      "a replay with URL-safe base64",
      "BP-ADMIT-002",
      utf8(
        parseUtf8(theirs, "e").replace(/"sig":"[^"]*"/, (sig) =>
          sig.replaceAll("+", "-").replaceAll("/", "_"),
        ),
      ),
    ],
    [
      "a payload twice",
      "BP-ADMIT-002",
      utf8(parseUtf8(theirs, "e").replace('{"payload":', '{"payload":"e30=","payload":')),
    ],
    ["a byte order mark", "BP-ADMIT-002", concatBytes(Uint8Array.of(0xef, 0xbb, 0xbf), theirs)],
    [
      "bytes that are not UTF-8",
      "BP-ADMIT-002",
      concatBytes(theirs.subarray(0, 20), Uint8Array.of(0xff), theirs.subarray(20)),
    ],
    ["brackets without end", "BP-ADMIT-002", utf8("[".repeat(60_000))],
    ["nothing", "BP-ADMIT-002", new Uint8Array()],
    ["a body that is too large", "BP-ADMIT-001", new Uint8Array(MAX_ENVELOPE + 1)],
  ])("refuses %s", async (_, code, body) => {
    expect(await outcome(body)).toBe(code);
  });

  it("refuses who is not in the list, and a key that took a listed key's name", async () => {
    expect(await outcome(await seal(releaseStatement("acme-other"), STRANGER))).toBe("BP-ADMIT-004");
    const impostor = makeSigningKey(ACME.vkey.name, new Uint8Array(32).fill(9));
    expect(await outcome(await seal(releaseStatement("acme-other"), impostor))).toBe("BP-ADMIT-004");
    const claimed = { ...impostor, vkey: { ...impostor.vkey, keyId: ACME.vkey.keyId } };
    expect(await outcome(await seal(releaseStatement("acme-other"), claimed))).toBe("BP-ADMIT-005");
  });

  it("charges a replay to who signed it, and knows it by its identity", async () => {
    const again = (await admission.admit(theirs)) as Admitted;
    expect(again).toMatchObject({ publisher: "Globex" });
    expect(again.identity).toEqual(entryIdentity(theirs));
  });

  it("refuses a release with more shapes than an index holds", async () => {
    const cpu = Array.from({ length: 3 }, (_, at) => `EPYC-v${at + 1}`);
    const vmsas = [
      { cpuSignature: "0x800f12", guestFeatures: "0x1", bsp: "ab".repeat(48), ap: "cd".repeat(48) },
    ];
    const many = releaseStatement("acme-many", {
      measurements: [
        {
          platform: "snp",
          vmm: "qemu",
          kernelHashes: false,
          axes: { vcpus: "1..4096", cpu, guestFeatures: ["0x1"] },
          reference: { prefix: "ef".repeat(48), vmsas },
        },
      ],
    });
    expect(await outcome(await seal(many, ACME))).toBe("BP-ADMIT-009");
  });
});
