/**
 * Whether two images are the same bytes, or boot the same and differ in what no register sees, or neither.
 * @module
 */
import { formatHex } from "@bootproof/bytes";
import { compareManifests, formatManifest } from "@bootproof/measure/nitro";

import { OpenFile } from "./eif-file.ts";
import type { HashOptions } from "./hash-eif.ts";
import { measureEifFile, type MeasuredEif } from "./measured-eif.ts";

/** How two images compare, in the words that rebuilds use. */
export interface ImageComparison {
  readonly with: string;
  readonly verdict: "IDENTICAL" | "MEASUREMENT-EQUAL" | "DIVERGED";
  readonly reason: string;
}

const PIECE = 2 ** 20;

/** Compares an image with an expected one; both must have one reading. */
export async function compareImages(
  expected: string,
  found: string,
  options: HashOptions,
): Promise<ImageComparison> {
  const at = await firstDifferentByte(expected, found, options);
  if (at === undefined) return { with: expected, verdict: "IDENTICAL", reason: "every byte is equal" };
  const a = await measureEifFile(expected, options);
  const b = await measureEifFile(found, options);
  const where = `the first byte that differs is at 0x${at.toString(16)}`;
  const architectures = [a.layout.architecture, b.layout.architecture];
  if (architectures[0] !== architectures[1])
    return { with: expected, verdict: "DIVERGED", reason: `expected ${architectures.join(", found ")}` };
  const { outcome, first } = compareManifests(
    formatManifest(a.digests.sections),
    formatManifest(b.digests.sections),
  );
  if (outcome === "differs") return { with: expected, verdict: "DIVERGED", reason: first ?? where };
  const reason = `PCR0, PCR1 and PCR2 and every measured section are equal; ${outcome === "same" ? `only the header differs, ${where}` : (first ?? where)}`;
  return { with: expected, verdict: "MEASUREMENT-EQUAL", reason: `${reason}${signatureNote(a, b)}` };
}

/** The certificate is measured, into a register of its own. */
function signatureNote(a: MeasuredEif, b: MeasuredEif): string {
  const [one, other] = [a, b].map(({ image }) => formatHex(image.certificateDer ?? new Uint8Array()));
  return one === other
    ? ""
    : "; PCR8 differs: they are signed by different certificates, or one is not signed";
}

async function firstDifferentByte(
  a: string,
  b: string,
  { signal }: HashOptions,
): Promise<number | undefined> {
  const left = await OpenFile.open(a);
  try {
    const right = await OpenFile.open(b);
    try {
      return await firstDifference(left, right, signal);
    } finally {
      await right.close();
    }
  } finally {
    await left.close();
  }
}

async function firstDifference(
  left: OpenFile,
  right: OpenFile,
  signal: AbortSignal | undefined,
): Promise<number | undefined> {
  const shorter = Math.min(left.size, right.size);
  for (let at = 0; at < shorter; at += PIECE) {
    signal?.throwIfAborted();
    const length = Math.min(PIECE, shorter - at);
    const [one, other] = [await left.read(at, length), await right.read(at, length)];
    if (Buffer.compare(one, other) !== 0) return at + one.findIndex((byte, index) => byte !== other[index]);
  }
  return left.size === right.size ? undefined : shorter;
}
