/**
 * `bootproof rebuild BUNDLE`: builds a logged release again and signs what came out, also when it differs.
 * @module
 */
import { stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";

import type { BootMeasurement, Statement } from "@bootproof/statement";
import type { BundleVerdict } from "@bootproof/verify";
import type { Command } from "commander";

import { addBuildOptions } from "../building/build-options.ts";
import type { Context } from "../frame/context.ts";
import { EXIT, type ExitCode } from "../frame/exit-code.ts";
import { Failure } from "../frame/failure.ts";
import { readInput } from "../frame/files.ts";
import type { Frame } from "../frame/frame.ts";
import type { Given } from "../frame/given.ts";
import type { OpenStore } from "../places/store-place.ts";
import type { Confirmation } from "../rebuilding/confirm.ts";
import type { Rebuilt } from "../rebuilding/rebuild-release.ts";

const AFTER = `
The bundle is checked against --policy, or else against the policy that lies beside it. Recipe and lock
are found by hash: in the store, in --from, in materials/ beside the bundle, among the recipes below the
current folder. What was built before is never reused.

Verdicts: IDENTICAL and MEASUREMENT-EQUAL (exit 0), DIVERGED (1), BUILD-FAILED and INPUTS-MISSING (2).
Each is signed and written to confirmations/ in --out (default: out); --submit logs it too.

Example: bootproof rebuild snp-guest-1.tlog-proof --from https://example.org/materials --submit`;

/** Defines `rebuild`. */
export function defineRebuild(parent: Command, frame: Frame): void {
  const command = frame
    .verb(parent, "rebuild <bundles...>", "build a logged release again and sign what came out", rebuildAll)
    .option("--policy <file>", "whose releases to rebuild (default: the policy beside the bundle)")
    .option("--key <file>", "the signing key (default: your own, made on first use)")
    .option("--organisation <name>", "the organisation you rebuild for (default: your key's name)")
    .option("--submit", "log the confirmation, whatever it says")
    .option("--log <dir>", "the log to submit to (default: log in --out)");
  addBuildOptions(command).addHelpText("after", AFTER);
}

/** One bundle's outcome, for the answer. */
export interface RebuildOutcome {
  readonly bundle: string;
  readonly published: Statement<BootMeasurement>;
  /** Undefined when there was no policy to check against. */
  readonly checked: { readonly policy: string; readonly verdict: BundleVerdict } | undefined;
  /** Undefined when the policy refused the bundle. */
  readonly rebuilt: Rebuilt | undefined;
  readonly confirmation: Confirmation | undefined;
  /** Where an artifact first differs, by its name. */
  readonly differences: ReadonlyMap<string, string>;
}

async function rebuildAll(context: Context, given: Given): Promise<ExitCode> {
  const { formatOutcome, outcomeDocument } = await import("../rebuilding/report.ts");
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
  const { openStore } = await import("../places/store-place.ts");
  const bytes = await readInput(bundle);
  const { published, place } = await readRelease(bytes, bundle);
  const checked = await checkAgainstPolicy(context, given, bundle, bytes);
  const none = { bundle, published, checked, differences: new Map<string, string>() };
  if (checked?.verdict.answer === "no") return { ...none, rebuilt: undefined, confirmation: undefined };
  const store = await openStore(context);
  const rebuilt = await build(context, given, { bundle, published, store });
  const confirmation = await confirm(context, given, { published, place, rebuilt });
  const differences = await locate(store, rebuilt, dirname(bundle));
  return { ...none, rebuilt, confirmation, differences };
}

async function readRelease(
  bytes: Uint8Array,
  file: string,
): Promise<{ published: Statement<BootMeasurement>; place: BundleVerdict["place"] }> {
  const { leafHash, parseCheckpoint, parseNote } = await import("@bootproof/log");
  const { BOOT_MEASUREMENT_TYPE, readBootMeasurement } = await import("@bootproof/statement");
  const { parseBundle } = await import("@bootproof/verify");
  const { reading } = await import("../errors/to-failure.ts");
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
  const { verifyBundle } = await import("@bootproof/verify");
  const { readPolicy } = await import("../releasing/policy-file.ts");
  const { reading } = await import("../errors/to-failure.ts");
  const read = await readPolicy(policy);
  return { policy, verdict: reading(bundle, () => verifyBundle({ bundle: bytes, policy: read })) };
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
  const { MaterialFinder } = await import("../rebuilding/find-materials.ts");
  const { rebuildRelease } = await import("../rebuilding/rebuild-release.ts");
  const { EventSteps } = await import("../building/event-steps.ts");
  const { readBuildOptions } = await import("../building/build-options.ts");
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
  about: Pick<
    Parameters<typeof import("../rebuilding/confirm.ts").confirmRebuild>[0],
    "published" | "place" | "rebuilt"
  >,
): Promise<Confirmation> {
  const { confirmRebuild } = await import("../rebuilding/confirm.ts");
  const { openSigner } = await import("../signing/default-key.ts");
  const own = await openSigner(context, given.text("key"));
  if (own.fresh) context.note(`made your signing key: ${own.file}`);
  const out = resolve(context.cwd, context.options.out ?? "out");
  const log = resolve(context.cwd, given.text("log") ?? join(out, "log"));
  return confirmRebuild({
    ...about,
    signer: own.signer,
    organisation: given.text("organisation") ?? own.signer.name.slice(0, 100),
    folder: join(out, "confirmations"),
    log: given.flag("submit") ? log : undefined,
  });
}

async function locate(
  store: OpenStore,
  rebuilt: Rebuilt,
  folder: string,
): Promise<ReadonlyMap<string, string>> {
  const { locateDifference } = await import("../rebuilding/compare-release.ts");
  const places = new Map<string, string>();
  for (const artifact of rebuilt.artifacts) {
    if (artifact.found === undefined || artifact.found.sha256 === artifact.expected.sha256) continue;
    const place = await locateDifference(store, artifact, folder);
    if (place !== undefined) places.set(artifact.name, place);
  }
  return places;
}
