import { ParseError, utf8 } from "@bootproof/bytes";
import { signerOf, type SigningKey } from "@bootproof/bytes/signing";
import { parseTlogProof } from "@bootproof/log";
import { makeBootMeasurement, signEnvelope, type Rebuild } from "@bootproof/statement";
import fc from "fast-check";
import * as v from "valibot";
import { describe, expect, it } from "vitest";
import { policySchema, type Policy } from "./policy.ts";
import { verifyBundle, type BundleQuestion, type BundleVerdict } from "./verify-bundle.ts";
import {
  artifacts,
  divergedArtifacts,
  KEYS,
  logLeaves,
  measurements,
  rebuildOf,
  release,
  releaseLeaf,
  seal,
  vkeyOf,
  type Party,
} from "./world.testing.ts";

const plain = {
  publishers: [{ organisation: "Example", key: vkeyOf("publisher"), subjects: ["snp-*"] }],
  logs: [vkeyOf("log")],
  witnesses: "any" as unknown,
  rebuilds: "any" as unknown,
};
const policyOf = (change: Partial<typeof plain> = {}): Policy =>
  v.parse(policySchema, { ...plain, ...change });
const twoWitnesses = policyOf({ witnesses: { need: 2, keys: [vkeyOf("witness1"), vkeyOf("witness2")] } });

const [bundle = new Uint8Array()] = await logLeaves([releaseLeaf]);
const verdict = (change: Partial<BundleQuestion> = {}): BundleVerdict =>
  verifyBundle({ bundle, policy: policyOf(), ...change });
const check = (of: BundleVerdict, name: string) => of.checks.find((one) => one.name === name);

