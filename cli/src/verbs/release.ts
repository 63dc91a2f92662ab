/**
 * `bootproof release RECIPE`: builds, measures, signs, logs, and verifies the bundle that it leaves.
 * @module
 */
import { join, relative, resolve } from "node:path";

import type { BuildResult } from "@bootproof/builder";
import type { Command } from "commander";

import { addBuildOptions } from "../building/build-options.ts";
import type { Context } from "../frame/context.ts";
import { EXIT, type ExitCode } from "../frame/exit-code.ts";
import { Failure } from "../frame/failure.ts";
import type { Frame } from "../frame/frame.ts";
import type { Given } from "../frame/given.ts";
import type { OpenStore } from "../places/store-place.ts";
import type { LoadedArtifact } from "../releasing/artifacts.ts";
import type { LoggedRelease } from "../releasing/log-release.ts";
import type { OwnSigner } from "../signing/default-key.ts";
import type { PlatformMeasurements } from "@bootproof/statement";
import type { BundleVerdict } from "@bootproof/verify";

const AFTER = `
Leaves in --out (default: out): artifacts/, the bundle NAME-VERSION.tlog-proof, a policy to verify it
with, and materials/ with what rebuilders need. The log in --log DIR is made on first use; so is the
signing key, in the user's configuration. Nothing is done twice: releasing the same build again finds
its entry in the log.

Example: bootproof release boot/recipes/snp-guest.recipe.yaml --out out`;

/** Defines `release`. */
export function defineRelease(parent: Command, frame: Frame): void {
  const command = frame
    .verb(parent, "release <recipe>", "build, measure, sign, log and verify a release", release)
    .option("--key <file>", "the signing key (default: your own, made on first use)")
    .option("--log <dir>", "the log's folder (default: log in --out)")
    .option("--no-cache", "build even what was built before");
  addBuildOptions(command).addHelpText("after", AFTER);
}

/** What a release left, for the answer. */
export interface Released {
  readonly built: BuildResult;
  readonly artifacts: readonly LoadedArtifact[];
  readonly measurements: readonly PlatformMeasurements[];
  readonly logged: LoggedRelease;
  readonly verdict: BundleVerdict;
  readonly own: OwnSigner;
  readonly logs: readonly (readonly [string, string])[];
  readonly files: {
    readonly out: string;
    readonly bundle: string;
    readonly policy: string;
    readonly log: string;
  };
}

async function release(context: Context, given: Given): Promise<ExitCode> {
  const { loadLockedRecipe } = await import("@bootproof/builder");
  const { openStore } = await import("../places/store-place.ts");
  const { openSigner } = await import("../signing/default-key.ts");
  const { formatReleased, releasedDocument } = await import("../releasing/report.ts");
  const recipe = await loadLockedRecipe(given.argument(0));
  const store = await openStore(context);
  const own = await openSigner(context, given.text("key"));
  if (own.fresh) context.note(`made your signing key: ${own.file}`);
  const out = resolve(context.cwd, context.options.out ?? "out");
  const { name, version } = recipe.recipe.recipe;
  const files = {
    out,
    bundle: join(out, `${name}-${version}.tlog-proof`),
    policy: join(out, `${name}-${version}.policy.yaml`),
    log: resolve(context.cwd, given.text("log") ?? join(out, "log")),
  };
  const { built, logs } = await buildStep(context, given, store, recipe);
  const released = await publish(context, { built, store, own, files, logs });
  const shown = (path: string): string => shorten(context.cwd, path);
  context.say(formatReleased(released, shown, context.color), releasedDocument(released));
  return EXIT.yes;
}

async function buildStep(
  context: Context,
  given: Given,
  store: OpenStore,
  recipe: Parameters<typeof import("@bootproof/builder").buildRecipe>[0],
): Promise<Pick<Released, "built" | "logs">> {
  const { buildRecipe } = await import("@bootproof/builder");
  const { EventSteps } = await import("../building/event-steps.ts");
  const { readBuildOptions } = await import("../building/build-options.ts");
  return context.progress.during(`build ${recipe.recipe.recipe.name}`, async (step) => {
    const steps = new EventSteps(context.progress, step);
    const built = await buildRecipe(recipe, readBuildOptions(context, given, store, steps));
    steps.finish();
    const logs = built.components.map(
      ({ component, log }) => [component, store.blobs.path(log.sha256)] as const,
    );
    return { built, logs: steps.logs.length > 0 ? steps.logs : logs };
  });
}

