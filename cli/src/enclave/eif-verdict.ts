/**
 * Whether an EIF can be relied on to boot as it is described: the exit status of `inspect`, and why.
 * @module
 */
import type { EifFinding } from "@bootproof/boot/eif";

import { EXIT, type ExitCode } from "../frame/exit-code.ts";
import type { ShownEif } from "./inspect-eif.ts";

/** The worst thing that is to be said of a file. */
export interface EifVerdict {
  readonly exit: ExitCode;
  readonly words: string;
}

/** Judges a file by everything that was found in it. */
export function judgeEif(shown: Omit<ShownEif, "verdict">): EifVerdict {
  const { reading, readings, signature } = shown;
  const has = (severity: string): boolean =>
    reading.findings.some((finding) => finding.severity === severity);
  if (has("malformed"))
    return { exit: EXIT.malformed, words: "malformed: readers refuse it, or differ about it" };
  if (has("ambiguous"))
    return { exit: EXIT.no, words: "no: not all readers see the same image in it, or not all of it" };
  if (readings.some(({ crc32 }) => crc32 !== undefined && crc32 !== reading.header?.crc32))
    return { exit: EXIT.no, words: "no: the checksum is wrong, so loaders refuse it" };
  if (signature?.checks.some(({ answer }) => answer === "no") === true)
    return { exit: EXIT.no, words: "no: the signature is none of this image" };
  const otherwise = bootsOtherwise(shown);
  if (otherwise !== undefined)
    return { exit: EXIT.no, words: `no: it boots otherwise than it reads: ${otherwise}` };
  if (has("refused"))
    return { exit: EXIT.undecided, words: `could not decide: ${whyRefused(reading.findings)}` };
  const signed = signature === undefined ? "not signed" : "and so does the signature";
  return { exit: EXIT.yes, words: `one reading, the checksum holds, ${signed}` };
}

/** Why there is no verdict: the format is beyond what is public, or a section beyond what is read. */
export function whyRefused(findings: readonly EifFinding[]): string {
  const unknown = findings.some(({ severity, code }) => severity === "refused" && code !== TOO_LARGE);
  return unknown ? "how such a file is measured is not public" : "a section is larger than is read here";
}

const TOO_LARGE = "BP-EIF-024";

/** What no PCR sees and no reader of the format: bytes that moved between kernel and command line. */
function bootsOtherwise({ kernel, reading }: Pick<ShownEif, "kernel" | "reading">): string | undefined {
  if (kernel !== undefined && kernel.lacking > 0)
    return `the kernel's last ${kernel.lacking} bytes are not in its section, and the command line that boots is another`;
  const cmdline = reading.cmdline ?? new Uint8Array();
  const nul = cmdline.indexOf(0);
  // A NUL at the end is the terminator that some tools write.
  if (nul >= 0 && cmdline.subarray(nul).some((byte) => byte !== 0))
    return `the kernel reads its command line up to the NUL at byte ${nul}`;
  return undefined;
}
