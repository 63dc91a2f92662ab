/**
 * What Nitro Enclaves will report that run a release's images, read from the store's files and never held in memory.
 * @module
 */
import { formatManifest, measureNitro } from "@bootproof/measure/nitro";
import type { ShapeRegisters } from "@bootproof/statement";

import { measureEifFile } from "../enclave/measured-eif.ts";
import type { LoadedArtifact } from "./artifacts.ts";

/** An entry for each artifact of kind eif: PCRs and section manifest; each names its image when there are several. */
export async function measureEnclaves(artifacts: readonly LoadedArtifact[]): Promise<ShapeRegisters[]> {
  const images = artifacts.filter(({ kind }) => kind === "eif");
  const entries: ShapeRegisters[] = [];
  for (const { name, path } of images) {
    const { layout, image } = await measureEifFile(path);
    const { architecture } = layout;
    const { registers, sections } = measureNitro(image, { architecture });
    entries.push({
      platform: "nitro",
      shape: { architecture, ...(images.length > 1 && { image: name }) },
      // PCR8 of an image that nobody signed is zero, which no statement may expect of a machine.
      registers: Object.fromEntries(Object.entries(registers).filter(([, value]) => !/^0+$/.test(value))),
      sections: formatManifest(sections),
    });
  }
  return entries;
}
