import { createHash, X509Certificate } from "node:crypto";
import fc from "fast-check";
import {
  type CborMap,
  type CborValue,
  concatBytes,
  encodeCbor,
  formatHex,
  ParseError,
  parseStrictCbor,
  sha384,
  utf8,
} from "@bootproof/bytes";
import { ecdsaSign } from "@bootproof/bytes/ecdsa";
import { describe, expect, it } from "vitest";
import { EIF_ALGORITHMS, type EifAlgorithm } from "./algorithm.ts";
import { readEif } from "./read.ts";
import {
  encodeSignatureSection,
  inputOf,
  parseSignatureSection,
  signatureInput,
  signaturePayload,
} from "./signature.ts";
import { algorithmOfCertificate, signatureSection, signEif, verifyEifSignature } from "./signing.ts";
import { build, sectionsOf, signer, sourceOf } from "./vectors.testing.ts";

/** PCR0, by node:crypto alone. */
function pcr0Of(name: string): Uint8Array {
  const inner = createHash("sha384");
  for (const { type, data } of sectionsOf(name))
    if (["kernel", "cmdline", "ramdisk"].includes(type)) inner.update(data);
  return new Uint8Array(createHash("sha384").update(new Uint8Array(48)).update(inner.digest()).digest());
}

const signatureOf = (name: string): Uint8Array =>
  sectionsOf(name).find(({ type }) => type === "signature")!.data;
const PCR0 = pcr0Of("ok-2rd.eif");
const OTHER = sha384(utf8("another image"));
const SIGNED = ["signed-es256.eif", "signed-es384.eif", "signed-es512.eif", "s_es256.eif", "s_es512.eif"];
const SIGNERS = ["es256", "es384", "es512"] as const;
const DAY = new Date("2030-01-01T00:00:00Z");
const name = ({ algorithm }: { algorithm: EifAlgorithm }): string => EIF_ALGORITHMS[algorithm].curve;

const answers = (section: Uint8Array, pcr0: Uint8Array, at?: Date): Record<string, string> =>
  Object.fromEntries(
    verifyEifSignature(parseSignatureSection(section), pcr0, at).map(({ name, answer, code }) => [
      name,
      code ?? answer,
    ]),
  );

describe("signatures that AWS's tools take", () => {
  it.each(SIGNED)("of %s hold, and their bytes are the only ones", (file) => {
    const bytes = signatureOf(file);
    const parsed = parseSignatureSection(bytes);
    expect(encodeSignatureSection(parsed)).toEqual(bytes);
    expect(answers(bytes, pcr0Of(file), DAY)).toEqual({
      "signed PCR0": "yes",
      signature: "yes",
      "certificate's dates": "yes",
    });
    expect(name(parsed)).toBe(parsed.certificate.curve);
    const der = new X509Certificate(Buffer.from(parsed.certificatePem)).raw;
    expect(parsed.certificateDer).toEqual(new Uint8Array(der));
  });

  it("of two certificates are by the first, and say so", async () => {
    const bytes = signatureOf("signed-two-certs-pem.eif");
    expect(parseSignatureSection(bytes)).toMatchObject({
      certificateCount: 2,
      certificate: { subject: "CN=eif-es384,O=Research,C=GB" },
    });
    expect(answers(bytes, PCR0, DAY)).toMatchObject({ signature: "yes", certificates: "BP-EIF-037" });
    const { findings } = await readEif(sourceOf(build(sectionsOf("signed-two-certs-pem.eif"))));
    expect(findings).toContainEqual(expect.objectContaining({ code: "BP-EIF-037", severity: "notice" }));
  });
});

