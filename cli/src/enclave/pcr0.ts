/**
 * The register that image signatures are of.
 * @module
 */
import { parseHex } from "@bootproof/bytes";
import { type EifDigests, measureNitro } from "@bootproof/measure/nitro";

/** PCR0 of a hashed image, as bytes. */
export const pcr0Of = (digests: EifDigests): Uint8Array =>
  parseHex(measureNitro(digests).registers["PCR0"] ?? "", "PCR0");
