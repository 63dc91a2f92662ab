/**
 * Builds a locked recipe and prints what came out; with `--twice`, how the second build differs.
 * @module
 */
import { resolve } from "node:path";

import {
  type BuildResult,
  type TwiceResult,
  buildRecipe,
  buildTwice,
  loadLockedRecipe,
} from "@bootproof/builder";

import { readBuildOptions } from "../building/build-options.ts";
import { noteFindings } from "../building/findings.ts";
import { EventSteps } from "../building/event-steps.ts";
import { describeSection } from "../building/sections.ts";
import { writeArtifacts } from "../building/write-artifacts.ts";
import type { Context } from "../frame/context.ts";
import { EXIT, type ExitCode } from "../frame/exit-code.ts";
import type { Given } from "../frame/given.ts";
import { openStore } from "../places/store-place.ts";
import { paint } from "../report/paint.ts";
import { formatTable } from "../report/table.ts";

/** Builds a locked recipe; with `--twice` once more with everything varied. */
export async function build(context: Context, given: Given): Promise<ExitCode> {
  const recipe = await loadLockedRecipe(given.argument(0));
  const store = await openStore(context);
  const twice = given.flag("twice");
  const { name } = recipe.recipe.recipe;
  const { first, again, logs } = await context.progress.during(`build ${name}`, async (step) => {
    const steps = new EventSteps(context.progress, step);
    const options = readBuildOptions(context, given, store, steps);
    const again = twice ? await buildTwice(recipe, options, describeSection) : undefined;
    const first = again === undefined ? await buildRecipe(recipe, options) : again.first;
    steps.finish();
    return { first, again, logs: steps.logs };
  });
  noteFindings(context, first);
  const folder = context.options.out === undefined ? undefined : resolve(context.cwd, context.options.out);
  if (folder !== undefined) await writeArtifacts(store, first.outputs, folder);
  const logPaths =
    logs.length > 0
      ? logs
      : first.components.map(({ component, log }) => [component, store.blobs.path(log.sha256)] as const);
  const place = (artifact: string, sha256: string): string =>
    folder === undefined ? store.blobs.path(sha256) : `${folder}/${artifact}`;
  context.say(formatBuild(context, first, again, logPaths, place), toDocument(first, again, logPaths, place));
  return again?.verdict === "DIVERGED" ? EXIT.no : EXIT.yes;
}

type Logs = readonly (readonly [string, string])[];
type Place = (name: string, sha256: string) => string;

function formatBuild(
  context: Context,
  first: BuildResult,
  again: TwiceResult | undefined,
  logs: Logs,
  place: Place,
): string {
  const name = first.recipe.recipe.recipe.name;
  const artifacts = Object.entries(first.outputs).map(([output, { kind, size, sha256 }]) => [
    output,
    kind,
    String(size),
    sha256,
    place(output, sha256),
  ]);
  const actions = first.components.map(({ component, action, cached }) => [
    component === "" ? name : component,
    action.digest.hash,
    cached ? "cached" : "built",
  ]);
  const assembled = first.assemblies.map(({ component, blob, cached }) => [
    component,
    blob.sha256,
    cached ? "cached" : "assembled",
  ]);
  const parts = [
    formatTable(artifacts, ["artifact", "kind", "size", "sha256", "file"]),
    ...(actions.length === 0 ? [] : [formatTable(actions, ["action of", "digest", "how"])]),
    ...(assembled.length === 0 ? [] : [formatTable(assembled, ["image", "sha256", "how"])]),
  ];
  if (again !== undefined) parts.push(formatTwice(context, again));
  parts.push(
    formatTable(logs.map(([component, path]) => [`log${component === "" ? "" : ` of ${component}`}`, path])),
  );
  return parts.join("\n");
}

function formatTwice(context: Context, { verdict, components, first }: TwiceResult): string {
  const varied = new Set(components.flatMap(({ variations }) => variations.map(({ what }) => what)));
  const lines = [`varied: ${[...varied].join(", ")}`];
  for (const { component, comparison } of components)
    for (const { name, difference } of comparison.artifacts) {
      const output = component === "" ? name : `${component}/${name}`;
      if (difference === undefined) {
        lines.push(`IDENTICAL  ${output}`);
        continue;
      }
      const section = difference.section === undefined ? "" : ` (${difference.section})`;
      const bytes = `first ${byteText(difference.first)}, second ${byteText(difference.second)}`;
      lines.push(`DIVERGED   ${output} at offset 0x${difference.offset.toString(16)}${section}: ${bytes}`);
    }
  const color = verdict === "IDENTICAL" ? "green" : "red";
  return `${lines.join("\n")}\n${paint(verdict, color, context.color)}: ${first.recipe.recipe.recipe.name}\n`;
}

function byteText(byte: number | undefined): string {
  return byte === undefined ? "ends here" : `0x${byte.toString(16).padStart(2, "0")}`;
}

function toDocument(first: BuildResult, again: TwiceResult | undefined, logs: Logs, place: Place): object {
  const { name, version } = first.recipe.recipe.recipe;
  return {
    schema: "bootproof/build/1",
    recipe: { name, version, sha256: first.recipe.recipe.sha256, lock: first.recipe.lock.sha256 },
    artifacts: Object.entries(first.outputs).map(([output, { kind, size, sha256 }]) => ({
      name: output,
      kind,
      size,
      sha256,
      path: place(output, sha256),
    })),
    actions: first.components.map(({ component, action, cached }) => ({
      name: component === "" ? name : component,
      digest: action.digest.hash,
      inputRoot: action.inputRoot.hash,
      cached,
    })),
    ...(first.assemblies.length > 0 && {
      assemblies: first.assemblies.map(({ component, blob, findings, cached }) => ({
        name: component,
        ...blob,
        findings,
        cached,
      })),
    }),
    logs: logs.map(([component, path]) => ({ component, path })),
    ...(again && {
      verdict: again.verdict,
      twice: again.components.map(({ component, comparison, variations }) => ({
        component,
        ...comparison,
        variations,
      })),
    }),
  };
}
