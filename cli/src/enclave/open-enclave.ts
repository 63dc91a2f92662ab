/**
 * An image that was hashed: what a measurement takes, and what answers say about where it came from.
 * @module
 */
import type { EifArchitecture, EifReading } from "@bootproof/boot/eif";
import type { NitroImage } from "@bootproof/measure/nitro";

import type { Context } from "../frame/context.ts";
import { type Given, usage } from "../frame/given.ts";
import { type EnclaveInput, type NamedPart, readArchitecture, readCertificateFile } from "./enclave-input.ts";
import { hashParts, type HashOptions } from "./hash-eif.ts";
import { measureEifFile } from "./measured-eif.ts";
import { watchHashing } from "./watch-hashing.ts";

/** A hashed image. */
export interface OpenEnclave {
  readonly image: NitroImage;
  /** Of a file, what its header says; of parts, what was said, if anything. */
  readonly architecture?: EifArchitecture | undefined;
  /** The image's file, or its parts, as they were named. */
  readonly source: { readonly image: NamedFile } | { readonly parts: readonly NamedPart[] };
  /** What is odd about a file that has nevertheless one reading. */
  readonly notices: readonly Notice[];
  /** The signature section of a file. */
  readonly signature?: Uint8Array | undefined;
}

/** Something to know about an image that is measured all the same. */
export interface Notice {
  readonly code: string;
  readonly message: string;
}

/** A file as answers name it. */
export interface NamedFile {
  readonly path: string;
  readonly size: number;
}

/** Reads and hashes an image; throws a failure for a file that has no one reading. */
export async function openEnclave(context: Context, given: Given, input: EnclaveInput): Promise<OpenEnclave> {
  return await watchHashing(context, async (options) =>
    input.kind === "file" ? openFile(given, input.path, options) : openParts(given, input, options),
  );
}

async function openFile(given: Given, path: string, options: HashOptions): Promise<OpenEnclave> {
  if (given.text("arch") !== undefined)
    throw usage("--arch is of an image that is no file yet: a file's header says it");
  const { reading, layout, image } = await measureEifFile(path, options);
  const signed = image.certificateDer !== undefined;
  const certificate = given.text("certificate");
  if (certificate !== undefined && signed)
    throw usage("the file is signed, and --certificate is given", "PCR8 is of the certificate in the file");
  const own = certificate === undefined ? undefined : await readCertificateFile(certificate);
  return {
    image: own === undefined ? image : { ...image, certificateDer: own.der },
    architecture: layout.architecture,
    source: { image: { path, size: layout.size } },
    notices: [...reading.findings, ...(await signatureFaults(reading, image))],
    signature: reading.signature,
  };
}

/** What is wrong with the signature: PCR8 beside a PCR0 that nobody signed is a trap. */
async function signatureFaults(reading: EifReading, image: NitroImage): Promise<Notice[]> {
  if (reading.parsedSignature === undefined) return [];
  // It loads elliptic curves.
  const { signatureFaultsOf } = await import("./signature-faults.ts");
  return signatureFaultsOf(reading.parsedSignature, image);
}

async function openParts(
  given: Given,
  { parts, named }: Extract<EnclaveInput, { kind: "parts" }>,
  options: HashOptions,
): Promise<OpenEnclave> {
  const path = given.text("certificate");
  const architecture = readArchitecture(given);
  const certificate = path === undefined ? undefined : await readCertificateFile(path);
  const digests = await hashParts(parts, options);
  return {
    image: { ...digests, certificateDer: certificate?.der },
    architecture,
    source: { parts: named },
    notices: [],
  };
}
