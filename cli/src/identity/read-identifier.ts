/**
 * Family and image IDs as people have them: 16 bytes in hex, or up to 16 characters of text.
 * @module
 */
import { parseHex } from "@bootproof/bytes";
import { IDENTIFIER_SIZE } from "@bootproof/measure/identity";

import { badValue } from "../frame/given.ts";

/** Reads an ID: 32 hex digits, or printable ASCII that zeros fill up; zeros when absent. */
export function readIdentifier(flag: string, text: string | undefined): Uint8Array {
  const identifier = new Uint8Array(IDENTIFIER_SIZE);
  if (text === undefined) return identifier;
  const hex = /^(?:0x)?([0-9a-f]{32})$/i.exec(text)?.[1];
  if (hex !== undefined) return parseHex(hex, flag);
  if (!/^(?!0x)[ -~]{1,16}$/i.test(text))
    throw badValue(flag, "32 hex digits, or 1 to 16 characters of text", text);
  identifier.set(Buffer.from(text, "latin1"));
  return identifier;
}
