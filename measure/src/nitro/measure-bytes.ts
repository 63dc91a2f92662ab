/**
 * The measurement of an image whose parts are in memory: for tests, browsers and small images.
 * @module
 */
import type { EifSectionType } from "@bootproof/boot/eif";
import { EifHasher, joinEifDigests } from "./eif-hasher.ts";
import { measureNitro, type NitroMeasurement, type NitroShape } from "./measure-nitro.ts";

/** The parts of an image. */
export interface NitroParts {
  readonly kernel: Uint8Array;
  /** Exact bytes: a line end at the end counts. */
  readonly cmdline: Uint8Array;
  /** At least one, in file order. */
  readonly ramdisks: readonly Uint8Array[];
  readonly metadata?: Uint8Array | undefined;
  readonly certificateDer?: Uint8Array | undefined;
}

/** A section in memory. */
export interface LoadedSection {
  readonly type: EifSectionType;
  readonly bytes: Uint8Array;
}

/** Measures parts in the order in which AWS's tools write them. */
export function measureNitroBytes(parts: NitroParts, shape: NitroShape = {}): NitroMeasurement {
  const { kernel, cmdline, ramdisks, metadata, certificateDer } = parts;
  return measureSections(
    [
      { type: "kernel", bytes: kernel },
      { type: "cmdline", bytes: cmdline },
      ...(metadata === undefined ? [] : [{ type: "metadata" as const, bytes: metadata }]),
      ...ramdisks.map((bytes) => ({ type: "ramdisk" as const, bytes })),
    ],
    { certificateDer },
    shape,
  );
}

/** Measures sections in any order that images may have them in. */
export function measureSections(
  sections: readonly LoadedSection[],
  { certificateDer }: Pick<NitroParts, "certificateDer"> = {},
  shape: NitroShape = {},
): NitroMeasurement {
  const planned = sections.map(({ type, bytes }) => ({ type, size: bytes.length }));
  const hasher = new EifHasher(planned, { headers: false });
  for (const { bytes } of sections) hasher.update(bytes);
  return measureNitro({ ...joinEifDigests(hasher.finish()), certificateDer }, shape);
}
