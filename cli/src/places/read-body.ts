/**
 * The body of an answer, of which no more is kept than it may have, however much is sent.
 * @module
 */
import { concatBytes } from "@bootproof/bytes";

/** The bytes, after decompression; throws what `tooMuch` gives as soon as there are more than `limit`. */
export async function readBody(
  { body }: Response,
  limit: number,
  tooMuch: () => Error,
): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > limit) throw tooMuch();
    chunks.push(chunk);
  }
  return concatBytes(...chunks);
}
