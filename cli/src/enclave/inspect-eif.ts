/**
 * Looks at an EIF of any size: reads it in both ways, hashes what each finds, rebuilds what was signed.
 * @module
 */
import { type EifReading, readEif } from "@bootproof/boot/eif";
import { PCR_SIZE } from "@bootproof/measure/nitro";

import type { Inspection } from "../inspect/inspection.ts";
import { hashReadings, type ReadingShown } from "./eif-readings.ts";
import { eifDocument } from "./eif-document.ts";
import { formatEif } from "./eif-text.ts";
import { describeKernel, type KernelShown } from "./eif-kernel.ts";
import { type MembersOf, readMembers } from "./eif-members.ts";
import { describeSignature, type SignatureShown } from "./eif-signature.ts";
import { type EifVerdict, judgeEif } from "./eif-verdict.ts";
import { EifFile, type HashOptions } from "./hash-eif.ts";

/** Everything that is shown of a file. */
export interface ShownEif {
  readonly file: string;
  readonly size: number;
  readonly reading: EifReading;
  readonly readings: readonly ReadingShown[];
  readonly kernel?: KernelShown | undefined;
  readonly signature?: SignatureShown | undefined;
  /** Of each ramdisk, when asked for. */
  readonly members?: readonly MembersOf[] | undefined;
  readonly verdict: EifVerdict;
}

/** How much is shown, and until when. */
export interface InspectOptions extends HashOptions {
  readonly members: boolean;
}

/** Decodes an EIF; throws only for what cannot be read. */
export async function inspectEifFile(path: string, options: InspectOptions): Promise<Inspection> {
  const file = await EifFile.open(path, { hash: true });
  try {
    const reading = await readEif(file);
    const hashed = await hashReadings(file, reading, options);
    const signature = describeSignature(reading, hashed);
    const found: Omit<ShownEif, "verdict"> = {
      file: path,
      size: file.size,
      reading,
      readings: hashed.length === 1 ? hashed.map((only) => withPcr8(only, signature)) : hashed,
      kernel: await describeKernel(file, reading),
      signature,
      members: options.members ? await readMembers(file, reading) : undefined,
    };
    await file.file.checkUnchanged();
    const shown = { ...found, verdict: judgeEif(found) };
    return { kind: "eif", text: formatEif(shown), document: eifDocument(shown), judged: shown.verdict.exit };
  } finally {
    await file.close();
  }
}

/** The one reading with PCR8: zero for an unsigned file, unknown for a signature that cannot be read. */
function withPcr8(reading: ReadingShown, signature: SignatureShown | undefined): ReadingShown {
  const { registers } = reading;
  const PCR8 = signature === undefined ? "0".repeat(2 * PCR_SIZE) : signature.pcr8;
  return registers === undefined || PCR8 === undefined
    ? reading
    : { ...reading, registers: { ...registers, PCR8 } };
}
