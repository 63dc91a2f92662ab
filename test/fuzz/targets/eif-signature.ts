/**
 * Signature sections of enclave images: what is said to be this image's signature is one by OpenSSL too, over what the
 * format's document says is signed.
 * @module
 */
import { verify, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";
import { parseSignatureSection } from "@bootproof/boot/eif";
import { signEif, verifyEifSignature } from "@bootproof/boot/eif/signing";
import { encodeCbor, ParseError } from "@bootproof/bytes";
import { createPrivateKey } from "node:crypto";
import { mutateBytes } from "../mutate.ts";
import { attempt, Complaint, type Target } from "../target.ts";

const folder = path.resolve(import.meta.dirname, "../../../boot/vectors/eif");
const PCR0 = Uint8Array.from({ length: 48 }, (_, at) => at * 5);
const HASHES = { ES256: ["sha256", -7], ES384: ["sha384", -35], ES512: ["sha512", -36] } as const;

const SECTIONS = ["es256", "es384", "es512"].map((name) => {
  const { d = "" } = createPrivateKey(readFileSync(path.join(folder, `${name}.TEST-ONLY.key`))).export({
    format: "jwk",
  });
  const certificate = new Uint8Array(readFileSync(path.join(folder, `${name}.pem`)));
  return signEif(certificate, new Uint8Array(Buffer.from(d, "base64url")), PCR0).slice();
});

/** Sections of all curves, changed. */
export const eifSignature: Target = {
  name: "eif-signature",
  about: "signature sections through parseSignatureSection and verifyEifSignature",
  limit: 1000,
  makeCase(random) {
    const start = random.pick(SECTIONS).slice();
    const bytes = random.oneIn(16) ? start : mutateBytes(start, random, SECTIONS);
    return {
      bytes,
      given: "parseSignatureSection",
      run: () =>
        attempt(
          (error) => error instanceof ParseError,
          () => {
            const section = parseSignatureSection(bytes);
            return { section, checks: verifyEifSignature(section, PCR0, new Date(0)) };
          },
        ),
      judge: (answer) => {
        if (answer === undefined) return "refused";
        const { section, checks } = answer as {
          section: ReturnType<typeof parseSignatureSection>;
          checks: ReturnType<typeof verifyEifSignature>;
        };
        const good = checks.every((check) => check.answer !== "no");
        if (good !== openssl(section))
          throw new Complaint(`we say ${good ? "good" : "bad"}, OpenSSL the other`);
        return good ? "accepted" : "refused";
      },
    };
  },
};

/** Whether the signature is of PCR0, by OpenSSL. */
function openssl({
  certificateDer,
  algorithm,
  payload,
  signature,
}: ReturnType<typeof parseSignatureSection>): boolean {
  const [hash, number] = HASHES[algorithm];
  const text = (value: string): Uint8Array => encodeCbor(value);
  const signed = encodeCbor(
    new Map<string, number | number[]>([
      ["register_index", 0],
      ["register_value", [...PCR0]],
    ]),
  );
  if (!Buffer.from(payload).equals(signed)) return false;
  const message = Buffer.concat(
    [
      [0x84],
      text("Signature1"),
      encodeCbor(encodeCbor(new Map([[1, number]]))),
      encodeCbor(new Uint8Array()),
      encodeCbor(signed),
    ].map((part) => Buffer.from(part)),
  );
  try {
    const { publicKey } = new X509Certificate(certificateDer);
    return verify(hash, message, { key: publicKey, dsaEncoding: "ieee-p1363" }, signature);
  } catch {
    return false; // OpenSSL throws for certificates and keys that are none
  }
}
