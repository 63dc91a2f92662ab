/**
 * Why two launches measure differently: reads both sides, compares them, says what differs first.
 * @module
 */
import type { Explanation, Side } from "@bootproof/measure";
import { explain } from "@bootproof/measure/explain";

import type { Context } from "../frame/context.ts";
import { EXIT, type ExitCode } from "../frame/exit-code.ts";
import { Failure } from "../frame/failure.ts";
import type { Given } from "../frame/given.ts";
import { readSideFiles, type SideFile } from "./explain-files.ts";
import { type OpenShape, readOpenShape, sideOf } from "./explain-sides.ts";
import { formatExplanation } from "./explain-text.ts";

const EXITS: Readonly<Record<Explanation["verdict"], ExitCode>> = {
  same: EXIT.yes,
  differs: EXIT.no,
  undecided: EXIT.undecided,
};

/** Compares two files of launches. */
export async function explainTwo(
  context: Context,
  given: Given,
  paths: readonly [string, string],
): Promise<ExitCode> {
  const open = await readOpenShape(given);
  const [a, b] = await readSideFiles(context, ...paths);
  const [left, right] = await withSections(a, b, bothSides(a, b, open));
  const explanation = explain(left, right);
  const files = { a: { file: a.path, kind: a.kind }, b: { file: b.path, kind: b.kind } };
  await context.answer(formatExplanation(files, explanation, context), {
    schema: "bootproof/explanation/1",
    ...files,
    ...explanation,
  });
  return EXITS[explanation.verdict];
}

/** Of two enclave images the sections that differ are compared byte by byte, and ramdisks member by member. */
async function withSections(
  a: SideFile,
  b: SideFile,
  sides: readonly [Side, Side],
): Promise<readonly [Side, Side]> {
  if (a.kind !== "eif" || b.kind !== "eif") return sides;
  const { loadDifferingSections } = await import("../enclave/enclave-side.ts");
  return await loadDifferingSections(a.enclave, b.enclave);
}

/** An image has no shape of its own: it takes the one given, else the other side's. */
function bothSides(a: SideFile, b: SideFile, open: OpenShape): readonly [Side, Side] {
  if ((manyShapes(a) && b.kind === "document") || (a.kind === "document" && manyShapes(b)))
    throw new Failure("BP-EXPLAIN-003", EXIT.undecided, `a ${a.kind} and a ${b.kind} cannot be compared`, {
      hint: "one is of many shapes, the other of one: bootproof verify and lookup find a digest in a bundle",
    });
  const shapeOf = (side: SideFile, other: SideFile): OpenShape =>
    side.kind !== "document" && open.shape === undefined && other.kind === "document"
      ? { ...open, like: other }
      : open;
  return [sideOf(a, shapeOf(a, b)), sideOf(b, shapeOf(b, a))];
}

const manyShapes = ({ kind }: SideFile): boolean => kind === "bundle" || kind === "compact reference";