describe("signing", () => {
  it.each(SIGNERS)("with %s makes the same section twice, which holds and reads as AWS's", (curve) => {
    const { pem, key } = signer(curve);
    const section = signEif(pem, key, PCR0);
    expect(signEif(pem, key, PCR0)).toEqual(section);
    expect(answers(section, PCR0, DAY)).toMatchObject({ "signed PCR0": "yes", signature: "yes" });
    // All but the signature itself, which AWS's tools make with a random number, is as in their file.
    const theirs = parseSignatureSection(signatureOf(`signed-${curve}.eif`));
    expect(
      encodeSignatureSection({ ...theirs, signature: parseSignatureSection(section).signature }),
    ).toEqual(section);
  });

  it.each(SIGNERS)("with %s in another place comes to the same", (curve) => {
    const { pem, key } = signer(curve);
    const algorithm = algorithmOfCertificate(pem);
    const input = signatureInput(PCR0, algorithm);
    const signature = ecdsaSign(EIF_ALGORITHMS[algorithm].curve, key, input);
    expect(signatureSection({ certificatePem: pem, signature, pcr0: PCR0 })).toEqual(signEif(pem, key, PCR0));
    expect(() => signatureSection({ certificatePem: pem, signature, pcr0: OTHER })).toThrow(
      expect.objectContaining({ code: "BP-EIF-035" }) as Error,
    );
  });

  it("signs the bytes that AWS's format document names", () => {
    const head = "a26e72656769737465725f696e646578006e72656769737465725f76616c75659830";
    expect(formatHex(signaturePayload(new Uint8Array(48)))).toBe(head + "00".repeat(48));
    expect(formatHex(signatureInput(new Uint8Array(48), "ES384"))).toBe(
      `846a5369676e61747572653144a1013822405852${head}${"00".repeat(48)}`,
    );
    expect(() => signaturePayload(new Uint8Array(32))).toThrow("PCR0 has 48 bytes, not 32");
  });

  it("refuses a key that is not the certificate's, which would be found when the enclave starts", () => {
    const [one, other] = [signer("es384"), signer("es256")];
    expect(() => signEif(one.pem, new Uint8Array(48).fill(7), PCR0)).toThrow(
      expect.objectContaining({ code: "BP-EIF-040" }) as Error,
    );
    expect(() => signEif(one.pem, other.key, PCR0)).toThrow(RangeError);
  });

  it("refuses a section that AWS's tools would not read", () => {
    const { pem, key } = signer("es384");
    const long = concatBytes(utf8("comment ".repeat(2100)), utf8("\n"), pem);
    expect(() => signEif(long, key, PCR0)).toThrow(expect.objectContaining({ code: "BP-EIF-039" }) as Error);
  });

  it("refuses a private key beside the certificate, which would be published", () => {
    const { pem, key } = signer("es384");
    const both = concatBytes(
      pem,
      utf8("-----BEGIN EC PRIVATE KEY-----\nMIGk\n-----END EC PRIVATE KEY-----\n"),
    );
    expect(() => signEif(both, key, PCR0)).toThrow(ParseError);
  });
});