interface ToPublish extends Pick<Released, "built" | "own" | "files" | "logs"> {
  readonly store: OpenStore;
}

async function publish(context: Context, { built, store, own, files, logs }: ToPublish): Promise<Released> {
  const { writeArtifacts } = await import("../building/write-artifacts.ts");
  const { loadArtifacts } = await import("../releasing/artifacts.ts");
  const { measureRelease } = await import("../releasing/measure-release.ts");
  const { collectMaterials, writeMaterials } = await import("../releasing/materials.ts");
  const { blobOf, signRelease } = await import("../releasing/make-release.ts");
  const { progress } = context;
  const artifacts = await loadArtifacts(store, built.outputs);
  const measurements = await progress.during("measure", () =>
    Promise.resolve(measureRelease(artifacts, built.recipe.recipe.recipe.platforms)),
  );
  const materials = await collectMaterials(built.recipe);
  const signed = await progress.during("sign", () =>
    signRelease({ built, artifacts, materials, measurements, signer: own.signer }),
  );
  await writeArtifacts(store, built.outputs, join(files.out, "artifacts"));
  await writeMaterials(join(files.out, "materials"), [
    ...materials,
    { ...blobOf(signed.provenance), bytes: signed.provenance },
  ]);
  const { logged, logKey } = await logStep(context, files, signed);
  const verdict = await progress.during("verify the bundle", () =>
    verifyStep(built, own, files, logKey, artifacts),
  );
  return { built, artifacts, measurements, logged, verdict, own, logs, files };
}

async function logStep(
  context: Context,
  files: Released["files"],
  signed: Parameters<typeof import("../releasing/log-release.ts").logRelease>[1],
): Promise<{ logged: LoggedRelease; logKey: string }> {
  const { openOrCreateLog } = await import("../places/log-place.ts");
  const { logRelease, writeBundle } = await import("../releasing/log-release.ts");
  return context.progress.during("log", async (step) => {
    const { log, signer } = await openOrCreateLog(files.log);
    const logged = await logRelease(log, signed);
    await writeBundle(files.bundle, logged.bundle, signer.vkey);
    step.done(`index ${logged.index}${logged.duplicate ? ", was there" : ""}`);
    return { logged, logKey: signer.vkey };
  });
}

/** Verifies what was written, read back from disk, against the policy that says who we meant to be. */
async function verifyStep(
  built: BuildResult,
  own: OwnSigner,
  files: Released["files"],
  logKey: string,
  artifacts: readonly LoadedArtifact[],
): Promise<BundleVerdict> {
  const { verifyBundle } = await import("@bootproof/verify");
  const { formatPolicy, parsePolicy, writePolicyFile } = await import("../releasing/policy-file.ts");
  const { readInput } = await import("../frame/files.ts");
  const keys = { release: built.recipe.recipe.recipe.name, publisher: own.signer.vkey, log: logKey };
  await writePolicyFile(files.policy, keys);
  const bundle = await readInput(files.bundle);
  const verdict = verifyBundle({ bundle, policy: parsePolicy(formatPolicy(keys), files.policy), artifacts });
  if (verdict.answer === "no") {
    const failed = verdict.checks.find(({ answer }) => answer === "no");
    throw new Failure("BP-RELEASE-002", EXIT.no, "the bundle that was written does not verify", {
      file: files.bundle,
      found: `${failed?.name ?? ""}: ${failed?.reason ?? ""}`,
    });
  }
  return verdict;
}

/** A path as one would type it here. */
function shorten(cwd: string, path: string): string {
  const short = relative(cwd, path);
  return short.startsWith("..") || short === "" ? path : short;
}
