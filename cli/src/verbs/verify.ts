/**
 * `bootproof verify`: a bundle, and files that should be its artifacts, against a policy; offline.
 * @module
 */
import { basename } from "node:path";

import type { Command } from "commander";
import type { BundleVerdict, HashedFile } from "@bootproof/verify";

import type { Context } from "../frame/context.ts";
import { EXIT, type ExitCode } from "../frame/exit-code.ts";
import { readInput } from "../frame/files.ts";
import { usage, type Given } from "../frame/given.ts";
import type { Frame } from "../frame/frame.ts";
import { startsWith } from "../inspect/inspection.ts";

const AFTER = `
Bundles are told by their content; rebuilds among them count as confirmations, other files must be
artifacts of the release. One line and one reason for each check; exit 0 yes, 1 no, 2 could not decide.

Example: bootproof verify out/snp-guest-1.tlog-proof out/artifacts/OVMF.fd --policy out/snp-guest-1.policy.yaml`;

/** Defines `verify`. */
export function defineVerify(parent: Command, frame: Frame): void {
  frame
    .verb(parent, "verify <files...>", "check bundles and artifacts against a policy, offline", verify)
    .requiredOption("--policy <file>", "whose word counts (*.policy.yaml)")
    .addHelpText("after", AFTER);
}

interface Sorted {
  readonly releases: { readonly file: string; readonly bytes: Uint8Array }[];
  readonly confirmations: Uint8Array[];
  readonly artifacts: HashedFile[];
}

async function verify(context: Context, given: Given): Promise<ExitCode> {
  const { joinAnswers, verifyBundle } = await import("@bootproof/verify");
  const { readPolicy } = await import("../releasing/policy-file.ts");
  const { reading } = await import("../errors/to-failure.ts");
  const { formatVerdict, verdictDocument } = await import("../report/verdict.ts");
  const policy = await readPolicy(given.text("policy") ?? "");
  const { releases, confirmations, artifacts } = await sortFiles(given.arguments(0));
  if (releases.length === 0)
    throw usage("there is no bundle among the files", "name the release's .tlog-proof too");
  if (releases.length > 1 && artifacts.length > 0)
    throw usage("several releases and artifacts at once", "verify each release with its own artifacts");
  const verdicts: { file: string; verdict: BundleVerdict }[] = releases.map(({ file, bytes }) => ({
    file,
    verdict: reading(file, () => verifyBundle({ bundle: bytes, policy, confirmations, artifacts })),
  }));
  const answer = joinAnswers(verdicts.flatMap(({ verdict }) => verdict.checks));
  const text = verdicts.map(({ file, verdict }) => formatVerdict(file, verdict, context.color)).join("\n");
  const document = { schema: "bootproof/verdict/1", answer, ...verdictDocument(verdicts) };
  await context.answer(text, document);
  return answer === "yes" ? EXIT.yes : answer === "no" ? EXIT.no : EXIT.undecided;
}

async function sortFiles(files: readonly string[]): Promise<Sorted> {
  const { formatHex, sha256 } = await import("@bootproof/bytes");
  const sorted: Sorted = { releases: [], confirmations: [], artifacts: [] };
  const rebuilds: { file: string; bytes: Uint8Array }[] = [];
  for (const file of files) {
    const bytes = await readInput(file);
    const bundle = startsWith(bytes, "c2sp.org/tlog-proof@") || file.endsWith(".tlog-proof");
    if (!bundle)
      sorted.artifacts.push({ name: basename(file), size: bytes.length, sha256: formatHex(sha256(bytes)) });
    else if (await isRebuild(bytes, file)) rebuilds.push({ file, bytes });
    else sorted.releases.push({ file, bytes });
  }
  // A rebuild alone is judged as what it is; beside a release it is a confirmation.
  if (sorted.releases.length === 0) sorted.releases.push(...rebuilds);
  else sorted.confirmations.push(...rebuilds.map(({ bytes }) => bytes));
  return sorted;
}

async function isRebuild(bytes: Uint8Array, file: string): Promise<boolean> {
  const { parseBundle } = await import("@bootproof/verify");
  const { REBUILD_TYPE } = await import("@bootproof/statement");
  const { reading } = await import("../errors/to-failure.ts");
  return reading(file, () => parseBundle(bytes)).statement?.predicateType === REBUILD_TYPE;
}