describe("judging a signature", () => {
  it.each(SIGNED)("of %s over another image: a no that AWS's run-enclave does not give", (file) => {
    expect(answers(signatureOf(file), OTHER)).toMatchObject({
      "signed PCR0": "BP-EIF-036",
      signature: "BP-EIF-035",
    });
    const checks = verifyEifSignature(parseSignatureSection(signatureOf(file)), OTHER);
    expect(checks[0]?.reason).toBe(`another image's: ${formatHex(PCR0)}`);
    expect(checks[1]?.reason).toMatch(
      /^none of this image: CN=eif-es\d{3},O=Research,C=GB signed something else$/,
    );
  });

  it("whose payload was swapped for this image's: named, as the signature does not hold", () => {
    const parsed = parseSignatureSection(signatureOf("signed-es384.eif"));
    const swapped = encodeSignatureSection({ ...parsed, payload: signaturePayload(OTHER) });
    expect(answers(swapped, OTHER)).toMatchObject({ "signed PCR0": "yes", signature: "BP-EIF-035" });
    expect(verifyEifSignature(parseSignatureSection(swapped), OTHER)[1]?.reason).toBe(
      "does not hold under the key of CN=eif-es384,O=Research,C=GB",
    );
  });

  it.each([
    ["another register", new Map<string, CborValue>([["register_index", 1], ["register_value", Array.from(PCR0)]])], // prettier-ignore
    ["keys in another order", new Map<string, CborValue>([["register_value", Array.from(PCR0)], ["register_index", 0]])], // prettier-ignore
    [
      "a byte string",
      new Map<string, CborValue>([
        ["register_index", 0],
        ["register_value", PCR0],
      ]),
    ],
    ["a text", "PCR0"],
  ])("of a payload with %s, though signed by the key, is a no", (_, value) => {
    const { pem, key } = signer("es384");
    const payload = encodeCbor(value);
    const signature = ecdsaSign("P-384", key, inputOf(payload, "ES384"));
    const section = encodeSignatureSection({ certificatePem: pem, algorithm: "ES384", payload, signature });
    expect(answers(section, PCR0)).toMatchObject({ "signed PCR0": "BP-EIF-036", signature: "BP-EIF-035" });
    expect(verifyEifSignature(parseSignatureSection(section), PCR0)[0]?.reason).toBe(
      "what was signed is no PCR0",
    );
  });

  it("compares dates with the time that is handed in, and never with a clock", () => {
    const section = parseSignatureSection(signatureOf("signed-es384.eif"));
    const dates = (at?: Date): unknown => verifyEifSignature(section, PCR0, at)[2];
    const range = "valid from 2026-11-23T06:21:32.000Z to 2036-11-20T06:21:32.000Z";
    expect(dates()).toMatchObject({ answer: "notice", reason: `${range}, not compared` });
    expect(dates(new Date("2026-11-23T06:21:32Z"))).toMatchObject({ answer: "yes" });
    expect(dates(new Date("2036-11-20T06:21:32Z"))).toMatchObject({ answer: "yes" });
    expect(dates(new Date("2026-11-23T06:21:31Z"))).toMatchObject({ answer: "notice", code: "BP-EIF-038" });
    expect(dates(new Date("2040-01-01T00:00:00Z"))).toMatchObject({
      answer: "notice",
      reason: `expired at 2040-01-01T00:00:00.000Z: ${range}`,
    });
  });

  it("never says yes to a key, signature or payload that was changed", () => {
    const good = signatureOf("signed-es256.eif");
    const parsed = parseSignatureSection(good);
    fc.assert(
      fc.property(fc.nat(good.length * 8 - 1), (bit) => {
        const bytes = good.slice();
        bytes[bit >> 3]! ^= 1 << (bit & 7);
        try {
          const changed = parseSignatureSection(bytes);
          if (verifyEifSignature(changed, PCR0).some(({ answer }) => answer === "no")) return;
          expect(changed.certificate.publicKey).toEqual(parsed.certificate.publicKey);
          expect(changed.signature).toEqual(parsed.signature);
          expect(changed.payload).toEqual(parsed.payload);
        } catch (error) {
          expect(error).toBeInstanceOf(ParseError);
        }
      }),
      { numRuns: 400 },
    );
  });
});

interface Parts {
  certificate: CborValue;
  cose: CborValue;
}
const parts = ((): Parts => {
  const [element] = parseStrictCbor(signatureOf("signed-es384.eif"), "test") as [CborMap];
  const cose = Uint8Array.from(element.get("signature") as number[]);
  return { certificate: element.get("signing_certificate")!, cose: parseStrictCbor(cose, "test") };
})();

/** A section from parts of a good one. */
function section(
  certificate: CborValue = parts.certificate,
  cose: CborValue = parts.cose,
  wrap: (element: CborMap) => CborValue = (element) => [element],
): Uint8Array {
  const bytes = cose instanceof Uint8Array ? cose : Array.from(encodeCbor(cose));
  return encodeCbor(wrap(new Map<string, CborValue>([["signing_certificate", certificate], ["signature", bytes]]))); // prettier-ignore
}

const cose = parts.cose as readonly [Uint8Array, CborMap, Uint8Array, Uint8Array];
const header = (...entries: readonly [CborValue, CborValue][]): Uint8Array =>
  encodeCbor(new Map(entries as [number, CborValue][]));
const pem = (text: string): CborValue => Array.from(utf8(text));
const certificateText = String.fromCharCode(...(parts.certificate as number[]));
/** The same certificate with its key on secp256k1. */
const OTHER_CURVE = certificateText.replace(/[^-]{200,}/, (body) => {
  const hex = Buffer.from(body, "base64").toString("hex").replace("06052b81040022", "06052b8104000a");
  return `\n${Buffer.from(hex, "hex").toString("base64")}\n`;
});