describe("verifying a bundle: never a yes for what does not hold", () => {
  it("says yes with a reason for each check, and what was not asked", () => {
    const found = verdict();
    expect(found.answer).toBe("yes");
    expect(found.checks.map(({ name, answer }) => `${name}: ${answer}`)).toEqual([
      "log signature: yes",
      "inclusion: yes",
      "statement type: yes",
      "publisher: yes",
      "expected values: yes",
      "measurements: yes",
    ]);
    expect(found.skipped.map(({ name }) => name)).toEqual(["witnesses", "rebuilds"]);
    expect(found.checks.every(({ reason }) => reason !== "")).toBe(true);
    expect(found.publisher?.organisation).toBe("Example");
    expect(found.release?.predicate.release).toEqual({ name: "snp-guest", version: "1" });
    expect(found.place).toMatchObject({ origin: "example.org/log", index: 2n, size: 3n });
  });

  it("says no with another publisher's key, and then believes nothing of the release", () => {
    const publishers = [{ organisation: "Stranger", key: vkeyOf("stranger"), subjects: "any" as never }];
    const found = verdict({ policy: policyOf({ publishers }) });
    expect(found.answer).toBe("no");
    expect(check(found, "publisher")).toMatchObject({
      answer: "no",
      reason: expect.stringContaining("example.org/publisher+") as string,
    });
    expect(found.release).toBeUndefined();
    expect(found.publisher).toBeUndefined();
  });

  it("says no when the publisher may publish other releases only", () => {
    const publishers = [{ organisation: "Example", key: vkeyOf("publisher"), subjects: ["tdx-*"] }];
    const found = verdict({ policy: policyOf({ publishers }) });
    expect(found.answer).toBe("no");
    expect(check(found, "publisher")?.reason).toContain("may publish tdx-*, not snp-guest");
  });

  it("says no with another log's key", () => {
    const found = verdict({ policy: policyOf({ logs: [vkeyOf("otherLog")] }) });
    expect(found.answer).toBe("no");
    expect(check(found, "log signature")?.answer).toBe("no");
  });

  it("says no to a checkpoint that a known log signed under another's origin", async () => {
    const [lying] = await logLeaves([releaseLeaf], { log: KEYS.otherLog, origin: "example.org/log" });
    const policy = policyOf({ logs: [vkeyOf("log"), vkeyOf("otherLog")] });
    expect(check(verdict({ bundle: lying!, policy }), "log signature")?.answer).toBe("no");
  });

  it("says no to a statement signed again by somebody else", async () => {
    const [forged] = await logLeaves([await seal(makeBootMeasurement(release), KEYS.stranger)]);
    expect(verdict({ bundle: forged! }).answer).toBe("no");
  });

  it("says no to a leaf exchanged for another that the publisher signed too", async () => {
    const newer = { ...release, release: { name: "snp-guest", version: "2" } };
    const leaf = await seal(makeBootMeasurement(newer), KEYS.publisher);
    const [other] = await logLeaves([leaf]);
    const lines = new TextDecoder().decode(bundle).split("\n");
    lines[1] = new TextDecoder().decode(other).split("\n")[1]!;
    const found = verdict({ bundle: utf8(lines.join("\n")) });
    expect(check(found, "inclusion")?.answer).toBe("no");
    expect(found.answer).toBe("no");
  });

  it("could not decide about a statement of a type it does not know", async () => {
    const statement = { ...makeBootMeasurement(release), predicateType: "https://example.org/other/v1" };
    const [foreign] = await logLeaves([await seal(statement, KEYS.publisher)]);
    expect(verdict({ bundle: foreign! })).toMatchObject({ answer: "undecided" });
    const leaf = await signEnvelope("text/plain", utf8("hello"), signerOf(KEYS.publisher));
    const [text] = await logLeaves([leaf]);
    expect(check(verdict({ bundle: text! }), "statement type")?.reason).toContain("text/plain");
  });

  it("says no to an all-zero expected value, even signed and logged", async () => {
    const statement = makeBootMeasurement(release);
    const zeroed = JSON.parse(
      JSON.stringify(statement).replaceAll(/"prefix":"[0-9a-f]{96}"/g, `"prefix":"${"0".repeat(96)}"`),
    ) as typeof statement;
    const [bad] = await logLeaves([await seal(zeroed, KEYS.publisher)]);
    expect(check(verdict({ bundle: bad! }), "expected values")).toMatchObject({ answer: "no" });
  });

  it("could not decide when the axes name a CPU whose values are missing", async () => {
    const more = { ...measurements, axes: { vcpus: "1", cpu: ["EPYC-Genoa"], guestFeatures: ["0x1"] } };
    const leaf = await seal(makeBootMeasurement({ ...release, measurements: [more] }), KEYS.publisher);
    const [incomplete] = await logLeaves([leaf]);
    expect(check(verdict({ bundle: incomplete! }), "measurements")?.answer).toBe("undecided");
  });

  it("says that no register was predicted, and never that one was checked", async () => {
    const leaf = await seal(makeBootMeasurement({ ...release, measurements: [] }), KEYS.publisher);
    const [bare] = await logLeaves([leaf]);
    const found = verdict({ bundle: bare! });
    expect(check(found, "measurements")).toBeUndefined();
    expect(found.skipped.map(({ name }) => name)).toContain("measurements");
    expect(found.answer).toBe("yes");
  });
});

