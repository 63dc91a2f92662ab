/**
 * What `bootproof inspect` found in a file.
 * @module
 */
import type { ExitCode } from "../frame/exit-code.ts";

/** A decoded file: its kind, lines for people, and the document for programs. */
export interface Inspection {
  /** Such as `ovmf`, `kernel`, `tlog-proof`, `private-key`: what the document is about, in one word. */
  readonly kind: string;
  readonly text: string;
  readonly document: object;
  /** Whether it is good for what files of its kind are for, when that can be told from the file alone. */
  readonly judged?: ExitCode;
}

/** Looks at bytes; undefined when they are not of its kind, ParseError when they are and are malformed. */
export type Inspector = (bytes: Uint8Array, file: string) => Inspection | undefined;

/** Whether bytes start with ASCII text. */
export function startsWith(bytes: Uint8Array, text: string): boolean {
  return Array.from(text).every((char, index) => bytes[index] === char.charCodeAt(0));
}

/** Where ASCII text stands in the first `limit` bytes, or -1. */
export function textHead(bytes: Uint8Array, limit = 4096): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, limit)).toString("latin1");
}
