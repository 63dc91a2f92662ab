/**
 * The name of a certificate's subject or issuer as text (RFC 4514): the last part first, what could deceive a reader or
 * a terminal escaped.
 * @module
 */
import { DER, type DerElement, DerReader } from "./der.ts";
import { formatHex } from "./hex.ts";
import { formatObjectIdentifier } from "./object-identifier.ts";
import { ParseError } from "./parse-error.ts";
import { parseUtf8, utf8 } from "./utf8.ts";

const SHORT_NAMES: Readonly<Record<string, string>> = {
  "2.5.4.3": "CN",
  "2.5.4.5": "serialNumber",
  "2.5.4.6": "C",
  "2.5.4.7": "L",
  "2.5.4.8": "ST",
  "2.5.4.9": "STREET",
  "2.5.4.10": "O",
  "2.5.4.11": "OU",
  "0.9.2342.19200300.100.1.25": "DC",
  "1.2.840.113549.1.9.1": "emailAddress",
};

const UTF8_STRING = 0x0c;
/** Kinds of strings whose bytes are characters: Numeric, Printable, Teletex (read as Latin-1), IA5. */
const BYTE_STRINGS = [0x12, 0x13, 0x14, 0x16];
/** Two bytes a character. */
const BMP_STRING = 0x1e;

/** Parses a Name, whose element is given, to text; throws {@link ParseError}. */
export function parseDistinguishedName(name: DerElement, field: string): string {
  const reader = DerReader.within(name);
  const parts: string[] = [];
  while (reader.more) parts.push(parseRelative(reader.inside(DER.set, field), field));
  return parts.toReversed().join(",");
}

function parseRelative(set: DerReader, field: string): string {
  const attributes: string[] = [];
  while (set.more) {
    const attribute = set.inside(DER.sequence, field);
    const type = formatObjectIdentifier(attribute.element(DER.objectIdentifier, field));
    const value = formatValue(attribute.any(field), field);
    attribute.end(field);
    attributes.push(`${SHORT_NAMES[type] ?? type}=${value}`);
  }
  if (attributes.length === 0) throw new ParseError("MISSING", field, { expected: "an attribute" });
  return attributes.join("+");
}

// Other kinds are refused: of most of them OpenSSL refuses the certificate, and then nobody has a hash of it.
function formatValue({ tag, body, whole, offset }: DerElement, field: string): string {
  if (tag === UTF8_STRING) return escape(parseUtf8(body, field));
  if (BYTE_STRINGS.includes(tag))
    return escape(Array.from(body, (byte) => String.fromCharCode(byte)).join(""));
  if (tag !== BMP_STRING || !isBmp(body))
    throw new ParseError("UNSUPPORTED", `${field}'s value`, {
      offset,
      expected: "a string of characters",
      found: `tag 0x${tag.toString(16).padStart(2, "0")}, ${body.length} bytes`,
    });
  return `#${formatHex(whole)}`;
}

/** Whether these are whole characters, none of them half of a pair. */
function isBmp(body: Uint8Array): boolean {
  return body.length % 2 === 0 && !body.some((byte, at) => at % 2 === 0 && (byte & 0xf8) === 0xd8);
}

/** Escapes what has a meaning in this form, and everything that is not printable ASCII. */
function escape(text: string): string {
  const inner = text
    .replaceAll(/[",+;<>\\]/g, "\\$&")
    .replaceAll(/[^ -~]/gu, (character) =>
      Array.from(utf8(character), (byte) => `\\${byte.toString(16).padStart(2, "0")}`).join(""),
    );
  return inner.replace(/^[# ]/, "\\$&").replace(/(?<!\\) $/, "\\ ");
}
