/**
 * Looks at an EIF of any size: reads it in both ways, hashes what each finds, rebuilds what was signed.
 * @module
 */
import { type EifReading, readEif } from "@bootproof/boot/eif";
import { PCR_SIZE } from "@bootproof/measure/nitro";

import { EXIT, type ExitCode } from "../frame/exit-code.ts";
import type { Inspection } from "../inspect/inspection.ts";
import { hashReadings, type ReadingShown } from "./eif-readings.ts";
import { eifDocument } from "./eif-document.ts";
import { formatEif } from "./eif-text.ts";
import { describeKernel } from "./eif-kernel.ts";
import { type MembersOf, readMembers } from "./eif-members.ts";
import { describeSignature, type SignatureShown } from "./eif-signature.ts";
import { EifFile, type HashOptions } from "./hash-eif.ts";

/** Everything that is shown of a file. */
export interface ShownEif {
  readonly file: string;
  readonly size: number;
  readonly reading: EifReading;
  readonly readings: readonly ReadingShown[];
  /** What the kernel says of itself. */
  readonly kernel?: string | undefined;
  readonly signature?: SignatureShown | undefined;
  /** Of each ramdisk, when asked for. */
  readonly members?: readonly MembersOf[] | undefined;
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
    const shown: ShownEif = {
      file: path,
      size: file.size,
      reading,
      readings: hashed.length === 1 ? hashed.map((only) => withPcr8(only, signature)) : hashed,
      kernel: await describeKernel(file, reading),
      signature,
      members: options.members ? await readMembers(file, reading) : undefined,
    };
    await file.file.checkUnchanged();
    return { kind: "eif", text: formatEif(shown), document: eifDocument(shown), judged: judge(shown) };
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

/** The worst thing that is wrong with it. */
function judge({ reading, readings, signature }: ShownEif): ExitCode {
  const has = (severity: string): boolean =>
    reading.findings.some((finding) => finding.severity === severity);
  if (has("malformed")) return EXIT.malformed;
  const wrongCrc = readings.some(({ crc32 }) => crc32 !== undefined && crc32 !== reading.header?.crc32);
  const wrongSignature = signature?.checks.some(({ answer }) => answer === "no");
  if (has("ambiguous") || wrongCrc || wrongSignature === true) return EXIT.no;
  return has("refused") ? EXIT.undecided : EXIT.yes;
}
