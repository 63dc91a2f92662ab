/**
 * Reads the image tails of `vectors/` and builds broken images from one by a named change.
 * @module
 */
import { readFileSync } from "node:fs";

export interface TailVector {
  readonly name: string;
  readonly tableLength: number;
  readonly entries: Readonly<Record<string, string>>;
  readonly resetAddress: string;
  readonly sections: [number, number, number][];
}

const at = (name: string): URL => new URL(`../vectors/${name}`, import.meta.url);

export const tails: readonly TailVector[] = (
  JSON.parse(readFileSync(at("tails.json"), "utf8")) as { vectors: TailVector[] }
).vectors;

export const tail = (name: string): Uint8Array<ArrayBuffer> =>
  new Uint8Array(readFileSync(at(`${name}.tail`)));

/** Where things are in the AmdSev suffix. */
export const AMDSEV = "ovmf_AmdSev_suffix.bin";
export const TABLE_LENGTH_AT: number = 4096 - 50;
export const RESET_LENGTH_AT = 0xfbc;
export const SECRET_LENGTH_AT = 0xfa6;
export const METADATA_AT: number = 4096 - 0x554;

/** The AmdSev suffix with `width` bytes at `offset` set to a little-endian `value`. */
export function changed(offset: number, value: number, width: 1 | 2 | 4): Uint8Array<ArrayBuffer> {
  const image = tail(AMDSEV);
  const view = new DataView(image.buffer);
  if (width === 1) view.setUint8(offset, value);
  else if (width === 2) view.setUint16(offset, value, true);
  else view.setUint32(offset, value, true);
  return image;
}
