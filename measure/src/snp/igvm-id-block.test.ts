import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ByteWriter, ParseError } from "@bootproof/bytes";
import { parseIdAuth, signIdentity } from "./id-auth.ts";
import { fieldsOf, identities, testKey } from "./identity.testing.ts";
import { identityFromIgvm, IGVM_ID_BLOCK_SIZE } from "./igvm-id-block.ts";
import { verifyIdentity } from "./verify-identity.ts";

const fields = fieldsOf(identities[2]!);

/** The directive as tools write it, from an identity in the firmware's form. */
function directive(authorKeyEnabled: boolean): Uint8Array {
  const { idAuth } = signIdentity(fields, testKey("id"), authorKeyEnabled ? testKey("author") : undefined);
  const auth = parseIdAuth(idAuth);
  const writer = new ByteWriter(IGVM_ID_BLOCK_SIZE)
    .u32le(1)
    .u8(authorKeyEnabled ? 1 : 0)
    .zeros(3)
    .bytes(fields.launchDigest)
    .bytes(fields.familyId)
    .bytes(fields.imageId)
    .u32le(fields.version)
    .u32le(fields.guestSvn)
    .u32le(auth.idKeyAlgorithm)
    .u32le(auth.authorKeyAlgorithm);
  for (const [signature, key] of [
    [auth.idBlockSignature, auth.idPublicKey],
    [auth.idKeySignature, auth.authorPublicKey],
  ] as const)
    writer.bytes(signature.subarray(0, 144)).bytes(key.subarray(0, 4)).zeros(4).bytes(key.subarray(4, 148));
  return writer.finish();
}

describe("SNP_ID_BLOCK of an IGVM file: four bytes too many in a key change its digest", () => {
  it.each([true, false])("becomes what the firmware takes, author key enabled: %s", (enabled) => {
    const made = signIdentity(fields, testKey("id"), enabled ? testKey("author") : undefined);
    expect(directive(enabled)).toHaveLength(IGVM_ID_BLOCK_SIZE);
    const converted = identityFromIgvm(directive(enabled), fields.policy);
    expect(converted).toEqual({
      compatibilityMask: 1,
      authorKeyEnabled: enabled,
      idBlock: made.idBlock,
      idAuth: made.idAuth,
    });
    expect(verifyIdentity(converted).answer).toBe("yes");
    expect(verifyIdentity(identityFromIgvm(directive(enabled), fields.policy | 1n)).answer).toBe("no");
  });

  it("refuses other lengths and bytes that must be zero", () => {
    const good = directive(true);
    expect(() => identityFromIgvm(good.subarray(1), 0n)).toThrow(ParseError);
    expect(() => identityFromIgvm(new Uint8Array(697), 0n)).toThrow(ParseError);
    for (const offset of [5, 104 + 144 + 4, 696 - 145])
      expect(() => identityFromIgvm(good.with(offset, 1), 0n)).toThrow(
        expect.objectContaining({ code: "NOT_ZERO" }),
      );
  });

  it("answers any bytes with an identity or ParseError", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 800 }), (bytes) => {
        try {
          identityFromIgvm(bytes, 0n);
        } catch (error) {
          expect(error).toBeInstanceOf(ParseError);
        }
      }),
    );
  });
});
