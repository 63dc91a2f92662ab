/**
 * Names and link targets as Linux has them: bytes, which are UTF-8 by habit only. They are kept as text with a
 * character a byte, so that they compare as bytes do and take a byte each.
 * @module
 */
import { quote } from "@bootproof/bytes";

/** Text whose characters are bytes. */
export type ByteText = string;

/** The bytes as text. */
export const byteText = (bytes: Uint8Array): ByteText =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");

/** The bytes of a text. */
export const bytesOf = (text: ByteText): Uint8Array => Buffer.from(text, "latin1");

/** The UTF-8 bytes of a text that people wrote. */
export const byteTextOf = (text: string): ByteText => Buffer.from(text, "utf8").toString("latin1");

/** The text as people read it, quoted. */
export const show = (text: ByteText): string => quote(Buffer.from(text, "latin1").toString("utf8"));
