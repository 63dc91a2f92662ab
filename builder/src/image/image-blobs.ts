/**
 * Blobs of an image by digest: found, hashed and only then read.
 * @module
 */
import { quote } from "@bootproof/bytes";
import { BuildError } from "../build-error.ts";
import { type Descriptor, hexOf, MAX_DOCUMENT } from "./image-documents.ts";
import type { FileSlice, ImageBlob, ImageBlobRole } from "./image.ts";
import { openVerified } from "./layer-spool.ts";

/** Finds where a blob lies; undefined when it is not there. */
export type FindBlob = (sha256: string) => FileSlice | undefined;

/** Where the blob of a descriptor lies; throws {@link BuildError} BP-IMAGE-003 or 004. */
export function placeBlob(
  find: FindBlob,
  { digest, size }: Pick<Descriptor, "digest" | "size">,
  role: ImageBlobRole,
  file: string,
): ImageBlob {
  const sha256 = hexOf(digest);
  const place = find(sha256);
  if (place === undefined)
    throw new BuildError("BP-IMAGE-003", `a ${role} of the image is missing`, { file, expected: digest });
  if (place.size !== size)
    throw new BuildError("BP-IMAGE-004", `a ${role} of the image has another size than it says`, {
      file: place.path,
      expected: `${size} bytes, ${digest}`,
      found: `${place.size}`,
    });
  return { role, sha256, size, place };
}

/** A document's bytes, which have the digest; throws {@link BuildError} BP-IMAGE-002 to 004. */
export async function readDocument(blob: ImageBlob): Promise<Uint8Array> {
  if (blob.size > MAX_DOCUMENT)
    throw new BuildError("BP-IMAGE-002", `a ${blob.role} of the image is too large`, {
      file: blob.place.path,
      expected: `at most ${MAX_DOCUMENT} bytes`,
      found: `${blob.size}`,
    });
  const reader = await openVerified(blob, `the ${blob.role}`);
  try {
    return reader.read(0, reader.size).slice();
  } finally {
    reader.close();
  }
}

/** The digest of a pin; throws {@link BuildError} BP-IMAGE-007. */
export function parsePin(digest: string | undefined): string | undefined {
  if (digest === undefined || /^sha256:[0-9a-f]{64}$/.test(digest)) return digest;
  throw new BuildError("BP-IMAGE-007", "not a digest", {
    expected: "sha256: and 64 hex digits",
    found: quote(digest),
  });
}
