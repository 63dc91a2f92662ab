import { formatVkey, KEY_TYPE } from "@bootproof/bytes";
import { makeSigningKey } from "@bootproof/bytes/signing";
import { BOOT_MEASUREMENT_TYPE } from "@bootproof/statement";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { AdmissionError } from "./admission-error.ts";
import { MAX_PUBLISHERS_SIZE, parsePublishers } from "./publishers.ts";
import { ACME, GLOBEX, PUBLISHERS, SBOM } from "./tenants.testing.ts";

const acme = JSON.stringify(formatVkey(ACME.vkey));
const globex = JSON.stringify(formatVkey(GLOBEX.vkey));
const witness = makeSigningKey("acme.example/witness", new Uint8Array(32).fill(8), KEY_TYPE.cosignature);
const renamed = makeSigningKey("acme.example/second", ACME.seed);
const quota = "{entriesPerDay: 1, bytesPerDay: 1}";
const one = (change: Record<string, string> = {}): string => {
  const fields = {
    organisation: "Acme",
    key: acme,
    subjects: "[acme-a]",
    may: "[release]",
    quota,
    ...change,
  };
  const rows = Object.entries(fields).filter(([, value]) => value !== "");
  return rows.map(([name, value], at) => `${at === 0 ? "  - " : "    "}${name}: ${value}\n`).join("");
};
const listOf = (...publishers: string[]): string => `publishers:\n${publishers.join("")}`;

function problems(text: string): string {
  try {
    parsePublishers(text, "p.yaml");
  } catch (error) {
    if (error instanceof AdmissionError) return error.issues.join("\n");
    throw error;
  }
  return "accepted";
}

describe("publishers: a mistake in the list must not let anybody in", () => {
  it("reads names, keys, types and quotas", () => {
    const [first, second, third] = parsePublishers(PUBLISHERS);
    expect(first).toMatchObject({ organisation: "Acme", key: ACME.vkey, subjects: ["acme-*"] });
    expect(first?.may).toContain(BOOT_MEASUREMENT_TYPE);
    expect(first?.may).toContain(SBOM);
    expect(second?.quota).toEqual({ entriesPerDay: 5, bytesPerDay: 20_000 });
    expect(third).toMatchObject({ subjects: "any", quota: "any" });
    expect(problems(listOf(one(), one({ organisation: "Globex", key: globex, subjects: "[globex]" })))).toBe(
      "accepted",
    );
  });

  it.each<[string, string, string]>([
    ["no list", "publishers: []", "p.yaml:1:13: publishers: expected at least one entry"],
    ["an unknown key", listOf(one({ quotas: "any" })), "p.yaml:7:5: publishers.0.quotas: unknown key"],
    ["a missing quota", listOf(one({ quota: "" })), "missing key"],
    ["a missing list of types", listOf(one({ may: "" })), "missing key"],
    ["half a quota", listOf(one({ quota: "{entriesPerDay: 1}" })), "missing key"],
    ["a quota of nothing", listOf(one({ quota: "{entriesPerDay: 0, bytesPerDay: 1}" })), "at least 1"],
    ["a quota in words", listOf(one({ quota: "{entriesPerDay: many, bytesPerDay: 1}" })), "a whole number"],
    ["a namespace in capitals", listOf(one({ subjects: "[ACME-*]" })), "expected a release's name"],
    ["a * alone", listOf(one({ subjects: '["*"]' })), "expected a release's name"],
    ["a * in the middle", listOf(one({ subjects: '["a*b"]' })), "expected a release's name"],
    ["a namespace twice", listOf(one({ subjects: "[a, a]" })), "an entry appears twice"],
    [
      "an unknown word for a type",
      listOf(one({ may: "[releases]" })),
      "p.yaml:5:11: publishers.0.may.0: expected release",
    ],
    [
      "the URI of a type that has a word",
      listOf(one({ may: `["${BOOT_MEASUREMENT_TYPE}"]` })),
      "write release",
    ],
    ["a witness's key", listOf(one({ key: JSON.stringify(formatVkey(witness.vkey)) })), "a publisher's vkey"],
    ["a private key", listOf(one({ key: '"PRIVATE+KEY+x+00000000+AAAA"' })), "publishers.0.key"],
    [
      "one key under two names",
      listOf(one(), one({ key: JSON.stringify(formatVkey(renamed.vkey)) })),
      "an entry appears twice",
    ],
    [
      "one name for two organisations",
      listOf(one(), one({ organisation: "Globex", key: globex })),
      "two organisations",
    ],
    [
      "namespaces that overlap",
      listOf(one(), one({ organisation: "Globex", key: globex, subjects: '["acme*"]' })),
      "two organisations",
    ],
    [
      "a namespace in another's",
      listOf(
        one({ subjects: '["a-*"]' }),
        one({ organisation: "Globex", key: globex, subjects: '["a-b-*"]' }),
      ),
      "two organisations",
    ],
    ["an alias", `x: &a 1\npublishers: *a`, "anchors are not allowed"],
    ["a key twice", `publishers: []\npublishers: []`, "p.yaml:2:1"],
    ["a list that is too large", `#${"x".repeat(MAX_PUBLISHERS_SIZE)}`, "more than"],
  ])("refuses %s and says where", (_, text, problem) => {
    expect(problems(text)).toContain(problem);
  });

  it("reads any text or refuses it with a place", () => {
    const shards = fc.constantFrom(
      "publishers:",
      "\n",
      "  - ",
      "key: ",
      acme,
      "[",
      "]",
      "{",
      "}",
      '"',
      "any",
      ":",
      "*",
    );
    const texts = fc.oneof(
      fc.string(),
      fc.array(shards, { maxLength: 20 }).map((parts) => parts.join("")),
    );
    fc.assert(
      fc.property(texts, (text) => {
        expect(problems(text)).toMatch(/^(accepted|p\.yaml:\d+:\d+: )/);
      }),
      { numRuns: 500 },
    );
  });

  it("reads any change of one letter or refuses it with a place", () => {
    fc.assert(
      fc.property(fc.nat(PUBLISHERS.length - 1), fc.string({ minLength: 1, maxLength: 1 }), (at, letter) => {
        const text = PUBLISHERS.slice(0, at) + letter + PUBLISHERS.slice(at + 1);
        expect(problems(text)).toMatch(/^(accepted|p\.yaml:\d+:\d+: )/);
      }),
      { numRuns: 500 },
    );
  });
});
