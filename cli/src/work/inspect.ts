/**
 * Decodes a file of any kind that we know.
 * @module
 */
import { toFailure } from "../errors/to-failure.ts";
import type { Context } from "../frame/context.ts";
import { EXIT, type ExitCode } from "../frame/exit-code.ts";
import { Failure } from "../frame/failure.ts";
import { readInput } from "../frame/files.ts";
import type { Given } from "../frame/given.ts";
import type { Inspection } from "../inspect/inspection.ts";
import { INSPECTORS } from "../inspect/inspectors.ts";
import { printable } from "../report/printable.ts";

const KINDS =
  "OVMF firmware, Linux kernel (bzImage), initrd (cpio), tlog-proof bundle, checkpoint, DSSE envelope, recipe, lock, public or private key";

/** Says what a file is and what is in it. */
export async function inspect(context: Context, given: Given): Promise<ExitCode> {
  const file = given.argument(0);
  const bytes = await readInput(file);
  const found = await look(bytes, file);
  if (found !== undefined) {
    const document = { schema: "bootproof/inspection/1", file, kind: found.kind, ...found.document };
    await context.answer(printable(found.text) + advice(found.kind, context.command), plain(document));
    return EXIT.yes;
  }
  throw new Failure("BP-FILE-007", EXIT.malformed, "is of no kind that bootproof knows", {
    file,
    expected: KINDS,
  });
}

async function look(bytes: Uint8Array, file: string): Promise<Inspection | undefined> {
  try {
    for (const inspector of INSPECTORS) {
      const found = await inspector(bytes, file);
      if (found !== undefined) return found;
    }
    return undefined;
  } catch (error) {
    throw toFailure(error, file);
  }
}

const SIGNED: ReadonlySet<string> = new Set(["tlog-proof", "checkpoint", "envelope"]);

/** What was signed is shown as it claims to be, and the output says so. */
function advice(kind: string, command: string): string {
  return SIGNED.has(kind) ? `not verified: ${command} verify FILE --policy P does that\n` : "";
}

/** The document with what JSON lacks: bigints as decimal text, bytes as hex. */
function plain(document: object): object {
  const text = JSON.stringify(document, (_key, value: unknown) => {
    if (typeof value === "bigint") return value.toString();
    return value instanceof Uint8Array ? Buffer.from(value).toString("hex") : value;
  });
  return JSON.parse(text) as object;
}
