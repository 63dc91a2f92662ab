/**
 * Measures the guests of a batch: one JSON answer a line, in the order of the requests, errors included.
 * @module
 */
import type { AmdPlatform } from "@bootproof/measure/snp";

import { toFailure } from "../errors/to-failure.ts";
import type { Context } from "../frame/context.ts";
import { EXIT, type ExitCode } from "../frame/exit-code.ts";
import { writeAnswer } from "../frame/files.ts";
import { failureDocument } from "../frame/print-failure.ts";
import { type BatchLine, batchLines, readRequest } from "./batch-lines.ts";
import { readGuestOf } from "./read-guest.ts";
import { GuestFiles } from "./guest-files.ts";
import { FIRMWARE_DIGEST_MODE, firmwareDigestDocument } from "./firmware-digest.ts";
import { shapesOf } from "./guest-shapes.ts";
import { demandKnownSections } from "./known-sections.ts";
import { matrixDocument } from "./matrix-answer.ts";
import { measurementDocument } from "./measurement-document.ts";
import { GuestOpener } from "./open-guest.ts";

/** What a batch asks for by default. */
export interface BatchDefaults {
  readonly platform: AmdPlatform;
  readonly trace: boolean;
  /** Whether firmware may have sections of unknown types. */
  readonly unknownSections: boolean;
}

/** Answers every line of `path` (`-`: standard input). Exit 2 when a request has no answer, else 0. */
export async function measureBatch(
  context: Context,
  path: string,
  defaults: BatchDefaults,
): Promise<ExitCode> {
  const opener = new GuestOpener(new GuestFiles());
  const { out } = context.options;
  const kept: string[] = [];
  let failed = false;
  for await (const line of batchLines(path)) {
    context.signal.throwIfAborted();
    const answer = await answerLine(context, line, opener, defaults);
    failed ||= "error" in answer;
    const text = `${JSON.stringify(answer)}\n`;
    if (out !== undefined) kept.push(text);
    else if (!(await context.write(text))) break;
  }
  if (out !== undefined) await writeAnswer(out, kept.join(""));
  return failed ? EXIT.undecided : EXIT.yes;
}

async function answerLine(
  context: Context,
  line: BatchLine,
  opener: GuestOpener,
  { platform, trace, unknownSections }: BatchDefaults,
): Promise<object> {
  let id: unknown;
  const mark = (): object => ({ line: line.number, ...(id !== undefined && { id }) });
  try {
    const request = readRequest(line);
    id = request.id;
    const { guest: asked, notes: said } = await readGuestOf(request.given, platform);
    const notes = said.length === 0 ? {} : { notes: said };
    if (request.given.text("mode") === FIRMWARE_DIGEST_MODE)
      return { ...mark(), ...notes, ...firmwareDigestDocument(await opener.openSnp(asked)) };
    const shapes = shapesOf(asked);
    const guest = await opener.open(asked);
    demandKnownSections(guest, unknownSections);
    const [only] = shapes;
    if (shapes.length === 1 && only !== undefined)
      return { ...mark(), ...notes, ...measurementDocument(guest, guest.measure(only), trace) };
    const warnings: { code: string; message: string }[] = [];
    const rows = [...guest.rows(shapes, (warning) => warnings.push(warning))];
    return { ...mark(), ...notes, ...matrixDocument(guest, rows, warnings) };
  } catch (error) {
    return { ...mark(), ...failureDocument(toFailure(error), context.command) };
  }
}
