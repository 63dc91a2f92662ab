import { describe, expect, it } from "vitest";
import { ByteWriter } from "@bootproof/bytes";
import { parseIgvm } from "@bootproof/ovmf/igvm";
import { buildIgvm, guestPolicy, header, type HeaderPart, platform } from "@bootproof/ovmf/igvm-builder";
import { parseIdAuth, signIdentity } from "./id-auth.ts";
import { fieldsOf, identities, testKey } from "./identity.testing.ts";
import { identityOfIgvm } from "./igvm-id-block.ts";
import { verifyIdentity } from "./verify-identity.ts";

const fields = fieldsOf(identities[2]!);
const sign = (author: boolean) => signIdentity(fields, testKey("id"), author ? testKey("author") : undefined);

/** The directive as tools write it, from an identity in the firmware's form. */
function directive(author: boolean, mask = 1): HeaderPart {
  const auth = parseIdAuth(sign(author).idAuth);
  const writer = new ByteWriter(696)
    .u32le(mask)
    .u8(author ? 1 : 0)
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
  return header(0x30b, writer.finish());
}

const file = (directives: HeaderPart[], initialization = [guestPolicy(fields.policy)]) =>
  parseIgvm(buildIgvm({ headers: [platform(), ...initialization, ...directives] }));

describe("the identity in an IGVM file: four bytes too many in a key change its digest", () => {
  it.each([true, false])("becomes what the firmware takes, author key enabled: %s", (author) => {
    const { idBlock, idAuth } = sign(author);
    const converted = identityOfIgvm(file([directive(author)]));
    expect(converted).toEqual({ authorKeyEnabled: author, idBlock, idAuth });
    expect(verifyIdentity(converted).answer).toBe("yes");
  });

  it("is signed with the file's policy and no other", () => {
    const other = identityOfIgvm(file([directive(true)], [guestPolicy(fields.policy | 1n)]));
    expect(verifyIdentity(other).answer).toBe("no");
  });

  it.each([
    ["no ID block", file([]), "MISSING"],
    ["no policy", file([directive(true)], []), "MISSING"],
    ["two ID blocks", file([directive(true), directive(false)]), "DUPLICATE"],
  ])("refuses a file with %s", (_what, igvm, code) => {
    expect(() => identityOfIgvm(igvm)).toThrow(expect.objectContaining({ code }));
  });
});
