import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { asDigest, formatBase64, ParseError } from "@bootproof/bytes";
import { encodeIdBlock, parseIdBlock } from "./id-block.ts";
import { fieldsOf, identities, idBlockOf } from "./identity.testing.ts";

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });

describe("ID block: a byte in the wrong place makes a guest that never launches", () => {
  it.each(identities)("$name", (vector) => {
    expect(formatBase64(encodeIdBlock(fieldsOf(vector)))).toBe(vector.idBlock);
    expect(parseIdBlock(idBlockOf(vector))).toEqual(fieldsOf(vector));
  });

  it("reads back whatever it writes", () => {
    const blocks = fc.record({
      launchDigest: bytes(48).map((digest) => asDigest("sha384", digest)),
      familyId: bytes(16),
      imageId: bytes(16),
      version: fc.nat(0xffff_ffff),
      guestSvn: fc.nat(0xffff_ffff),
      policy: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
    });
    fc.assert(
      fc.property(blocks, (block) => {
        expect(parseIdBlock(encodeIdBlock(block))).toEqual(block);
      }),
    );
  });

  it("writes back whatever it reads, and refuses every other length", () => {
    fc.assert(
      fc.property(bytes(96), (block) => {
        expect(encodeIdBlock(parseIdBlock(block))).toEqual(block);
      }),
    );
    for (let length = 0; length < 200; length++)
      if (length !== 96) expect(() => parseIdBlock(new Uint8Array(length))).toThrow(ParseError);
  });

  it.each([
    ["a policy of 65 bits", { policy: 1n << 64n }],
    ["a negative policy", { policy: -1n }],
    ["a guest SVN of 33 bits", { guestSvn: 2 ** 32 }],
    ["half a guest SVN", { guestSvn: 0.5 }],
    ["a family ID of 15 bytes", { familyId: new Uint8Array(15) }],
    ["an image ID of 17 bytes", { imageId: new Uint8Array(17) }],
  ])("refuses %s instead of cutting it", (_what, change) => {
    expect(() => encodeIdBlock({ ...fieldsOf(identities[0]!), ...change })).toThrow(
      expect.objectContaining({ code: "BP-ID-002" }),
    );
  });
});
