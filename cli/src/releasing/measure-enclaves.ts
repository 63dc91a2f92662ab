/**
 * What Nitro Enclaves will report that run a release's images, read from the store's files and never held in memory.
 * @module
 */
import { verifyEifSignature } from "@bootproof/boot/eif/signing";
import { parseHex } from "@bootproof/bytes";
import { formatManifest, measureNitro } from "@bootproof/measure/nitro";
import type { ShapeRegisters } from "@bootproof/statement";

import { measureEifFile, type MeasuredEif } from "../enclave/measured-eif.ts";
import { EXIT } from "../frame/exit-code.ts";
import { Failure } from "../frame/failure.ts";
import type { LoadedArtifact } from "./artifacts.ts";

/** An entry for each artifact of kind eif: PCRs and section manifest; each names its image when there are several. */
export async function measureEnclaves(artifacts: readonly LoadedArtifact[]): Promise<ShapeRegisters[]> {
  const images = artifacts.filter(({ kind }) => kind === "eif");
  const entries: ShapeRegisters[] = [];
  for (const { name, path } of images) {
    const measured = await measureEifFile(path);
    const { architecture } = measured.layout;
    const { registers, sections } = measureNitro(measured.image, { architecture });
    checkSignature(name, measured, registers["PCR0"] ?? "");
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

/** Nobody can start an image whose signature does not hold, so nobody will report its registers. */
function checkSignature(name: string, { reading }: MeasuredEif, pcr0: string): void {
  const section = reading.parsedSignature;
  const failed =
    section && verifyEifSignature(section, parseHex(pcr0, "PCR0")).find(({ answer }) => answer === "no");
  if (failed === undefined) return;
  throw new Failure("BP-RELEASE-003", EXIT.badConfig, `the signature of ${name} does not hold`, {
    found: `${failed.name}: ${failed.reason}`,
    hint: "sign the image again, or publish it without a signature",
  });
}
