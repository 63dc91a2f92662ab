/**
 * What `release` prints at the end: what machines will report, what was built, where it is logged, what to type next.
 * @module
 */
import { join } from "node:path";

import { shapeValues } from "@bootproof/verify";

import { shellWord } from "../frame/typed.ts";
import { paint } from "../report/paint.ts";
import { formatFields, formatTable } from "../report/table.ts";
import type { Released } from "./released.ts";

/** How a release is shown here. */
export interface Showing {
  readonly color: boolean;
  /** What to type for `bootproof`. */
  readonly command: string;
  /** A path as one would type it. */
  readonly shown: (path: string) => string;
}

/** The final table of a release. */
export function formatReleased(released: Released, { shown, color, command }: Showing): string {
  const { built, artifacts, measurements, logged, verdict, own, logs, files } = released;
  const { name, version } = built.recipe.recipe.recipe;
  const values = measurements.flatMap(shapeValues);
  const rows = values.map(({ platform, shape, register, value }) => [platform, shape, register, value]);
  const shapes = rows.length === 0 ? "" : formatTable(rows, ["platform", "shape", "register", "value"]);
  const files_ = artifacts.map(({ name: artifact, kind, size, sha256 }) => [
    artifact,
    kind,
    String(size),
    sha256,
  ]);
  const spoken = verdict.answer === "undecided" ? "could not decide" : verdict.answer;
  const answer = paint(spoken, verdict.answer === "yes" ? "green" : "yellow", color);
  const fields: [string, string][] = [
    ["release", `${name} ${version}`],
    ["signed as", own.signer.vkey],
    ["log", `${shown(files.log)} (${verdict.place.origin})`],
    ["log index", `${logged.index}${logged.duplicate ? " (was there)" : ""}`],
    ["bundle", shown(files.bundle)],
    ["policy", shown(files.policy)],
    ...logs.map(([component, path]): [string, string] => [
      `build log${component === "" ? "" : ` of ${component}`}`,
      shown(path),
    ]),
  ];
  const next = nextCommands(released, command, shown);
  return [
    shapes,
    formatTable(files_, ["artifact", "kind", "size", "sha256"]),
    formatFields(fields),
    `verified offline from its own bundle: ${answer} (${verdict.checks.length} checks)\n`,
    `next, a verifier types:\n  ${next.verify}\nnext, a rebuilder types:\n  ${next.rebuild}\n`,
  ]
    .filter((part) => part !== "")
    .join("\n");
}

/** The document of `release --json`. */
export function releasedDocument(released: Released, command: string): object {
  const { built, artifacts, measurements, logged, verdict, own, logs, files } = released;
  const { recipe, lock } = built.recipe;
  return {
    schema: "bootproof/release/1",
    release: { name: recipe.recipe.name, version: recipe.recipe.version },
    recipe: recipe.sha256,
    lock: lock.sha256,
    measurements: measurements.flatMap(shapeValues),
    artifacts: artifacts.map(({ name, kind, size, sha256, sha384 }) => ({
      name,
      kind,
      size,
      sha256,
      sha384,
      path: join(files.out, "artifacts", name),
    })),
    actions: built.components.map(({ component, action, cached }) => ({
      component,
      digest: action.digest.hash,
      cached,
    })),
    log: {
      path: files.log,
      origin: verdict.place.origin,
      index: Number(logged.index),
      duplicate: logged.duplicate,
    },
    bundle: files.bundle,
    policy: files.policy,
    signer: own.signer.vkey,
    answer: verdict.answer,
    checks: verdict.checks,
    logs: logs.map(([component, path]) => ({ component, path })),
    next: nextCommands(released, command, (path) => path),
  };
}

function nextCommands(
  { files }: Released,
  command: string,
  shown: (path: string) => string,
): { verify: string; rebuild: string } {
  const [bundle, policy] = [shellWord(shown(files.bundle)), shellWord(shown(files.policy))];
  return {
    verify: `${command} verify ${bundle} --policy ${policy}`,
    rebuild: `${command} rebuild ${bundle} --policy ${policy}`,
  };
}
