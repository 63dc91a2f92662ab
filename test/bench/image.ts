/**
 * The firmware that is measured: 4 MiB of noise with the end of a real image.
 * @module
 */
import { readFileSync } from "node:fs";
import path from "node:path";

/** The clone. */
export const ROOT: string = path.resolve(import.meta.dirname, "../..");

/** The command as it runs from a clone. */
export const BOOTPROOF: string = path.join(ROOT, "node_modules/.bin/bootproof");

/** Makes the image. */
export function makeImage(): Uint8Array<ArrayBuffer> {
  const suffix = readFileSync(path.join(ROOT, "measure/vectors/ovmf_AmdSev_suffix.bin"));
  const whole = new Uint8Array(4 << 20);
  let state = 1;
  for (let index = 0; index < whole.length; index++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) | 0;
    whole[index] = state >> 16;
  }
  whole.set(suffix, whole.length - suffix.length);
  return whole;
}
