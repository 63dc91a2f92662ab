import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ECDSA_ALGORITHMS, parsePemCertificates, readCertificate } from "./certificate.ts";
import { concatBytes } from "./compare.ts";
import { DER, DerReader } from "./der.ts";
import { sha256 } from "./digest.ts";
import { ECDSA_LENGTH, ecdsaVerify } from "./ecdsa.ts";
import { parseEcdsaDer } from "./ecdsa-der.ts";
import { formatHex, parseHex } from "./hex.ts";
import { ParseError } from "./parse-error.ts";
import { utf8 } from "./utf8.ts";

const pem = (name: string): string =>
  readFileSync(join(import.meta.dirname, "../vectors/certificates", name), "utf8");
const der = (name: string): Uint8Array => parsePemCertificates(pem(name))[0]!.der;
const NAMES = ["aws_nitro_root_g1.pem", "es256.pem", "es384.pem", "es512.pem"];

/** An element: tag, length, contents. */
function element(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const body = concatBytes(...parts);
  const length =
    body.length < 0x80
      ? [body.length]
      : body.length < 0x100
        ? [0x81, body.length]
        : [0x82, body.length >> 8, body.length & 0xff];
  return concatBytes(Uint8Array.of(tag, ...length), body);
}

/** Changes the only place in a certificate that holds these bytes. */
function change(from: string, to: string, name = "es384.pem"): Uint8Array {
  const hex = formatHex(der(name));
  expect(hex.split(from)).toHaveLength(2);
  return parseHex(hex.replace(from, to), "certificate");
}

