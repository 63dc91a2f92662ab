import { concatBytes, formatHex, utf8 } from "@bootproof/bytes";
import { makeSigningKey, signerOf } from "@bootproof/bytes/signing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatEnvelope, parseEnvelope, signEnvelope } from "./dsse.ts";
import { entryIdentity, envelopeIdentity } from "./identity.ts";

const ours = signerOf(makeSigningKey("example.org/publisher", new Uint8Array(32).fill(1)));
const other = signerOf(makeSigningKey("example.org/other", new Uint8Array(32).fill(2)));
const TYPE = "application/vnd.in-toto+json";
const payload = utf8('{"a":1}');
const entry = await signEnvelope(TYPE, payload, ours);
const identity = (bytes: Uint8Array): string => formatHex(entryIdentity(bytes));

describe("identity of entries: the same statement once, and never another one's place", () => {
  it("does not depend on the signature, which may be made anew", () => {
    const envelope = parseEnvelope(entry);
    const signatures = envelope.signatures.map((signature) => ({ ...signature, sig: new Uint8Array(64) }));
    const again = { ...envelope, signatures };
    expect(identity(formatEnvelope(again))).toBe(identity(entry));
  });

  it("differs by payload, payload type and signer", async () => {
    const others = await Promise.all([
      signEnvelope(TYPE, utf8('{"a":2}'), ours),
      signEnvelope(`${TYPE}x`, payload, ours),
      signEnvelope(TYPE, payload, other),
    ]);
    const both = parseEnvelope(others[2]).signatures.concat(parseEnvelope(entry).signatures);
    const double = formatEnvelope({ ...parseEnvelope(entry), signatures: both });
    expect(new Set([entry, ...others, double].map(identity)).size).toBe(5);
  });

  it("lets no byte change sides between payload type, payload and signers", () => {
    const word = fc.string({ maxLength: 4, unit: fc.constantFrom("a", "b", "\0") });
    const parts = fc.tuple(
      word,
      word,
      fc.uniqueArray(word, { maxLength: 2 }).map((ids) => ids.sort()),
    );
    type Parts = typeof parts extends fc.Arbitrary<infer T> ? T : never;
    const of = ([payloadType, text, keyids]: Parts): string => {
      const signatures = keyids.map((keyid) => ({ keyid, sig: new Uint8Array() }));
      return formatHex(envelopeIdentity({ payloadType, unverifiedPayload: utf8(text), signatures }));
    };
    fc.assert(
      fc.property(parts, parts, (a, b) => {
        expect(of(a) === of(b)).toBe(JSON.stringify(a) === JSON.stringify(b));
      }),
      { numRuns: 2000 },
    );
    expect(of(["a", "bc", ["d"]])).not.toBe(of(["ab", "c", ["d"]]));
    expect(of(["ab", "cd", [""]])).not.toBe(of(["ab", "c", ["d"]]));
  });

  it("takes an entry that is no canonical envelope by its bytes", () => {
    const spaced = concatBytes(entry, utf8(" "));
    expect(identity(spaced)).not.toBe(identity(entry));
    expect(identity(utf8("x"))).not.toBe(identity(utf8("y")));
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        expect(identity(bytes)).toHaveLength(64);
      }),
    );
  });
});
