/**
 * Short binary values as people have them: pasted in hex or base64, or in a file.
 * @module
 */
import { parseBase64, ParseError, parseHex } from "@bootproof/bytes";
import { LAUNCH_MEASURE_SIZE } from "@bootproof/measure/identity";

import { readInput } from "../frame/files.ts";
import { badValue } from "../frame/given.ts";
import { fieldOf, parseJson } from "./json-field.ts";

/** Reads a pasted value of a known length. */
export function readPastedBytes(flag: string, text: string, length: number): Uint8Array {
  const bytes = decode(text, length);
  if (bytes !== undefined) return bytes;
  throw badValue(flag, `${String(length)} bytes in hex or base64`, text);
}

/** Reads a LAUNCH_MEASURE blob: pasted, or a file with it, binary or text, or with QEMU's answer in JSON. */
export async function readBlob(flag: string, text: string): Promise<Uint8Array> {
  const pasted = decode(text, LAUNCH_MEASURE_SIZE);
  if (pasted !== undefined) return pasted;
  // A base64 text of another length is a cut one, not a path.
  if (/^[A-Za-z0-9+/]{20,}={0,2}$/.test(text)) throw badValue(flag, "48 bytes in base64, or a file", text);
  const bytes = await readInput(text, 2 ** 16);
  if (bytes.length === LAUNCH_MEASURE_SIZE) return bytes;
  const content = Buffer.from(bytes).toString("latin1").trim();
  const data = fieldOf(fieldOf(parseJson(content), "return") ?? parseJson(content), "data");
  const found = decode(typeof data === "string" ? data : content, LAUNCH_MEASURE_SIZE);
  if (found !== undefined) return found;
  throw new ParseError("BAD_ENCODING", `LAUNCH_MEASURE of ${text}`, {
    expected: "48 bytes, binary or base64, or QEMU's answer to query-sev-launch-measure",
    found: `${String(bytes.length)} other bytes`,
  });
}

function decode(text: string, length: number): Uint8Array | undefined {
  const hex = /^(?:0x)?([0-9a-f]*)$/i.exec(text)?.[1];
  for (const parse of [() => parseHex(hex ?? "x", "bytes"), () => parseBase64(text, "bytes")])
    try {
      const bytes = parse();
      if (bytes.length === length) return bytes;
    } catch (error) {
      if (!(error instanceof ParseError)) throw error;
    }
  return undefined;
}
