/**
 * `bootproof inspect FILE`: decodes a file of any kind we know, always as hostile input.
 * @module
 */
import type { Command } from "commander";

import type { Context } from "../frame/context.ts";
import { EXIT, type ExitCode } from "../frame/exit-code.ts";
import { Failure } from "../frame/failure.ts";
import { readInput } from "../frame/files.ts";
import type { Frame } from "../frame/frame.ts";
import type { Given } from "../frame/given.ts";
import { printable } from "../report/printable.ts";

const KINDS =
  "OVMF firmware, Linux kernel (bzImage), initrd (cpio), tlog-proof bundle, checkpoint, DSSE envelope, recipe, lock, public or private key";

/** Defines `inspect`. */
export function defineInspect(parent: Command, frame: Frame): void {
  frame
    .verb(parent, "inspect <file>", "say what a file is and what is in it; verifies nothing", inspect)
    .addHelpText("after", `\nKnown kinds: ${KINDS}.\nExample: bootproof inspect out/snp-guest-1.tlog-proof`);
}

async function inspect(context: Context, given: Given): Promise<ExitCode> {
  const file = given.argument(0);
  const bytes = await readInput(file);
  const { toFailure } = await import("../errors/to-failure.ts");
  const { INSPECTORS } = await import("../inspect/inspectors.ts");
  for (const look of INSPECTORS) {
    const found = await look(bytes, file).catch((error: unknown) => {
      throw toFailure(error, file);
    });
    if (found === undefined) continue;
    const document = { schema: "bootproof/inspection/1", file, kind: found.kind, ...found.document };
    await context.answer(printable(found.text), plain(document));
    return EXIT.yes;
  }
  throw new Failure("BP-FILE-007", EXIT.malformed, "is of no kind that bootproof knows", {
    file,
    expected: KINDS,
  });
}

/** The document with what JSON lacks: bigints as decimal text, bytes as hex. */
function plain(document: object): object {
  const text = JSON.stringify(document, (_key, value: unknown) => {
    if (typeof value === "bigint") return value.toString();
    return value instanceof Uint8Array ? Buffer.from(value).toString("hex") : value;
  });
  return JSON.parse(text) as object;
}
