/**
 * Makes signature sections: with a private key that is in a file or a variable, with a program that holds one, or from a
 * signature made elsewhere. Which key it is the certificate says, and nothing is used that does not hold under it.
 * @module
 */
import { EIF_ALGORITHMS, signatureInput } from "@bootproof/boot/eif";
import { algorithmOfCertificate, signatureSection, signEif } from "@bootproof/boot/eif/signing";
import { utf8 } from "@bootproof/bytes";
import { dirname, resolve } from "node:path";

import { reading } from "../errors/reading.ts";
import type { Context } from "../frame/context.ts";
import { EXIT } from "../frame/exit-code.ts";
import { Failure } from "../frame/failure.ts";
import { readInput } from "../frame/files.ts";
import { badValue, type Given, usage } from "../frame/given.ts";
import { MAX_KEY_FILE, parsePrivateKey } from "../identity/pem-keys.ts";
import { parseAnySignature } from "../identity/read-signature.ts";
import { parseSigningProgram } from "../signing/command-config.ts";
import { runSigningProgram } from "../signing/command-signer.ts";
import { noSigner } from "../signing/signer-failure.ts";
import { parseSignerSpec } from "../signing/signer-spec.ts";
import { readCertificateFile, type SigningCertificate } from "./enclave-input.ts";

/** Who signs: a certificate, and where its signatures come from. */
export interface ImageSigner {
  readonly certificate: SigningCertificate;
  /** The signature section for an image with this PCR0. */
  sign(pcr0: Uint8Array): Promise<Uint8Array>;
}

const KEY = "openssl ecparam -name secp384r1 -genkey -noout -out FILE makes one";
const FLAG = "--signing-key";
/** OpenSSL's names of the curves. */
const CURVES: Readonly<Record<string, string>> = {
  prime256v1: "P-256",
  secp384r1: "P-384",
  secp521r1: "P-521",
};
/** Base64 or hex of the longest signature, with room for line ends. */
const MAX_ANSWER = 1024;

/** Reads who signs; undefined when nobody does. */
export async function readImageSigner(context: Context, given: Given): Promise<ImageSigner | undefined> {
  const path = given.text("certificate") ?? given.text("signingCertificate");
  const key = given.text("signingKey") ?? given.text("privateKey");
  const signature = given.text("signature");
  if (path === undefined && key === undefined && signature === undefined) return undefined;
  if (path === undefined) throw usage("there is no certificate", "give --certificate: PCR8 is of it");
  if ((key === undefined) === (signature === undefined))
    throw usage(
      "a signature needs a key, or has been made elsewhere",
      `give one of ${FLAG} and --signature; bootproof eif payload says what to sign`,
    );
  refuseToOverwrite(context, [path, key, signature]);
  const certificate = await readCertificateFile(path);
  const sign =
    key === undefined ? fromFile(signature ?? "", certificate) : await fromKey(context, key, certificate);
  return { certificate, sign };
}

/** An image in place of the key that signs it would be the end of the key. */
function refuseToOverwrite(
  { cwd, options: { out } }: Context,
  inputs: readonly (string | undefined)[],
): void {
  if (out === undefined) return;
  if (inputs.some((input) => input !== undefined && resolve(cwd, input) === resolve(cwd, out)))
    throw usage(`--out would replace ${out}, which is read to sign`, "give --out another name");
}

function lengthOf({ path, pem }: SigningCertificate): number {
  return EIF_ALGORITHMS[reading(path, () => algorithmOfCertificate(pem))].signatureLength / 2;
}

/** A signature made elsewhere. */
function fromFile(path: string, certificate: SigningCertificate): ImageSigner["sign"] {
  return async (pcr0) => {
    const found = parseAnySignature(await readInput(path, 2 ** 12), lengthOf(certificate));
    if (found === undefined) throw noSignature(path, certificate);
    return join(certificate, found, pcr0);
  };
}

async function fromKey(
  context: Context,
  text: string,
  certificate: SigningCertificate,
): Promise<ImageSigner["sign"]> {
  const spec = parseSignerSpec(text, FLAG);
  switch (spec.kind) {
    case "file":
      return withKey(await readInput(resolve(context.cwd, spec.path), MAX_KEY_FILE), spec.path, certificate);
    case "env":
      return withKey(variable(context, spec.name), `the variable ${spec.name}`, certificate);
    case "command":
      return await withProgram(context, spec.path, certificate);
    case "agent":
      throw badValue(
        FLAG,
        "a PEM file, env:NAME or command:FILE",
        "an ssh-agent, which signs in a form of its own",
      );
  }
}

function variable({ env }: Context, name: string): Uint8Array {
  const text = env[name]?.trim() ?? "";
  if (text !== "") return utf8(text);
  const hint = `set ${name}, or name the key in another way`;
  throw noSigner("the environment holds no key", `a private key in ${name}`, hint);
}

function withKey(bytes: Uint8Array, file: string, certificate: SigningCertificate): ImageSigner["sign"] {
  const algorithm = reading(certificate.path, () => algorithmOfCertificate(certificate.pem));
  const wanted = EIF_ALGORITHMS[algorithm].curve;
  const refuse = (found: string, hint = KEY): Failure => noKey(file, found, hint);
  const { curve, key } = parsePrivateKey(bytes, refuse);
  const name = CURVES[curve];
  if (name === undefined) throw refuse(`a key of kind ${curve}`);
  if (name !== wanted)
    throw new Failure("BP-EIF-040", EXIT.no, "the private key is not that of the certificate", {
      file,
      expected: `a key on ${wanted}, as in ${certificate.path}`,
      found: `one on ${name}`,
    });
  return async (pcr0) => Promise.resolve(signEif(certificate.pem, key, pcr0));
}

async function withProgram(
  { env, cwd }: Context,
  path: string,
  certificate: SigningCertificate,
): Promise<ImageSigner["sign"]> {
  const file = resolve(cwd, path);
  const bytes = await readInput(file, 2 ** 16);
  const program = reading(path, () => parseSigningProgram(bytes));
  const algorithm = reading(certificate.path, () => algorithmOfCertificate(certificate.pem));
  return async (pcr0) => {
    const surroundings = { cwd: dirname(file), env, limit: MAX_ANSWER };
    const answer = await runSigningProgram(program, signatureInput(pcr0, algorithm), surroundings);
    const found = parseAnySignature(answer, lengthOf(certificate));
    if (found === undefined) throw noSignature("what the program printed", certificate);
    return join(certificate, found, pcr0);
  };
}

const join = ({ pem }: SigningCertificate, signature: Uint8Array, pcr0: Uint8Array): Uint8Array =>
  signatureSection({ certificatePem: pem, signature, pcr0 });

function noKey(file: string, found: string, hint: string): Failure {
  return new Failure("BP-EIF-070", EXIT.malformed, "is no private key that signs EIFs", {
    file,
    expected: "a private key on P-256, P-384 or P-521, PEM or DER",
    found,
    hint,
  });
}

function noSignature(file: string, certificate: SigningCertificate): Failure {
  const length = lengthOf(certificate);
  return new Failure("BP-EIF-071", EXIT.malformed, "is no ECDSA signature of the certificate's curve", {
    file,
    expected: `DER, or ${2 * length} bytes r and s; binary, base64 or hex`,
    hint: "bootproof eif payload says what has to be signed, and how",
  });
}
