/**
 * An enclave image as an artifact to be verified: its hash, and what it consists of when there is only one way to read it.
 * @module
 */
import { basename } from "node:path";

import { formatHex, startHash } from "@bootproof/bytes";
import { formatManifest, measureNitro } from "@bootproof/measure/nitro";
import type { EifContents, HashedFile } from "@bootproof/verify";

import type { Context } from "../frame/context.ts";
import { EXIT } from "../frame/exit-code.ts";
import { Failure } from "../frame/failure.ts";
import { streamInput } from "../frame/files.ts";
import { measureEifFile } from "./measured-eif.ts";

/** Hashes an image of any size. One without a single reading is compared by its hash alone, and a note says why. */
export async function hashImage(context: Context, path: string): Promise<HashedFile> {
  const hash = startHash("sha256");
  let size = 0;
  for await (const chunk of streamInput(path)) {
    hash.update(chunk);
    size += chunk.length;
  }
  return {
    name: basename(path),
    size,
    sha256: formatHex(hash.digest()),
    eif: await contentsOf(context, path),
  };
}

async function contentsOf(context: Context, path: string): Promise<EifContents | undefined> {
  try {
    const { layout, image } = await measureEifFile(path, { signal: context.signal });
    const { architecture } = layout;
    const { registers, sections } = measureNitro(image, { architecture });
    return { architecture, registers, sections: formatManifest(sections) };
  } catch (error) {
    if (!(error instanceof Failure) || error.exit !== EXIT.malformed) throw error;
    context.note(`${path} is compared by its hash alone: ${error.message} (${error.code})`);
    return undefined;
  }
}
