/**
 * The signature section of an image from a certificate and a signature that were made elsewhere. It is made only when
 * the signature is of this image's PCR0: a section for another image would give its PCR8 to this one.
 * @module
 */
import { createReadStream } from "node:fs";
import { EIF_ALGORITHMS } from "@bootproof/boot/eif";
import { algorithmOfCertificate, EifSignatureError, signatureSection } from "@bootproof/boot/eif/signing";
import { formatHex, ParseError, parseEcdsaDer, startHash } from "@bootproof/bytes";
import type { Blob, DirectoryBlobs } from "@bootproof/store";
import { BuildError, goneFromStore } from "../build-error.ts";
import type { EifPart } from "../eif-file.ts";

/** Makes the section for an image with this PCR0. */
export type MakeSection = (pcr0: Uint8Array) => Uint8Array;

const CHUNK = 1024 * 1024;
const PCR_SIZE = 48;

/** Reads certificate and signature; throws {@link BuildError} BP-ENCLAVE-004 when they are none. */
export async function readSignature(
  parts: DirectoryBlobs,
  { certificate, signature }: { readonly certificate: Blob; readonly signature: Blob },
): Promise<MakeSection> {
  const certificatePem = await read(parts, certificate, "the certificate");
  const bytes = await read(parts, signature, "the signature");
  return (pcr0) => {
    try {
      const { signatureLength } = EIF_ALGORITHMS[algorithmOfCertificate(certificatePem)];
      const joined = bytes.length === signatureLength ? bytes : parseEcdsaDer(bytes, signatureLength / 2);
      return signatureSection({ certificatePem, signature: joined, pcr0 });
    } catch (cause) {
      if (cause instanceof EifSignatureError || cause instanceof ParseError) throw refused(cause, pcr0);
      throw cause;
    }
  };
}

async function read(parts: DirectoryBlobs, { sha256 }: Blob, what: string): Promise<Uint8Array> {
  const bytes = await parts.get(sha256);
  if (bytes === undefined) throw goneFromStore(what, parts.path(sha256));
  return bytes;
}

function refused(cause: Error, pcr0: Uint8Array): BuildError {
  return new BuildError("BP-ENCLAVE-004", `the recipe's signature is none of this image: ${cause.message}`, {
    expected: `a signature of PCR0 ${formatHex(pcr0)}`,
    hint: "leave `signature` out, build, and sign what bootproof eif payload prints for the new image",
    cause,
  });
}

/** PCR0 of an image: SHA-384 of kernel, command line and ramdisks as one string, extended once from zero. */
export async function pcr0Of(sections: readonly EifPart[], signal?: AbortSignal): Promise<Uint8Array> {
  const inner = startHash("sha384");
  for (const type of ["kernel", "cmdline", "ramdisk"] as const)
    for (const section of sections.filter((candidate) => candidate.type === type))
      for await (const chunk of bytesOf(section)) {
        signal?.throwIfAborted();
        inner.update(chunk);
      }
  const extended = startHash("sha384");
  extended.update(new Uint8Array(PCR_SIZE));
  extended.update(inner.digest());
  return extended.digest();
}

async function* bytesOf(section: EifPart): AsyncGenerator<Uint8Array> {
  if ("bytes" in section) yield section.bytes;
  else yield* createReadStream(section.path, { highWaterMark: CHUNK }) as AsyncIterable<Uint8Array>;
}
