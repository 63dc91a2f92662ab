/**
 * Where in a signature section the bytes stand that become the certificate's DER. The section is CBOR, the certificate a
 * PEM text written as an array of numbers (serde_cbor of `Vec<u8>`), and PCR8 sees what the first PEM block decodes to:
 * neither the labels around it nor what follows.
 * @module
 */
import { equalBytes, utf8 } from "@bootproof/bytes";

/** A stretch of the section. */
export interface CertificateRange {
  readonly offset: number;
  readonly length: number;
}

// A text string of 19 bytes.
const KEY = Uint8Array.of(0x73, ...utf8("signing_certificate"));
const BEGIN = "-----BEGIN CERTIFICATE-----";
const END = "-----END CERTIFICATE-----";

/** The place of the first certificate's base64; undefined for a section that does not hold it in this form. */
export function certificateRange(signature: Uint8Array): CertificateRange | undefined {
  const key = indexOf(signature, KEY);
  const numbers = key < 0 ? undefined : readNumbers(signature, key + KEY.length);
  if (numbers === undefined) return undefined;
  const pem = String.fromCharCode(...numbers.map(({ value }) => value));
  const begin = pem.indexOf(BEGIN);
  const end = pem.indexOf(END, begin + BEGIN.length);
  const first = begin < 0 ? undefined : numbers[begin + BEGIN.length];
  const last = end < 0 ? undefined : numbers[end - 1];
  if (first === undefined || last === undefined || last.end <= first.start) return undefined;
  return { offset: first.start, length: last.end - first.start };
}

interface PlacedNumber {
  readonly value: number;
  readonly start: number;
  readonly end: number;
}

/** An array of numbers below 256; undefined for anything else. Each takes a byte at least, so the input bounds it. */
function readNumbers(bytes: Uint8Array, at: number): PlacedNumber[] | undefined {
  const head = readArrayHead(bytes, at);
  if (head === undefined || head.count > bytes.length - head.end) return undefined;
  const numbers: PlacedNumber[] = [];
  let start = head.end;
  while (numbers.length < head.count) {
    const first = bytes[start] ?? 0xff;
    const value = first === 0x18 ? bytes[start + 1] : first;
    if (value === undefined || (first > 0x17 && first !== 0x18)) return undefined;
    const end = start + (first === 0x18 ? 2 : 1);
    numbers.push({ value, start, end });
    start = end;
  }
  return numbers;
}

function readArrayHead(bytes: Uint8Array, at: number): { count: number; end: number } | undefined {
  const [first = 0, high = 0, low = 0] = bytes.subarray(at, at + 3);
  if (first >= 0x80 && first <= 0x97) return { count: first - 0x80, end: at + 1 };
  if (first === 0x98) return { count: high, end: at + 2 };
  return first === 0x99 ? { count: high * 256 + low, end: at + 3 } : undefined;
}

function indexOf(bytes: Uint8Array, wanted: Uint8Array): number {
  for (let at = 0; at + wanted.length <= bytes.length; at++)
    if (equalBytes(bytes.subarray(at, at + wanted.length), wanted)) return at;
  return -1;
}
