/**
 * Builds firmware volumes for tests.
 * @module
 */
import { ByteWriter, parseGuid } from "@bootproof/bytes";

export const FFS2 = "8c8ce578-8a3d-4f1c-9935-896185c32dd3";

export interface FileInput {
  readonly guid: string;
  readonly type: number;
  readonly size: number;
}

/** A volume of `length` bytes with `files`, its header checksum right, free space 0xff. */
export function buildVolume(
  length: number,
  files: readonly FileInput[],
  fileSystem: string = FFS2,
): Uint8Array {
  const volume = new Uint8Array(length).fill(0xff);
  const header = new ByteWriter()
    .zeros(16)
    .bytes(parseGuid(fileSystem, "file system"))
    .u64le(BigInt(length))
    .u32le(0x4856_465f)
    .u32le(0)
    .u16le(0x48)
    .u16le(0)
    .u16le(0)
    .u8(0)
    .u8(2)
    .u32le(length / 4096)
    .u32le(4096)
    .zeros(8)
    .finish();
  const view = new DataView(header.buffer);
  let sum = 0;
  for (let at = 0; at < header.length; at += 2) sum += view.getUint16(at, true);
  view.setUint16(0x32, -sum & 0xffff, true);
  volume.set(header);
  let offset = 0x48;
  for (const file of files) {
    volume.set(buildFile(file), offset);
    offset = Math.ceil((offset + file.size) / 8) * 8;
  }
  return volume;
}

function buildFile({ guid, type, size }: FileInput): Uint8Array {
  const header = new ByteWriter()
    .bytes(parseGuid(guid, "file"))
    .u16le(0)
    .u8(type)
    .u8(0)
    .u16le(size % 0x1_0000)
    .u8(Math.floor(size / 0x1_0000))
    .u8(0xf8);
  return header.zeros(size - header.length).finish();
}
