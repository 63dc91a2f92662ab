import { generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { parsePrivateKey } from "./pem-keys.ts";

describe("private keys that cannot be used must be told from files that hold none", () => {
  const refuse = (found: string, hint = ""): never => {
    throw new Error(`${found}: ${hint}`);
  };
  it.each([
    ["PKCS #8", { type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "x" } as const],
    ["SEC 1", { type: "sec1", format: "pem", cipher: "aes-128-cbc", passphrase: "x" } as const],
  ])("says of an encrypted %s that it is one, and how it is decrypted", (_, form) => {
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-384" });
    const pem = Buffer.from(privateKey.export(form));
    expect(() => parsePrivateKey(pem, refuse)).toThrow("an encrypted key: openssl pkey");
  });
  it("says nothing of encryption where there is no key", () => {
    expect(() => parsePrivateKey(Buffer.from("-----BEGIN X-----"), refuse)).toThrow("something else: ");
  });
});
