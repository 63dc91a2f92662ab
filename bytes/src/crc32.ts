/**
 * CRC-32 as zlib, PNG and EIF compute it (ISO 3309, reflected polynomial 0xEDB88320).
 * @module
 */
const TABLE = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb8_8320 : value >>> 1;
  return value;
});

/** CRC-32 of `bytes`; `previous` continues the CRC of the bytes before them. */
export function crc32(bytes: Uint8Array, previous = 0): number {
  let value = ~previous;
  for (const byte of bytes) value = (value >>> 8) ^ (TABLE[(value ^ byte) & 0xff] ?? 0);
  return ~value >>> 0;
}

/** x^(2^n) modulo the polynomial, for n from 0 to 31; they repeat from there. */
const SQUARES: readonly number[] = (() => {
  const squares = [0x4000_0000];
  while (squares.length < 32) squares.push(multiply(squares.at(-1) ?? 0, squares.at(-1) ?? 0));
  return squares;
})();

/** CRC-32 of two byte strings joined, of the CRC-32 of each and the length in bytes of the second. */
export function joinCrc32(first: number, second: number, secondLength: number): number {
  // A byte more behind them multiplies what was before by x^8.
  let shift = 0x8000_0000;
  let bits = secondLength;
  for (let n = 3; bits > 0; n++, bits = Math.floor(bits / 2))
    if (bits % 2 === 1) shift = multiply(shift, SQUARES[n % 32] ?? 0);
  return (multiply(shift, first) ^ second) >>> 0;
}

/** The product of two polynomials modulo the CRC's; the highest bit is x^0. */
function multiply(a: number, b: number): number {
  let product = 0;
  let shifted = b;
  for (let bit = 31; bit >= 0; bit--) {
    if ((a >>> bit) & 1) product ^= shifted;
    shifted = shifted & 1 ? (shifted >>> 1) ^ 0xedb8_8320 : shifted >>> 1;
  }
  return product >>> 0;
}
