/**
 * What a build has to say about the enclave images that it assembled, once for each.
 * @module
 */
import type { BuildResult } from "@bootproof/builder";

import type { Context } from "../frame/context.ts";
import { printable } from "../report/printable.ts";

/** Notes every finding of a build, with the code that `explain` has a page for. */
export function noteFindings(context: Context, { assemblies }: BuildResult): void {
  const notes = assemblies.flatMap(({ component, findings }) =>
    findings.map(({ code, message }) => `${component}: ${message} (${code})`),
  );
  for (const note of new Set(notes)) context.note(`warning: ${printable(note)}`);
}