describe("certificates: who signed an image, and until when, must be what OpenSSL says", () => {
  it.each(NAMES)("reads %s as Node's OpenSSL does", (name) => {
    const mine = readCertificate(der(name));
    const other = new X509Certificate(pem(name));
    expect(mine.serial).toBe(other.serialNumber.toLowerCase());
    expect(mine.subject.split(",").toReversed().join("\n")).toBe(other.subject);
    expect(mine.issuer.split(",").toReversed().join("\n")).toBe(other.issuer);
    expect(mine.notBefore).toEqual(new Date(other.validFrom));
    expect(mine.notAfter).toEqual(new Date(other.validTo));
    expect(mine.isCa).toBe(other.ca);
    const { x = "", y = "", crv } = other.publicKey.export({ format: "jwk" });
    expect(mine.curve).toBe(crv);
    expect(mine.publicKey).toEqual(
      new Uint8Array(Buffer.concat([Buffer.from(x, "base64url"), Buffer.from(y, "base64url")])),
    );
  });

  // The other two are signed with SHA-384 too, which goes with another curve.
  it.each(["aws_nitro_root_g1.pem", "es384.pem"])(
    "gives the parts of %s from which its signature is checked",
    (name) => {
      const { curve, publicKey, signature, signatureAlgorithm, signedPart, ...rest } = readCertificate(
        der(name),
      );
      expect(signatureAlgorithm).toBe(ECDSA_ALGORITHMS[curve!]);
      expect(
        ecdsaVerify(curve!, publicKey!, signedPart, parseEcdsaDer(signature, ECDSA_LENGTH[curve!])),
      ).toBe(true);
      expect(rest.issuerDer).toEqual(rest.subjectDer);
    },
  );

  it("knows the root of Nitro Enclaves", () => {
    const root = der("aws_nitro_root_g1.pem");
    expect(formatHex(sha256(root))).toBe("641a0321a3e244efe456463195d606317ed7cdcc3c1756e09893f3c68f79bb5b");
    expect(readCertificate(root)).toMatchObject({
      version: 3,
      subject: "CN=aws.nitro-enclaves,OU=AWS,O=Amazon,C=US",
      isCa: true,
      pathLength: undefined,
      keyUsage: ["digitalSignature", "keyCertSign", "cRLSign"],
    });
  });

  it("escapes names, or a subject could pass for several parts or drive a terminal", () => {
    expect(readCertificate(change(text("eif-es384") + "3076", text("a,CN=b\n\u00e9") + "3076")).subject).toBe(
      "CN=a\\,CN=b\\0a\\c3\\a9,O=Research,C=GB",
    );
  });

  const text = (value: string): string => formatHex(utf8(value));
  const VALID = text("261123062132Z");
  it.each([
    ["nothing", new Uint8Array(), "TRUNCATED"],
    ["a byte behind it", concatBytes(der("es384.pem"), Uint8Array.of(0)), "TRAILING"],
    ["a cut one", der("es384.pem").subarray(0, 400), "TRUNCATED"],
    ["another day", change(VALID, text("260231062132Z")), "BAD_ENCODING"],
    ["another hour", change(VALID, text("261123252132Z")), "BAD_ENCODING"],
    ["a time with an offset", change(VALID, text("2611230621+01")), "BAD_ENCODING"],
    ["a time that is no time", change(`170d${VALID}`, `0c0d${VALID}`), "BAD_MAGIC"],
    ["a compressed key", change("00" + "04cc508c", "00" + "02cc508c"), "UNSUPPORTED"],
    ["a critical of 1", change("0603551d130101ff", "0603551d13010101"), "NOT_CANONICAL"],
    ["a CA of 1", change("0405" + "30030101ff", "0405" + "3003010101"), "NOT_CANONICAL"],
    ["an extension twice", change("0603551d23", "0603551d0e"), "DUPLICATE"],
    ["a negative serial", change("02147e2ea547", "0214fe2ea547"), "OUT_OF_RANGE"],
    [
      "a name whose value has tag cc",
      change(`0c09${text("eif-es384")}3076`, `cc09${text("eif-es384")}3076`),
      "UNSUPPORTED",
    ],
    [
      "a name whose value has tag 04",
      change(`0c09${text("eif-es384")}3076`, `0409${text("eif-es384")}3076`),
      "UNSUPPORTED",
    ],
    [
      "a name whose value has tag 1c",
      change(`0c09${text("eif-es384")}3076`, `1c09${text("eif-es384")}3076`),
      "UNSUPPORTED",
    ],
    [
      "a name whose value has tag 3e",
      change(`0c09${text("eif-es384")}3076`, `3e09${text("eif-es384")}3076`),
      "UNSUPPORTED",
    ],
    ["parameters of a key that are none", change("06052b81040022", "01052b81040022"), "UNSUPPORTED"],
    ["a NULL with something in it", change("06052b81040022", "05052b81040022"), "UNSUPPORTED"],
    ["something behind a key's parameters", change("06052b81040022", "06032b81040022"), "TRAILING"],
    ["a unique identifier that is no string of bits", change("a353", "8153"), "OUT_OF_RANGE"],
    ["version 4", change("a003020102", "a003020103"), "UNSUPPORTED"],
    ["version 1 written out", change("a003020102", "a003020100"), "UNSUPPORTED"],
  ])("refuses %s", (_, bytes, code) => {
    expect(() => readCertificate(bytes)).toThrow(expect.objectContaining({ code }) as Error);
  });

  it("refuses an algorithm outside that is not the signed one inside", () => {
    const bytes = der("es384.pem");
    const algorithm = parseHex("300a06082a8648ce3d040303", "algorithm");
    const at = formatHex(bytes).lastIndexOf(formatHex(algorithm)) / 2;
    bytes[at + algorithm.length - 1] = 2;
    expect(() => readCertificate(bytes)).toThrow("cannot read signature algorithm");
  });

  it("takes a key on another curve for what it is: no key of ours", () => {
    const read = readCertificate(change("06052b81040022", "06052b8104000a"));
    expect(read).toMatchObject({ curve: undefined, publicKey: undefined, keyAlgorithm: "1.2.840.10045.2.1" });
  });

  // A certificate that OpenSSL refuses gives AWS's tools no PCR8.
  it("takes no change of a byte that OpenSSL refuses", () => {
    fc.assert(
      fc.property(fc.constantFrom(...NAMES), fc.nat(900), fc.nat(255), (name, place, byte) => {
        const bytes = der(name).slice();
        bytes[place % bytes.length] = byte;
        let taken = true;
        try {
          readCertificate(bytes);
        } catch {
          taken = false;
        }
        if (taken) expect(() => new X509Certificate(bytes)).not.toThrow();
      }),
      { numRuns: 3000 },
    );
  });

  it("answers any change of any byte with a certificate or ParseError", () => {
    fc.assert(
      fc.property(fc.constantFrom(...NAMES), fc.nat(900), fc.nat(255), (name, place, byte) => {
        const bytes = der(name).slice();
        bytes[place % bytes.length] = byte;
        try {
          readCertificate(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(ParseError);
        }
      }),
      { numRuns: 3000 },
    );
  });

  it("answers any bytes with a certificate or ParseError", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        for (const parse of [
          readCertificate,
          (all: Uint8Array) => new DerReader(element(DER.sequence, all)).any("x"),
        ])
          try {
            parse(bytes);
          } catch (error) {
            expect(error).toBeInstanceOf(ParseError);
          }
      }),
    );
  });
});

