/**
 * Says what has to be signed of an image, for a key that never comes here.
 * @module
 */
import { EIF_ALGORITHMS, type EifAlgorithm, signatureInput } from "@bootproof/boot/eif";
import { algorithmOfCertificate } from "@bootproof/boot/eif/signing";
import { formatBase64, formatHex, parseHex } from "@bootproof/bytes";
import { measureNitro } from "@bootproof/measure/nitro";
import { createHash } from "node:crypto";

import { readCertificateFile } from "../enclave/enclave-input.ts";
import { measureEifFile } from "../enclave/measured-eif.ts";
import { watchHashing } from "../enclave/watch-hashing.ts";
import { reading } from "../errors/reading.ts";
import type { Context } from "../frame/context.ts";
import { EXIT, type ExitCode } from "../frame/exit-code.ts";
import { writeAnswer } from "../frame/files.ts";
import { makeFolder } from "../frame/folders.ts";
import { badValue, type Given, usage } from "../frame/given.ts";
import { formatFields } from "../report/table.ts";

/** The hash that goes with each algorithm. */
const HASHES: Readonly<Record<EifAlgorithm, "sha256" | "sha384" | "sha512">> = {
  ES256: "sha256",
  ES384: "sha384",
  ES512: "sha512",
};

/** Answers `eif payload`: the bytes to `--out` when given, else in the answer. */
export async function eifPayload(context: Context, given: Given): Promise<ExitCode> {
  const file = given.argument(0);
  const algorithm = await readAlgorithm(given);
  const { image } = await watchHashing(context, (options) => measureEifFile(file, options));
  const { PCR0 = "" } = measureNitro(image).registers;
  const bytes = signatureInput(parseHex(PCR0, "PCR0"), algorithm);
  const { out } = context.options;
  if (out !== undefined) {
    await makeFolder(out);
    await writeAnswer(out, bytes);
  }
  const { curve } = EIF_ALGORITHMS[algorithm];
  const hash = HASHES[algorithm];
  const digest = createHash(hash).update(bytes).digest("hex");
  const fields: [string, string][] = [
    ["PCR0", PCR0],
    ["signed by", `ECDSA ${curve} with ${hash.toUpperCase().replace("SHA", "SHA-")} (${algorithm})`],
    ["to sign", out ?? formatBase64(bytes)],
    [hash, digest],
  ];
  context.say(formatFields(fields), {
    schema: "bootproof/eif-payload/1",
    image: file,
    PCR0,
    algorithm,
    curve,
    size: bytes.length,
    base64: formatBase64(bytes),
    hex: formatHex(bytes),
    [hash]: digest,
  });
  return EXIT.yes;
}

async function readAlgorithm(given: Given): Promise<EifAlgorithm> {
  const [path, curve] = [given.text("certificate"), given.text("curve")];
  if ((path === undefined) === (curve === undefined))
    throw usage("what is signed depends on the key's curve", "give one of --certificate and --curve");
  if (path !== undefined) {
    const { pem } = await readCertificateFile(path);
    return reading(path, () => algorithmOfCertificate(pem));
  }
  const names = Object.keys(EIF_ALGORITHMS) as EifAlgorithm[];
  const found = names.find((name) => EIF_ALGORITHMS[name].curve === curve?.toUpperCase());
  if (found === undefined) throw badValue("--curve", "P-256, P-384 or P-521", curve ?? "");
  return found;
}