describe("signature sections in another form", () => {
  it("are built from good parts here", () => {
    expect(section()).toEqual(signatureOf("signed-es384.eif"));
    expect(OTHER_CURVE).not.toBe(certificateText);
  });

  it.each([
    ["no CBOR", utf8("signature"), "030"],
    ["bytes behind it", concatBytes(section(), Uint8Array.of(0)), "030"],
    ["a map alone", section(undefined, undefined, (element) => element), "031"],
    ["no element", section(undefined, undefined, () => []), "031"],
    ["two elements", section(undefined, undefined, (element) => [element, element]), "031"],
    ["an element that is no map", section(undefined, undefined, () => [1]), "030"],
    ["a third key", section(undefined, undefined, (element) => [new Map([...element, ["x", 1]])]), "030"],
    [
      "keys in another order",
      section(undefined, undefined, (element) => [new Map([...element].toReversed())]),
      "030",
    ],
    ["no certificate", section(undefined, undefined, (element) => [new Map([["x", 1], ["signature", element.get("signature")!]])]), "032"], // prettier-ignore
    ["a certificate as bytes", section(utf8(certificateText)), "032"],
    ["a certificate as text", section(certificateText), "032"],
    ["a byte of 256", section([...(parts.certificate as number[]), 256]), "032"],
    ["a byte of -1", section([...(parts.certificate as number[]), -1]), "032"],
    ["no certificate in the text", section(pem("none")), "033"],
    ["a private key in the text", section(pem(`${certificateText}-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n`)), "033"], // prettier-ignore
    ["text that is no UTF-8", section([255, ...(parts.certificate as number[])]), "033"],
    ["a certificate that is none", section(pem("-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n")), "033"], // prettier-ignore
    ["a key on another curve", section(pem(OTHER_CURVE)), "034"],
    ["a signature as bytes", section(undefined, encodeCbor(parts.cose)), "030"],
    ["a tagged COSE_Sign1", section(undefined, { tag: 18, value: parts.cose }), "030"],
    ["a COSE_Sign1 of three", section(undefined, cose.slice(0, 3)), "030"],
    ["an unprotected header", section(undefined, [cose[0], new Map([[4, 1]]), cose[2], cose[3]]), "030"],
    ["a payload that is detached", section(undefined, [cose[0], cose[1], null, cose[3]]), "030"],
    [
      "algorithm ES256 with a key on P-384",
      section(undefined, [header([1, -7]), cose[1], cose[2], cose[3]]),
      "034",
    ],
    ["algorithm EdDSA", section(undefined, [header([1, -8]), cose[1], cose[2], cose[3]]), "034"],
    ["no algorithm", section(undefined, [header(), cose[1], cose[2], cose[3]]), "034"],
    [
      "a second protected header",
      section(undefined, [header([1, -35], [4, 1]), cose[1], cose[2], cose[3]]),
      "034",
    ],
    [
      "protected headers that are no CBOR",
      section(undefined, [Uint8Array.of(0xff), cose[1], cose[2], cose[3]]),
      "030",
    ],
    ["a signature a byte short", section(undefined, [cose[0], cose[1], cose[2], cose[3].subarray(1)]), "034"],
  ])("%s", async (_, data, expected) => {
    expect(() => parseSignatureSection(data)).toThrow(ParseError);
    const sections = [...sectionsOf("ok-2rd.eif"), { type: "signature" as const, data }];
    const { findings, layout, parsedSignature } = await readEif(sourceOf(build(sections)));
    expect(findings.filter(({ severity }) => severity === "malformed").map(({ code }) => code)).toEqual([`BP-EIF-${expected}`]); // prettier-ignore
    expect([layout, parsedSignature]).toEqual([undefined, undefined]);
  });

  it("with longer heads than needed are refused: the bytes that hash to PCR8 have one spelling", () => {
    const good = signatureOf("signed-es384.eif");
    const at = good.findIndex((byte, index) => byte === 0x0a && good[index - 2] === 0x18);
    const longer = concatBytes(good.subarray(0, at), Uint8Array.of(0x18), good.subarray(at));
    expect(() => parseSignatureSection(longer)).toThrow(
      expect.objectContaining({ code: "NOT_CANONICAL" }) as Error,
    );
  });

  it("of 32 KiB and a byte are not read", () => {
    expect(() => parseSignatureSection(new Uint8Array(2 ** 15 + 1))).toThrow(
      expect.objectContaining({ code: "TOO_LARGE" }) as Error,
    );
  });

  it("of any bytes parse or are refused", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        expect(() => parseSignatureSection(bytes)).toThrow(ParseError);
      }),
      { numRuns: 500 },
    );
  });
});