describe("PEM: which certificate counts must not depend on the reader", () => {
  it("gives all certificates of a chain in their order, with text around them", () => {
    const chain = `subject=x\n${pem("es384.pem")}\r\n${pem("es256.pem")}\n`;
    expect(parsePemCertificates(chain).map((found) => readCertificate(found.der).subject)).toEqual([
      "CN=eif-es384,O=Research,C=GB",
      "CN=eif-es256,O=Research,C=GB",
    ]);
  });

  it.each([
    ["nothing", "", "MISSING"],
    ["text alone", "no certificate", "MISSING"],
    [
      "a private key beside it",
      `${pem("es256.pem")}-----BEGIN EC PRIVATE KEY-----\nMIGk\n-----END EC PRIVATE KEY-----\n`,
      "UNSUPPORTED",
    ],
    ["another name of it", pem("es256.pem").replaceAll("CERTIFICATE", "TRUSTED CERTIFICATE"), "UNSUPPORTED"],
    ["an end of another kind", pem("es256.pem").replace("END CERTIFICATE", "END CRL"), "UNSUPPORTED"],
    ["no end", pem("es256.pem").replace(/-----END.*/s, ""), "BAD_ENCODING"],
    ["a second start", `-----BEGIN CERTIFICATE-----\n${pem("es256.pem")}`, "BAD_ENCODING"],
    [
      "a start inside of a line, which OpenSSL skips and GnuTLS takes",
      `x${pem("es256.pem")}${pem("es384.pem")}`,
      "BAD_ENCODING",
    ],
    ["a start behind a carriage return", `x\r${pem("es256.pem")}`, "BAD_ENCODING"],
    ["an end inside of a line", pem("es256.pem").replace("\n-----END", "-----END"), "BAD_ENCODING"],
    ["text behind an end", pem("es256.pem").replace(/\n$/, "x\n"), "BAD_ENCODING"],
    ["a NUL in front", `\0\n${pem("es256.pem")}`, "BAD_ENCODING"],
    ["broken base64", pem("es256.pem").replace("MII", "M!I"), "BAD_ENCODING"],
  ])("refuses %s", (_, text, code) => {
    expect(() => parsePemCertificates(text)).toThrow(expect.objectContaining({ code }) as Error);
  });

  it("takes line ends of both kinds, and none behind the last END", () => {
    const expected = der("es256.pem");
    for (const text of [
      pem("es256.pem").replaceAll("\n", "\r\n"),
      pem("es256.pem").trimEnd(),
      `\u00fc\n${pem("es256.pem")}`,
    ])
      expect(parsePemCertificates(text).map((found) => found.der)).toEqual([expected]);
  });

  it("answers any text with certificates or ParseError", () => {
    const pieces = fc.constantFrom(
      "-----BEGIN CERTIFICATE-----",
      "-----END CERTIFICATE-----",
      "\n",
      "AAAA",
      "-----",
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(pieces, fc.string())), (parts) => {
        try {
          expect(parsePemCertificates(parts.join("")).length).toBeGreaterThan(0);
        } catch (error) {
          expect(error).toBeInstanceOf(ParseError);
        }
      }),
    );
  });
});

describe("DER: one spelling, or a certificate has two hashes", () => {
  it.each([
    ["a length in two bytes that fits one", "30817f", "NOT_CANONICAL"],
    ["a length with a leading zero", "3082007f", "NOT_CANONICAL"],
    ["an indefinite length", "3080", "NOT_CANONICAL"],
    ["a length of five bytes", "30850100000000", "NOT_CANONICAL"],
    ["a length past the end", "3003", "TRUNCATED"],
    ["a long tag", "3f0100", "UNSUPPORTED"],
  ])("refuses %s", (_, hex, code) => {
    expect(() => new DerReader(parseHex(hex, "DER")).any("element")).toThrow(
      expect.objectContaining({ code }) as Error,
    );
  });
});
