/**
 * Enclave images as sides of a comparison: digests first, and the bytes of those sections that differ.
 * @module
 */
import type { EifSection } from "@bootproof/boot/eif";
import type { Side } from "@bootproof/measure";
import { differingSections, measureNitro, nitroSide, sectionNames } from "@bootproof/measure/nitro";

import type { Context } from "../frame/context.ts";
import { OpenFile } from "./eif-file.ts";
import { measureEifFile, type MeasuredEif } from "./measured-eif.ts";
import { watchHashing } from "./watch-hashing.ts";

/** A measured image. */
export interface OpenSide {
  readonly path: string;
  readonly measured: MeasuredEif;
  /** Without the bytes of any section. */
  readonly side: Side;
}

/** Larger sections are told apart by their digests alone: both sides' are in memory at once. */
const MAX_SECTION = 2 ** 28;

/** Measures an image; throws a failure for a file without one reading. */
export async function openEnclaveSide(
  context: Pick<Context, "progress" | "signal">,
  path: string,
): Promise<OpenSide> {
  const measured = await watchHashing(context, (options) => measureEifFile(path, options));
  return { path, measured, side: sideOf(measured, {}) };
}

const sideOf = ({ image, layout }: MeasuredEif, artifacts: Side["artifacts"]): Side =>
  nitroSide(measureNitro(image, { architecture: layout.architecture }), artifacts);

/** Both sides with the bytes of the sections that differ. */
export async function loadDifferingSections(a: OpenSide, b: OpenSide): Promise<readonly [Side, Side]> {
  const names = differingSections(a.side, b.side);
  return [await withBytes(a, names), await withBytes(b, names)];
}

async function withBytes({ path, measured }: OpenSide, wanted: readonly string[]): Promise<Side> {
  const { sections } = measured.layout;
  const names = sectionNames(sections);
  const named = sections.map((section, index) => ({ section, name: names[index] ?? "" }));
  const file = await OpenFile.open(path);
  try {
    const artifacts: Record<string, Uint8Array> = {};
    for (const { section, name } of named)
      if (wanted.includes(name) && section.size <= MAX_SECTION)
        artifacts[name] = await readSection(file, section);
    const { certificateDer } = measured.image;
    if (certificateDer !== undefined) artifacts["certificate"] = certificateDer;
    return sideOf(measured, artifacts);
  } finally {
    await file.close();
  }
}

const readSection = (file: OpenFile, { offset, size }: EifSection): Promise<Uint8Array> =>
  file.read(offset, size);
