/**
 * The transport keys of a SEV guest, from files only: they are secrets.
 * @module
 */
import { splitTransportKeys, TRANSPORT_KEY_SIZE } from "@bootproof/measure/identity";

import { EXIT } from "../frame/exit-code.ts";
import { Failure } from "../frame/failure.ts";
import { readInput } from "../frame/files.ts";
import { type Given, usage } from "../frame/given.ts";

/** The integrity key, and the encryption key when the file has both. */
export interface TransportKeys {
  readonly tik: Uint8Array;
  readonly tek: Uint8Array | undefined;
}

/** Reads the file of `--tik` or `--tk`. */
export async function readTransportKeys(given: Given): Promise<TransportKeys> {
  const [tik, tk] = [given.text("tik"), given.text("tk")];
  if (tik !== undefined && tk !== undefined)
    throw usage("--tik and --tk are both given", "one of them is enough");
  const file = tik ?? tk;
  if (file === undefined)
    throw usage("there is no transport integrity key", "give --tik FILE with 16 bytes, or --tk FILE with 32");
  const bytes = await readInput(file, 4096);
  // A key of 16 bytes that somebody wrote in hex has 32 characters: taken as two keys, no MAC would hold.
  const hex = /^[0-9a-f]+\s*$/i.test(Buffer.from(bytes).toString("latin1"));
  if (bytes.length === 2 * TRANSPORT_KEY_SIZE && !hex) return splitTransportKeys(bytes);
  if (bytes.length === TRANSPORT_KEY_SIZE && tik !== undefined) return { tik: bytes, tek: undefined };
  throw new Failure("BP-ID-008", EXIT.malformed, "is no transport key", {
    file,
    expected: tik === undefined ? "32 bytes (TEK, then TIK)" : "16 bytes (TIK), or 32 bytes (TEK, then TIK)",
    found: hex ? "text in hex" : `${String(bytes.length)} bytes`,
    hint: hex ? `xxd -r -p ${file} FILE makes the binary file` : undefined,
  });
}
