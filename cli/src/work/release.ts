/**
 * Builds, measures, signs and logs a release, and verifies the bundle that it leaves.
 * @module
 */
import { join, resolve } from "node:path";

import { type BuildResult, buildRecipe, loadLockedRecipe, type LockedRecipe } from "@bootproof/builder";
import { type BundleVerdict, verifyBundle } from "@bootproof/verify";

import { readBuildOptions } from "../building/build-options.ts";
import { noteFindings } from "../building/findings.ts";
import { EventSteps } from "../building/event-steps.ts";
import { writeArtifacts } from "../building/write-artifacts.ts";
import type { Context } from "../frame/context.ts";
import { EXIT, type ExitCode } from "../frame/exit-code.ts";
import { Failure } from "../frame/failure.ts";
import { readInput } from "../frame/files.ts";
import type { Given } from "../frame/given.ts";
import { shownPath } from "../frame/typed.ts";
import { isUrl } from "../places/is-url.ts";
import { openOrCreateLog, readVkey } from "../places/log-place.ts";
import { noteWitnesses, proofPolicy, readWitnessing, witnessRule } from "../places/log-witnesses.ts";
import { type OpenStore, openStore } from "../places/store-place.ts";
import { type LoadedArtifact, loadArtifacts } from "../releasing/artifacts.ts";
import { type LoggedRelease, logRelease, sendRelease, writeBundle } from "../releasing/log-release.ts";
import { blobOf, type SignedRelease, signRelease } from "../releasing/make-release.ts";
import { collectMaterials, writeMaterials } from "../releasing/materials.ts";
import { copyMaterials, listStoredMaterials } from "../releasing/stored-materials.ts";
import { measureRelease } from "../releasing/measure-release.ts";
import {
  formatPolicy,
  parsePolicy,
  policyKeys,
  type ReleaseKeys,
  writePolicyFile,
} from "../releasing/policy-file.ts";
import type { Released } from "../releasing/released.ts";
import { formatReleased, releasedDocument } from "../releasing/report.ts";
import { type OwnSigner, openSigner } from "../signing/default-key.ts";

/** Releases a recipe. */
export async function release(context: Context, given: Given): Promise<ExitCode> {
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
    log: placeOfLog(context, given.text("log") ?? join(out, "log")),
  };
  const { built, logs } = await buildStep(context, given, store, recipe);
  const released = await publish(context, { built, store, own, files, logs, vkey: given.text("vkey") });
  const { color, command, cwd } = context;
  const shown = (path: string): string => (isUrl(path) ? path : shownPath(cwd, path));
  context.say(formatReleased(released, { color, command, shown }), releasedDocument(released, command));
  return EXIT.yes;
}

/** The folder or URL of a log. */
const placeOfLog = ({ cwd }: Context, log: string): string => (isUrl(log) ? log : resolve(cwd, log));

async function buildStep(
  context: Context,
  given: Given,
  store: OpenStore,
  recipe: LockedRecipe,
): Promise<Pick<Released, "built" | "logs">> {
  return context.progress.during(`build ${recipe.recipe.recipe.name}`, async (step) => {
    const steps = new EventSteps(context.progress, step);
    const built = await buildRecipe(recipe, readBuildOptions(context, given, store, steps));
    steps.finish();
    noteFindings(context, built);
    const logs = built.components.map(
      ({ component, log }) => [component, store.blobs.path(log.sha256)] as const,
    );
    return { built, logs: steps.logs.length > 0 ? steps.logs : logs };
  });
}

interface ToPublish extends Pick<Released, "built" | "own" | "files" | "logs"> {
  readonly store: OpenStore;
  /** The key that a log at a URL is expected to have. */
  readonly vkey: string | undefined;
}

async function publish(
  context: Context,
  { built, store, own, files, logs, vkey }: ToPublish,
): Promise<Released> {
  const { progress } = context;
  const artifacts = await loadArtifacts(store, built.outputs);
  const measurements = await progress.during("measure", () =>
    measureRelease(artifacts, built.recipe.recipe.recipe.platforms),
  );
  const materials = await collectMaterials(built.recipe);
  const stored = listStoredMaterials(built.recipe, store);
  const signed = await progress.during("sign", () =>
    signRelease({
      built,
      artifacts,
      materials: [...materials, ...stored],
      measurements,
      signer: own.signer,
    }),
  );
  await writeArtifacts(store, built.outputs, join(files.out, "artifacts"));
  await writeMaterials(join(files.out, "materials"), [
    ...materials,
    { ...blobOf(signed.provenance), bytes: signed.provenance },
  ]);
  await copyMaterials(join(files.out, "materials"), stored);
  const { logged, ...log } = await (isUrl(files.log)
    ? sendStep(context, files, signed, vkey)
    : logStep(context, files, signed));
  const verdict = await progress.during("verify the bundle", () =>
    verifyStep(built, own, files, log, artifacts),
  );
  return { built, artifacts, measurements, logged, verdict, own, logs, files };
}

async function logStep(
  context: Context,
  files: Released["files"],
  signed: SignedRelease,
): Promise<{ logged: LoggedRelease } & Pick<ReleaseKeys, "log" | "witnesses">> {
  return context.progress.during("log", async (step) => {
    const { log, signer, vkeys, witnesses, close } = await openOrCreateLog(
      files.log,
      await readWitnessing(context),
    );
    const logged = await logRelease(log, signed).finally(close);
    noteWitnesses(context, witnesses);
    await writeBundle(files.bundle, logged.bundle, proofPolicy(signer.vkey, witnesses));
    step.done(`index ${logged.index}${logged.duplicate ? ", was there" : ""}`);
    return { logged, log: policyKeys(vkeys), witnesses: witnessRule(witnesses) };
  });
}

/** Sends a release to a log that somebody else serves. */
async function sendStep(
  context: Context,
  files: Released["files"],
  signed: SignedRelease,
  vkey: string | undefined,
): Promise<{ logged: LoggedRelease } & Pick<ReleaseKeys, "log" | "witnesses">> {
  return context.progress.during("send to the log", async (step) => {
    const { RemoteLog } = await import("../places/remote-log.ts");
    const log = await RemoteLog.open(
      context,
      files.log,
      vkey === undefined ? undefined : await readVkey(vkey),
    );
    const logged = await sendRelease(log, signed, (text) => context.note(text));
    const [logKey = ""] = log.vkeys;
    await writeBundle(files.bundle, logged.bundle, { logKey });
    step.done(`index ${logged.index}${logged.duplicate ? ", was there" : ""}`);
    return { logged, log: policyKeys(log.vkeys), witnesses: undefined };
  });
}

/** Verifies what was written, read back from disk, against the policy that says who we meant to be. */
async function verifyStep(
  built: BuildResult,
  own: OwnSigner,
  files: Released["files"],
  log: Pick<ReleaseKeys, "log" | "witnesses">,
  artifacts: readonly LoadedArtifact[],
): Promise<BundleVerdict> {
  const keys = { release: built.recipe.recipe.recipe.name, publisher: own.signer.vkey, ...log };
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
