import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseHex, sha384 } from "@bootproof/bytes";
import { ecdsaPublicKey, ecdsaSign } from "@bootproof/bytes/ecdsa";
import { joinIdentity, signIdentity } from "./id-auth.ts";
import { encodeIdBlock } from "./id-block.ts";
import { fieldsOf, idAuthOf, identities, idBlockOf, testKey } from "./identity.testing.ts";
import { type IdentityCheck, verifyIdentity } from "./verify-identity.ts";

const [vector] = identities;
const block = idBlockOf(vector!);
const auth = idAuthOf(vector!);

function changed(bytes: Uint8Array, offset: number, value: number): Uint8Array {
  const copy = bytes.slice();
  expect(copy[offset]).not.toBe(value);
  copy[offset] = value;
  return copy;
}

const failed = (checks: readonly IdentityCheck[]): string[] =>
  checks.filter(({ answer }) => answer !== "yes").map(({ name, answer }) => `${answer}: ${name}`);

describe("verifying an identity: nothing that was not checked is a yes", () => {
  it.each(identities)("$name holds, and is the one expected", (sample) => {
    const { launchDigest, familyId, imageId, guestSvn, policy } = fieldsOf(sample);
    const verdict = verifyIdentity(
      { idBlock: idBlockOf(sample), idAuth: idAuthOf(sample) },
      {
        launchDigest,
        familyId,
        imageId,
        guestSvn,
        policy,
        idKeyDigest: parseHex(sample.idKeyDigest, "digest"),
        authorKeyDigest: parseHex(sample.authorKeyDigest, "digest"),
      },
    );
    expect(failed(verdict.checks)).toEqual([]);
    expect(verdict).toMatchObject({ answer: "yes", skipped: [] });
    expect(verdict.checks).toHaveLength(14);
  });

  it("lists what was not asked", () => {
    const { answer, skipped } = verifyIdentity({ idBlock: block, idAuth: auth });
    expect(answer).toBe("yes");
    expect(skipped.map(({ name }) => name)).toEqual([
      "expected launch digest",
      "expected policy",
      "expected family ID",
      "expected image ID",
      "expected guest SVN",
      "expected ID key",
      "expected author key",
    ]);
  });

  // Offset in the ID auth, the value put there, and the one check that must notice.
  it.each([
    [0x000, 2, "no: ID key"],
    [0x004, 0, "no: author key"],
    [0x008, 1, "no: reserved bytes"],
    [0x03f, 1, "no: reserved bytes"],
    [0x041, 0, "no: signature of the ID block"],
    [0x070, 1, "no: signature of the ID block"],
    [0x0cf, 1, "no: signature of the ID block"],
    [0x0d0, 1, "no: signature of the ID block"],
    [0x23f, 1, "no: signature of the ID block"],
    [0x644, 1, "no: reserved bytes"],
    [0x67f, 1, "no: reserved bytes"],
    [0x681, 0, "no: signature of the ID key"],
    [0x6b0, 1, "no: signature of the ID key"],
    [0x87f, 1, "no: signature of the ID key"],
    [0xc84, 1, "no: reserved bytes"],
    [0xfff, 1, "no: reserved bytes"],
  ])("notices byte %d of the ID auth", (offset, value, check) => {
    const { answer, checks } = verifyIdentity({ idBlock: block, idAuth: changed(auth, offset, value) });
    expect(failed(checks)).toEqual([check]);
    expect(answer).toBe("no");
  });

  it.each([
    [0x240, 1, "curve"],
    [0x245, 0, "point"],
    [0x274, 1, "padding"],
    [0x2d4, 1, "padding"],
    [0x643, 1, "padding"],
    [0x880, 3, "curve"],
    [0x8b4, 1, "padding"],
    [0xc83, 1, "padding"],
  ])("says what is wrong with a key that has byte %d changed", (offset, value, word) => {
    const { answer, checks } = verifyIdentity({ idBlock: block, idAuth: changed(auth, offset, value) });
    expect(answer).toBe("no");
    const name = offset < 0x680 ? "ID key" : "author key";
    expect(checks.find((check) => check.name === name)).toMatchObject({
      answer: "no",
      reason: expect.stringContaining(word) as string,
    });
  });

  it("refuses an identity with any bit flipped in either structure", () => {
    const bits = fc.oneof(fc.nat(96 * 8 - 1), fc.integer({ min: 96 * 8, max: (96 + 4096) * 8 - 1 }));
    fc.assert(
      fc.property(bits, (bit) => {
        const whole = new Uint8Array([...block, ...auth]);
        whole[bit >> 3]! ^= 1 << (bit & 7);
        const { answer } = verifyIdentity({ idBlock: whole.subarray(0, 96), idAuth: whole.subarray(96) });
        expect(answer).toBe("no");
      }),
      { numRuns: 120 },
    );
  });

  it("answers any bytes of the right lengths, and never with yes", () => {
    const any = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
    fc.assert(
      fc.property(any(96), any(4096), (idBlock, idAuth) => {
        expect(verifyIdentity({ idBlock, idAuth }).answer).toBe("no");
      }),
      { numRuns: 50 },
    );
    expect(verifyIdentity({ idBlock: new Uint8Array(96), idAuth: new Uint8Array(4096) }).answer).toBe("no");
  });

  it("does not decide with half of the identity", () => {
    expect(verifyIdentity({ idBlock: block }).answer).toBe("undecided");
    expect(failed(verifyIdentity({ idAuth: auth }).checks)).toEqual([
      "undecided: ID block",
      "undecided: signature of the ID block",
    ]);
    // What is there and wrong is a no all the same.
    expect(verifyIdentity({ idAuth: changed(auth, 0x008, 1) }).answer).toBe("no");
    const expected = { policy: 0x3_0000n, idKeyDigest: sha384(block) };
    expect(verifyIdentity({ idBlock: block }, expected).answer).toBe("undecided");
    expect(verifyIdentity({}, expected).answer).toBe("undecided");
  });

  it.each([
    ["expected launch digest", { launchDigest: sha384(new Uint8Array()) }],
    ["expected policy", { policy: 0x2_0000n }],
    ["expected family ID", { familyId: new Uint8Array(16).fill(1) }],
    ["expected image ID", { imageId: new Uint8Array(16).fill(1) }],
    ["expected guest SVN", { guestSvn: 1 }],
    ["expected ID key", { idKeyDigest: parseHex(vector!.authorKeyDigest, "digest") }],
    ["expected author key", { authorKeyDigest: parseHex(vector!.idKeyDigest, "digest") }],
  ])("says no to another %s", (name, expected) => {
    const { answer, checks } = verifyIdentity({ idBlock: block, idAuth: auth }, expected);
    expect(answer).toBe("no");
    expect(failed(checks)).toEqual([`no: ${name}`]);
  });

  it("takes an identity without an author, unless an author is expected", () => {
    const made = signIdentity(fieldsOf(vector!), testKey("id"));
    expect(verifyIdentity(made).answer).toBe("yes");
    const verdict = verifyIdentity(made, { authorKeyDigest: parseHex(vector!.authorKeyDigest, "digest") });
    expect(failed(verdict.checks)).toEqual(["no: expected author key"]);
    expect(verifyIdentity({ ...made, idAuth: changed(made.idAuth, 4, 2) }).answer).toBe("no");
    // Half an author is none.
    for (const offset of [0x680, 0x884])
      expect(verifyIdentity({ ...made, idAuth: changed(made.idAuth, offset, 1) }).answer).toBe("no");
  });

  it.each([
    [0x1_0000n, 1, "no: policy"],
    [0x400_3_0000n, 1, "undecided: policy"],
    [0x3_0000n, 2, "no: ID block version"],
  ])("judges policy %s and version %s, however well they are signed", (policy, version, check) => {
    const fields = { ...fieldsOf(vector!), policy, version };
    const key = testKey("id");
    const made = joinIdentity(fields, {
      publicKey: ecdsaPublicKey("P-384", key),
      signature: ecdsaSign("P-384", key, encodeIdBlock(fields)),
    });
    const { answer, checks } = verifyIdentity(made);
    expect(failed(checks)).toEqual([check]);
    expect(check.startsWith(`${answer}:`)).toBe(true);
  });
});