describe("witnesses: a log shown to one victim only must not pass", () => {
  const cosigned = (...witnesses: SigningKey[]) => logLeaves([releaseLeaf], { witnesses });

  it("says yes when the quorum is met", async () => {
    const [seen] = await cosigned(KEYS.witness1, KEYS.witness2);
    const found = verdict({ bundle: seen!, policy: twoWitnesses });
    expect(found.answer).toBe("yes");
    expect(found.witnesses.map(({ timestamp }) => timestamp)).toEqual([1_700_000_000n, 1_700_000_000n]);
  });

  it("could not decide when a cosignature is missing", async () => {
    const [seen] = await cosigned(KEYS.witness1);
    expect(verdict({ bundle: seen!, policy: twoWitnesses }).answer).toBe("undecided");
    expect(verdict({ policy: twoWitnesses }).answer).toBe("undecided");
  });

  it("counts no witness twice", async () => {
    const [seen] = await cosigned(KEYS.witness1, KEYS.witness1);
    expect(verdict({ bundle: seen!, policy: twoWitnesses }).answer).toBe("undecided");
  });

  it("says no when a known witness's cosignature is not its own", async () => {
    const [seen] = await cosigned(KEYS.witness1, KEYS.witness2);
    const text = new TextDecoder().decode(seen);
    const at = text.lastIndexOf("\n", text.length - 2) - 10;
    const changed = text.slice(0, at) + (text[at] === "A" ? "B" : "A") + text.slice(at + 1);
    expect(verdict({ bundle: utf8(changed), policy: twoWitnesses }).answer).toBe("no");
  });
});

describe("rebuilds: one builder alone can never make a verdict that needs two", () => {
  const rebuilders = [
    { organisation: "A", key: vkeyOf("rebuilderA") },
    { organisation: "A", key: vkeyOf("rebuilderA2") },
    { organisation: "B", key: vkeyOf("rebuilderB") },
    { organisation: "Example", key: vkeyOf("publisherRebuilder") },
  ];
  const needing = (need: number, accept = ["IDENTICAL"]): Policy =>
    policyOf({ rebuilds: { need, accept, rebuilders } });
  const confirm = async (by: Party, change: Partial<Rebuild> = {}): Promise<Uint8Array> => {
    const [, confirmation] = await logLeaves([releaseLeaf, await seal(rebuildOf(change), KEYS[by])]);
    return confirmation!;
  };
  const rebuilds = (policy: Policy, ...confirmations: Uint8Array[]) =>
    check(verdict({ policy, confirmations }), "rebuilds");

  it("says yes when enough organisations got the same bytes", async () => {
    const found = verdict({
      policy: needing(2),
      confirmations: [await confirm("rebuilderA"), await confirm("rebuilderB")],
    });
    expect(found.answer).toBe("yes");
    expect(check(found, "rebuilds")?.reason).toBe("rebuilt by A, B; the policy asks for 2 organisation(s)");
  });

  it("could not decide without confirmations", () => {
    expect(rebuilds(needing(1))).toMatchObject({
      answer: "undecided",
      reason: expect.stringContaining("rebuilt by nobody") as string,
    });
  });

  it("counts two keys of one organisation once", async () => {
    const found = rebuilds(
      needing(2),
      await confirm("rebuilderA"),
      await confirm("rebuilderA2"),
      await confirm("rebuilderA"),
    );
    expect(found?.answer).toBe("undecided");
  });

  it.each([
    ["the publisher's own", "publisherRebuilder", {}, "published the release itself"],
    ["a stranger's", "stranger", {}, "whom the policy does not name"],
    [
      "one of another leaf",
      "rebuilderA",
      { of: { origin: "example.org/log", index: 2, leafHash: "00".repeat(32) } },
      "rebuilt another release",
    ],
    [
      "one of another log",
      "rebuilderA",
      { of: { ...(rebuildOf().predicate as unknown as Rebuild).of, origin: "example.net/log" } },
      "rebuilt another release",
    ],
    [
      "one of half the artifacts",
      "rebuilderA",
      { artifacts: (rebuildOf().predicate as unknown as Rebuild).artifacts.slice(1) },
      "rebuilt another release",
    ],
    [
      "one with equal measurements only",
      "rebuilderA",
      { verdict: "MEASUREMENT-EQUAL", artifacts: divergedArtifacts },
      "says MEASUREMENT-EQUAL",
    ],
    [
      "a failed build",
      "rebuilderA",
      {
        verdict: "BUILD-FAILED",
        artifacts: divergedArtifacts.map(({ name, expected }) => ({ name, expected })),
        reason: "step compile: exit 2",
      },
      "BUILD-FAILED (step compile: exit 2)",
    ],
  ] as [string, Party, Partial<Rebuild>, string][])("does not count %s", async (_, by, change, reason) => {
    const found = rebuilds(needing(1), await confirm(by, change));
    expect(found?.answer).toBe("undecided");
    expect(found?.reason).toContain(reason);
  });

  it("counts equal measurements when the policy accepts them", async () => {
    const equal = await confirm("rebuilderA", { verdict: "MEASUREMENT-EQUAL", artifacts: divergedArtifacts });
    expect(rebuilds(needing(1, ["IDENTICAL", "MEASUREMENT-EQUAL"]), equal)?.answer).toBe("yes");
  });

  it("says no when a rebuilder of the policy saw it diverge, however many others did not", async () => {
    const diverged = {
      verdict: "DIVERGED",
      artifacts: divergedArtifacts,
      registers: { compared: 0, differ: [] },
    } as const;
    const found = rebuilds(needing(1), await confirm("rebuilderA"), await confirm("rebuilderB", diverged));
    expect(found).toMatchObject({ answer: "no", reason: "B says DIVERGED" });
    expect(
      rebuilds(needing(1), await confirm("rebuilderA"), await confirm("stranger", diverged))?.answer,
    ).toBe("yes");
  });

  it("does not count a confirmation that is in no log of the policy", async () => {
    const leaf = await seal(rebuildOf(), KEYS.rebuilderA);
    const [, elsewhere] = await logLeaves([releaseLeaf, leaf], { log: KEYS.otherLog });
    expect(rebuilds(needing(1), elsewhere!)?.reason).toContain("log signature does not hold");
  });

  it("does not count a release as its own confirmation", () => {
    expect(rebuilds(needing(1), bundle)?.reason).toContain("no rebuild");
  });
});

