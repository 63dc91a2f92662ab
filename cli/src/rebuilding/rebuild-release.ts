/**
 * One rebuild: the same recipe and lock through the same builder, without remembered results, to a verdict.
 * @module
 */
import { rm } from "node:fs/promises";

import {
  BuildError,
  buildRecipe,
  loadLockedRecipe,
  LocalExecutor,
  type BuildOptions,
  type BuildResult,
  type Executor,
} from "@bootproof/builder";
import { ParseError } from "@bootproof/bytes";
import {
  rebuildVerdict,
  type BootMeasurement,
  type Rebuild,
  type RebuildVerdict,
  type Statement,
} from "@bootproof/statement";

import { EXIT } from "../frame/exit-code.ts";
import { Failure } from "../frame/failure.ts";
import type { OpenStore } from "../places/store-place.ts";
import { actionsOf } from "../releasing/make-release.ts";
import { oneLine } from "../report/printable.ts";
import { compareRelease, nothingBuilt, type Compared } from "./compare-release.ts";
import type { MaterialFinder } from "./find-materials.ts";
import { layOut, MissingMaterial } from "./lay-out.ts";

/** What a rebuild came to. */
export interface Rebuilt extends Compared {
  readonly verdict: RebuildVerdict;
  readonly actions: Rebuild["actions"];
  readonly reason?: string;
  /** The builder's own words when nothing came out, for people. */
  readonly failure?: Error;
}

/** What to rebuild, and with what. */
export interface RebuildRequest {
  readonly published: Statement<BootMeasurement>;
  readonly finder: MaterialFinder;
  readonly store: OpenStore;
  readonly options: BuildOptions;
}

/** Rebuilds a release; throws only when this machine cannot build at all, or was told to stop. */
export async function rebuildRelease(request: RebuildRequest): Promise<Rebuilt> {
  const { published, options, store } = request;
  let built: BuildResult;
  try {
    built = await buildAgain(request);
  } catch (error) {
    options.signal?.throwIfAborted();
    const failed = failureVerdict(error);
    if (failed === undefined || !(error instanceof Error)) throw error;
    const reason = oneLine(error.message.split("\n", 1)[0] ?? "", 500);
    return {
      ...nothingBuilt(published),
      verdict: failed,
      actions: claimedActions(published),
      reason,
      failure: error,
    };
  }
  checkActions(published, built);
  const compared = await compareRelease(store, published, built);
  const verdict = rebuildVerdict(compared);
  const actions = actionsOf(built).map(({ name, action }) => ({ name, action }));
  return {
    ...compared,
    verdict,
    actions,
    ...(verdict === "IDENTICAL" ? {} : { reason: reasonOf(compared) }),
  };
}

/** What differs, in a sentence: artifacts, or else registers that the published artifacts do not give. */
function reasonOf({ artifacts, registers }: Compared): string {
  const names = artifacts
    .filter(({ expected, found }) => found?.sha256 !== expected.sha256)
    .map(({ name }) => name);
  if (names.length > 0) return oneLine(`${names.join(", ")} differ${names.length === 1 ? "s" : ""}`, 500);
  const { platform, shape, register } = registers.differ[0] ?? { platform: "", shape: "", register: "" };
  return oneLine(`the artifacts are the same and give another ${register} for ${platform} ${shape}`, 500);
}

async function buildAgain({ published, finder, options, store }: RebuildRequest): Promise<BuildResult> {
  const { build, release } = published.predicate;
  const laidOut = await layOut(build, release.name, finder);
  try {
    const recipe = await loadLockedRecipe(laidOut.recipe);
    return await buildRecipe(recipe, { ...options, executor: onlyClaimed(published, store), noCache: true });
  } finally {
    await rm(laidOut.folder, { recursive: true, force: true });
  }
}

/** Runs the published actions and no other, so that a mismatch shows before minutes of building. */
function onlyClaimed({ predicate }: Statement<BootMeasurement>, store: OpenStore): Executor {
  const local = new LocalExecutor(store);
  const claimed = new Set(predicate.build.actions.map(({ action }) => action.sha256));
  return {
    execute: (action, options) => {
      if (claimed.has(action.digest.hash)) return local.execute(action, options);
      const expected = [...claimed].join(" or ");
      return Promise.reject(otherAction(options.label, { expected, found: action.digest.hash, predicate }));
    },
  };
}

// What the release needs and nobody has: its inputs. A file beside its recipe is one of them.
const MISSING: ReadonlySet<string> = new Set([
  "BP-INPUT-001",
  "BP-INPUT-002",
  "BP-INPUT-004",
  "BP-RECIPE-006",
]);
// What says something about this machine, or about --offline, and nothing about the release.
const THIS_MACHINE: ReadonlySet<string> = new Set([
  "BP-BUILD-005",
  "BP-BUILD-006",
  "BP-BUILD-007",
  "BP-INPUT-003",
  "BP-INPUT-005",
  "BP-INPUT-006",
  "BP-INPUT-007",
  "BP-INPUT-008",
  "BP-ROOT-001",
  "BP-SANDBOX-001",
  "BP-SANDBOX-002",
]);

/** The verdict that an error allows; undefined when it says nothing about the release. */
function failureVerdict(error: unknown): "BUILD-FAILED" | "INPUTS-MISSING" | undefined {
  if (error instanceof MissingMaterial) return "INPUTS-MISSING";
  if (error instanceof ParseError) return "BUILD-FAILED";
  if (!(error instanceof BuildError) || THIS_MACHINE.has(error.code)) return undefined;
  return MISSING.has(error.code) ? "INPUTS-MISSING" : "BUILD-FAILED";
}

/** Throws when a component was built by another component's published action. */
function checkActions({ predicate }: Statement<BootMeasurement>, built: BuildResult): void {
  const claimed = new Map(predicate.build.actions.map(({ name, action }) => [name, action.sha256]));
  for (const { name, action } of actionsOf(built)) {
    const expected = claimed.get(name);
    if (expected !== action.sha256)
      throw otherAction(name, { expected: expected ?? "no such action", found: action.sha256, predicate });
  }
}

function otherAction(
  name: string,
  { expected, found, predicate }: { expected: string; found: string; predicate: BootMeasurement },
): Failure {
  const hint = `the release was made by ${predicate.predictor.name} ${predicate.predictor.version}`;
  return new Failure(
    "BP-REBUILD-002",
    EXIT.undecided,
    `the same recipe and lock give another action of ${name} here`,
    {
      expected,
      found,
      hint,
    },
  );
}

function claimedActions({ predicate }: Statement<BootMeasurement>): Rebuild["actions"] {
  return predicate.build.actions.map(({ name, action }) => ({ name, action }));
}
