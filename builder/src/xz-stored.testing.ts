/**
 * An .xz file that compresses nothing: what tests need to write the indexes that the resolver reads
 * (The .xz File Format 1.2.1, sections 2 to 4; LZMA2 chunks of kind "uncompressed").
 * @module
 */
import { concatBytes, crc32 } from "@bootproof/bytes";

const CHUNK = 65_536;
const HEADER_FLAGS = [0x00, 0x01]; // check: CRC32

/** `bytes` in an .xz stream of one block. */
export function storeAsXz(bytes: Uint8Array): Uint8Array {
  const header = concatBytes(
    Uint8Array.of(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00, ...HEADER_FLAGS),
    sum(Uint8Array.from(HEADER_FLAGS)),
  );
  // Size 12 bytes; one filter: LZMA2 (0x21) with a dictionary of 64 KiB (0x08); padding.
  const blockHeader = Uint8Array.of(0x02, 0x00, 0x21, 0x01, 0x08, 0x00, 0x00, 0x00);
  const block = concatBytes(blockHeader, sum(blockHeader), ...chunks(bytes));
  const checked = concatBytes(pad(block), sum(bytes));
  const unpadded = block.length + 4;
  const records = pad(Uint8Array.from([0x00, 0x01, ...varint(unpadded), ...varint(bytes.length)]));
  const index = concatBytes(records, sum(records));
  const footer = concatBytes(le32(index.length / 4 - 1), Uint8Array.from(HEADER_FLAGS));
  return concatBytes(header, checked, index, sum(footer), footer, Uint8Array.of(0x59, 0x5a));
}

function* chunks(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += CHUNK) {
    const data = bytes.subarray(at, at + CHUNK);
    yield Uint8Array.of(at === 0 ? 0x01 : 0x02, (data.length - 1) >> 8, (data.length - 1) & 0xff);
    yield data;
  }
  yield Uint8Array.of(0x00);
}

const pad = (bytes: Uint8Array): Uint8Array =>
  concatBytes(bytes, new Uint8Array((4 - (bytes.length % 4)) % 4));
const sum = (bytes: Uint8Array): Uint8Array => le32(crc32(bytes));
const le32 = (value: number): Uint8Array =>
  Uint8Array.of(value & 255, (value >> 8) & 255, (value >> 16) & 255, value >>> 24);

function* varint(value: number): Generator<number> {
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    yield (rest % 128) | (rest >= 128 ? 0x80 : 0);
    if (rest < 128) return;
  }
}
