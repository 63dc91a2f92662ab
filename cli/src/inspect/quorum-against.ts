/**
 * Holds a QuorumOS manifest against an attestation document or an EIF.
 * @module
 */
import { parseHex } from "@bootproof/bytes";
import { measureNitro } from "@bootproof/measure/nitro";
import { checkDocument, checkRegisters, parseQuorumFile } from "@bootproof/statement/quorum-os";
import { parseAttestationDocument } from "@bootproof/verify/nitro";

import { reading } from "../errors/to-failure.ts";
import type { Context } from "../frame/context.ts";
import { readHead, readInput } from "../frame/files.ts";
import { documentBytes } from "../kms/document-bytes.ts";
import { type Inspection, startsWith } from "./inspection.ts";
import { inspectParsed } from "./quorum-os-files.ts";

/** Looks at a manifest, with the checks of what it is held against. */
export async function inspectAgainst(context: Context, file: string, against: string): Promise<Inspection> {
  const bytes = await readInput(file);
  const parsed = reading(file, () => parseQuorumFile(bytes));
  if (startsWith(await readHead(against, 4), ".eif")) {
    const pcrs = await pcrsOfEif(context, against);
    return inspectParsed(parsed, checkRegisters(parsed.manifest, pcrs), [
      "whether an enclave runs this image",
    ]);
  }
  const other = await readInput(against);
  const document = reading(against, () => parseAttestationDocument(documentBytes(other) ?? other));
  return inspectParsed(parsed, checkDocument(parsed.manifest, document), [
    "the document's signature and certificates",
  ]);
}

async function pcrsOfEif(context: Context, file: string): Promise<ReadonlyMap<number, Uint8Array>> {
  const { measureEifFile } = await import("../enclave/measured-eif.ts");
  const { watchHashing } = await import("../enclave/watch-hashing.ts");
  const { image } = await watchHashing(context, (options) => measureEifFile(file, options));
  const registers = Object.entries(measureNitro(image, {}).registers);
  return new Map(registers.map(([name, value]) => [Number(name.slice(3)), parseHex(value, name)]));
}
