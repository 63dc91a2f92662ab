/**
 * Rebuilds logged releases and confirms what came out.
 * @module
 */
import { stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";

import { formatTlogProof, leafHash, parseCheckpoint, parseNote } from "@bootproof/log";
import {
  BOOT_MEASUREMENT_TYPE,
  type BootMeasurement,
  type Statement,
  readBootMeasurement,
} from "@bootproof/statement";
import { type BundleVerdict, parseBundle, verifyBundle } from "@bootproof/verify";

import { readBuildOptions } from "../building/build-options.ts";
import { EventSteps } from "../building/event-steps.ts";
import { reading } from "../errors/to-failure.ts";
import type { Context } from "../frame/context.ts";
import { EXIT, type ExitCode } from "../frame/exit-code.ts";
import { Failure } from "../frame/failure.ts";
import { readInput } from "../frame/files.ts";
import type { Given } from "../frame/given.ts";
import { isUrl } from "../places/is-url.ts";
import { openOrCreateLog, readVkey } from "../places/log-place.ts";
import { readWitnessing } from "../places/log-witnesses.ts";
import { rememberBundle } from "../places/remembered-bundle.ts";
import { type OpenStore, openStore } from "../places/store-place.ts";
import { locateDifference } from "../rebuilding/compare-release.ts";
import {
  type Confirmation,
  type ConfirmationRequest,
  confirmRebuild,
  type Submitted,
} from "../rebuilding/confirm.ts";
import { MaterialFinder } from "../rebuilding/find-materials.ts";
import { type Rebuilt, rebuildRelease } from "../rebuilding/rebuild-release.ts";
import type { RebuildOutcome } from "../rebuilding/outcome.ts";
import { formatOutcome, outcomeDocument } from "../rebuilding/report.ts";
import { readPolicy } from "../releasing/policy-file.ts";
import { openSigner } from "../signing/default-key.ts";

/** Rebuilds every bundle that was named. */
export async function rebuildAll(context: Context, given: Given): Promise<ExitCode> {
  const outcomes: RebuildOutcome[] = [];
  for (const bundle of given.arguments(0)) outcomes.push(await rebuildOne(context, given, bundle));
  const documents = outcomes.map(outcomeDocument);
  const document = documents.length === 1 ? { ...documents[0] } : { bundles: documents };
  context.say(outcomes.map((outcome) => formatOutcome(outcome, context.color)).join("\n"), {
    schema: "bootproof/rebuild/1",
    ...document,
  });
  const exits = outcomes.map(exitOf);
  return exits.includes(EXIT.no) ? EXIT.no : exits.includes(EXIT.undecided) ? EXIT.undecided : EXIT.yes;
}

function exitOf({ rebuilt }: RebuildOutcome): ExitCode {
  switch (rebuilt?.verdict) {
    case "IDENTICAL":
    case "MEASUREMENT-EQUAL":
      return EXIT.yes;
    case "BUILD-FAILED":
    case "INPUTS-MISSING":
      return EXIT.undecided;
    case "DIVERGED":
    case undefined:
      return EXIT.no;
  }
}

async function rebuildOne(context: Context, given: Given, bundle: string): Promise<RebuildOutcome> {
  const bytes = await readInput(bundle);
  const { published, place } = readRelease(bytes, bundle);
  const checked = await checkAgainstPolicy(context, given, bundle, bytes);
  const none = { bundle, published, checked, differences: new Map<string, string>() };
  if (checked?.verdict.answer === "no") return { ...none, rebuilt: undefined, confirmation: undefined };
  const store = await openStore(context);
  // Before the build: nobody wants to learn after an hour that the key cannot be read.
  const own = await openSigner(context, given.text("key"));
  if (own.fresh) context.note(`made your signing key: ${own.file}`);
  const rebuilt = await build(context, given, { bundle, published, store });
  const confirmation = await confirm(context, given, { published, place, rebuilt, signer: own.signer });
  const differences = await locate(store, rebuilt, dirname(bundle));
  return { ...none, rebuilt, confirmation, differences };
}

function readRelease(
  bytes: Uint8Array,
  file: string,
): { published: Statement<BootMeasurement>; place: BundleVerdict["place"] } {
  return reading(file, () => {
    const { proof, statement } = parseBundle(bytes);
    if (statement?.predicateType !== BOOT_MEASUREMENT_TYPE)
      throw new Failure("BP-REBUILD-001", EXIT.malformed, "the bundle is no release", {
        file,
        expected: BOOT_MEASUREMENT_TYPE,
        found: statement?.predicateType ?? "no in-toto statement",
      });
    const { origin, size } = parseCheckpoint(parseNote(proof.checkpoint).unverifiedText);
    const place = { origin, size, index: proof.index, leafHash: leafHash(proof.extra ?? new Uint8Array()) };
    return { published: readBootMeasurement(statement), place };
  });
}

async function checkAgainstPolicy(
  context: Context,
  given: Given,
  bundle: string,
  bytes: Uint8Array,
): Promise<RebuildOutcome["checked"]> {
  const beside = bundle.replace(/\.tlog-proof$/, ".policy.yaml");
  const there = beside !== bundle && (await stat(beside).catch(() => undefined)) !== undefined;
  const policy = given.text("policy") ?? (there ? beside : undefined);
  if (policy === undefined) {
    context.note("not checked against a policy: nobody has said whose releases count (--policy FILE does)");
    return undefined;
  }
  const read = await readPolicy(policy);
  const verdict = reading(bundle, () => verifyBundle({ bundle: bytes, policy: read }));
  await rememberBundle(context, bytes, read.logs);
  return { policy, verdict };
}

interface ToBuild {
  readonly bundle: string;
  readonly published: Statement<BootMeasurement>;
  readonly store: OpenStore;
}

async function build(
  context: Context,
  given: Given,
  { bundle, published, store }: ToBuild,
): Promise<Rebuilt> {
  const bundleFolder = resolve(context.cwd, dirname(bundle));
  const finder = new MaterialFinder(context, store, { from: given.list("from"), bundleFolder });
  const { name, version } = published.predicate.release;
  return context.progress.during(`rebuild ${name} ${version}`, async (step) => {
    const steps = new EventSteps(context.progress, step);
    const options = readBuildOptions(context, given, store, steps);
    const from = [...given.list("from"), join(bundleFolder, "materials")];
    const rebuilt = await rebuildRelease({
      published,
      finder,
      store,
      options: { ...options, inputs: { ...options.inputs, from } },
    });
    if (rebuilt.failure === undefined) steps.finish();
    else step.failed(rebuilt.verdict);
    return rebuilt;
  });
}

async function confirm(
  context: Context,
  given: Given,
  about: Pick<ConfirmationRequest, "published" | "place" | "rebuilt" | "signer">,
): Promise<Confirmation> {
  const out = resolve(context.cwd, context.options.out ?? "out");
  return confirmRebuild({
    ...about,
    organisation: given.text("organisation") ?? about.signer.name.slice(0, 100),
    folder: join(out, "confirmations"),
    submit: given.flag("submit")
      ? (envelope) => submitTo(context, given, given.text("log") ?? join(out, "log"), envelope)
      : undefined,
  });
}

/** Puts a confirmation into a log: one on a folder, which is made on first use, or one that somebody else serves. */
async function submitTo(
  context: Context,
  given: Given,
  place: string,
  envelope: Uint8Array,
): Promise<Submitted> {
  if (isUrl(place)) {
    const { RemoteLog } = await import("../places/remote-log.ts");
    const vkey = given.text("vkey");
    const remote = await RemoteLog.open(
      context,
      place,
      vkey === undefined ? undefined : await readVkey(vkey),
    );
    return remote.submit(envelope);
  }
  const { log, close } = await openOrCreateLog(resolve(context.cwd, place), await readWitnessing(context));
  try {
    const [appended] = await log.append([envelope]);
    if (appended === undefined) throw new RangeError("the log answered for no entry");
    return { ...appended, bundle: formatTlogProof(await log.proof(appended.index)) };
  } finally {
    await close();
  }
}

async function locate(
  store: OpenStore,
  rebuilt: Rebuilt,
  folder: string,
): Promise<ReadonlyMap<string, string>> {
  const places = new Map<string, string>();
  for (const artifact of rebuilt.artifacts) {
    if (artifact.found === undefined || artifact.found.sha256 === artifact.expected.sha256) continue;
    const place = await locateDifference(store, artifact, folder);
    if (place !== undefined) places.set(artifact.name, place);
  }
  return places;
}