describe("artifacts: a file must be the one that was published", () => {
  const [firmware] = artifacts;

  it("says yes to the same bytes under any name and no to others, showing both digests", () => {
    const same = { name: "renamed.fd", size: firmware!.size, sha256: firmware!.sha256 };
    expect(verdict({ artifacts: [same] }).answer).toBe("yes");
    const other = { name: "OVMF.fd", size: firmware!.size, sha256: "11".repeat(32) };
    const found = verdict({ artifacts: [same, other] });
    expect(found.answer).toBe("no");
    expect(check(found, "artifact OVMF.fd")?.reason).toBe(
      `differs from OVMF.fd: expected sha256 ${firmware!.sha256} (7 bytes), found sha256 ${other.sha256} (7 bytes)`,
    );
  });
});

describe("hostile bundles: malformed is neither yes nor no", () => {
  it("throws ParseError for a bundle cut short anywhere", () => {
    for (let length = 0; length < bundle.length; length += 7)
      expect(() => verdict({ bundle: bundle.subarray(0, length) }), `${length} bytes`).toThrow(ParseError);
  });

  it("throws ParseError for a bundle without its leaf", () => {
    const text = new TextDecoder().decode(bundle).replace(/\nextra [^\n]*/, "");
    expect(parseTlogProof(utf8(text)).extra).toBeUndefined();
    expect(() => verdict({ bundle: utf8(text) })).toThrow("cannot read bundle");
  });

  it("never says yes after any change of one byte", () => {
    fc.assert(
      fc.property(fc.nat(bundle.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const changed = bundle.map((byte, index) => (index === at ? byte ^ flip : byte));
        try {
          expect(verdict({ bundle: changed }).answer).not.toBe("yes");
        } catch (error) {
          if (!(error instanceof ParseError)) throw error;
        }
      }),
      { numRuns: 200 },
    );
  });

  it("answers or throws ParseError for any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(() => verdict({ bundle: bytes })).toThrow(ParseError);
      }),
    );
  });
});
