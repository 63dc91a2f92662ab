/**
 * Verifies bundles and artifacts against a policy.
 * @module
 */
import { basename } from "node:path";

import { formatHex, sha256 } from "@bootproof/bytes";
import { REBUILD_TYPE } from "@bootproof/statement";
import {
  type BundleVerdict,
  type HashedFile,
  joinAnswers,
  parseBundle,
  verifyBundle,
} from "@bootproof/verify";

import { reading } from "../errors/to-failure.ts";
import type { Context } from "../frame/context.ts";
import { EXIT, type ExitCode } from "../frame/exit-code.ts";
import { isRegularFile, readHead, readInput } from "../frame/files.ts";
import { type Given, usage } from "../frame/given.ts";
import { startsWith } from "../inspect/inspection.ts";
import { rememberBundle } from "../places/remembered-bundle.ts";
import { readPolicy } from "../releasing/policy-file.ts";
import { formatVerdict, verdictDocument } from "../report/verdict.ts";

interface Sorted {
  readonly releases: { readonly file: string; readonly bytes: Uint8Array }[];
  readonly confirmations: Uint8Array[];
  readonly artifacts: HashedFile[];
}

/** Verifies the files that were named. */
export async function verify(context: Context, given: Given): Promise<ExitCode> {
  const policy = await readPolicy(given.text("policy") ?? "");
  const { releases, confirmations, artifacts } = await sortFiles(context, given.arguments(0));
  if (releases.length === 0)
    throw usage("there is no bundle among the files", "name the release's .tlog-proof too");
  if (releases.length > 1 && artifacts.length > 0)
    throw usage("several releases and artifacts at once", "verify each release with its own artifacts");
  const verdicts: { file: string; verdict: BundleVerdict }[] = releases.map(({ file, bytes }) => ({
    file,
    verdict: reading(file, () => verifyBundle({ bundle: bytes, policy, confirmations, artifacts })),
  }));
  for (const bundle of [...releases.map(({ bytes }) => bytes), ...confirmations])
    await rememberBundle(context, bundle, policy.logs);
  const answer = joinAnswers(verdicts.flatMap(({ verdict }) => verdict.checks));
  const text = verdicts.map(({ file, verdict }) => formatVerdict(file, verdict, context.color)).join("\n");
  const document = { schema: "bootproof/verdict/1", answer, ...verdictDocument(verdicts) };
  await context.answer(text, document);
  return answer === "yes" ? EXIT.yes : answer === "no" ? EXIT.no : EXIT.undecided;
}

async function sortFiles(context: Context, files: readonly string[]): Promise<Sorted> {
  const sorted: Sorted = { releases: [], confirmations: [], artifacts: [] };
  const rebuilds: { file: string; bytes: Uint8Array }[] = [];
  for (const file of files) {
    // Images have gigabytes, and are compared by what they consist of too.
    if (await isImage(file)) {
      const { hashImage } = await import("../enclave/hashed-image.ts");
      sorted.artifacts.push(await hashImage(context, file));
      continue;
    }
    const bytes = await readInput(file);
    const bundle = startsWith(bytes, "c2sp.org/tlog-proof@") || file.endsWith(".tlog-proof");
    if (!bundle)
      sorted.artifacts.push({ name: basename(file), size: bytes.length, sha256: formatHex(sha256(bytes)) });
    else if (isRebuild(bytes, file)) rebuilds.push({ file, bytes });
    else sorted.releases.push({ file, bytes });
  }
  // A rebuild alone is judged as what it is; beside a release it is a confirmation.
  if (sorted.releases.length === 0) sorted.releases.push(...rebuilds);
  else sorted.confirmations.push(...rebuilds.map(({ bytes }) => bytes));
  return sorted;
}

/** Whether a file is an enclave image; a pipe is read once and whole, so it is not looked into. */
const isImage = async (file: string): Promise<boolean> =>
  (await isRegularFile(file)) && startsWith(await readHead(file, 4), ".eif");

function isRebuild(bytes: Uint8Array, file: string): boolean {
  return reading(file, () => parseBundle(bytes)).statement?.predicateType === REBUILD_TYPE;
}
