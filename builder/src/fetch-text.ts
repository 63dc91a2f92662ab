/**
 * A small text from a URL, with limits on its size and on how long it may take.
 * @module
 */
import { parseUtf8, ParseError } from "@bootproof/bytes";
import { BuildError } from "./build-error.ts";
import { networkReason } from "./download.ts";

const MAX_SIZE = 8 * 2 ** 20;
const TIME_LIMIT_MS = 60_000;

/** Fetches a text; throws {@link BuildError} BP-RESOLVE-005 with the server's answer. */
export async function fetchText(url: string, signal?: AbortSignal): Promise<string> {
  const limit = AbortSignal.timeout(TIME_LIMIT_MS);
  try {
    const response = await fetch(url, {
      signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
    });
    if (response.status !== 200)
      throw new BuildError("BP-RESOLVE-005", `${url}: answered ${response.status}`);
    const pieces: Uint8Array[] = [];
    let size = 0;
    for await (const piece of response.body as AsyncIterable<Uint8Array>) {
      size += piece.length;
      if (size > MAX_SIZE) throw new BuildError("BP-RESOLVE-005", `${url}: sent more than ${MAX_SIZE} bytes`);
      pieces.push(piece);
    }
    return parseUtf8(Buffer.concat(pieces), url);
  } catch (error) {
    if (error instanceof BuildError) throw error;
    signal?.throwIfAborted();
    if (error instanceof ParseError)
      throw new BuildError("BP-RESOLVE-005", `${url}: sent something that is no text`);
    throw new BuildError("BP-RESOLVE-005", `${url}: ${networkReason(error)}`, { cause: error });
  }
}
