/**
 * VMSA pages as files, as sev-snp-measure writes them: `vmsa0.bin` and on, 4096 bytes each.
 * @module
 */
import { join } from "node:path";

import type { SnpShape } from "@bootproof/measure/snp";

import { writeAnswer } from "../frame/files.ts";
import { usage } from "../frame/given.ts";
import type { OpenGuest } from "./open-guest.ts";

/** Writes one file a vCPU into a folder that exists. */
export async function dumpVmsas(
  folder: string,
  { vmsas, platform }: OpenGuest,
  shape: SnpShape,
): Promise<void> {
  if (vmsas === undefined) throw usage(`--dump-vmsa: no VMSA of this ${platform} guest is made by us`);
  let vcpu = 0;
  for (const page of vmsas(shape)) await writeAnswer(join(folder, `vmsa${vcpu++}.bin`), page);
}
