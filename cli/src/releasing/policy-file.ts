/**
 * The policy that a release leaves beside its bundle: whoever checks against it accepts this publisher and this log,
 * so a verifier reads it and edits it.
 * @module
 */
import { readFile } from "node:fs/promises";

import { readYamlAs } from "@bootproof/builder";
import { KEY_TYPE, parseVkey } from "@bootproof/bytes";
import { policySchema, type Policy } from "@bootproof/verify";

import { EXIT } from "../frame/exit-code.ts";
import { Failure } from "../frame/failure.ts";
import { readInputText, writeAnswer } from "../frame/files.ts";

const MAX_POLICY = 2 ** 20;

/** The keys of a release. */
export interface ReleaseKeys {
  readonly release: string;
  readonly publisher: string;
  /** The log's key, or while the log changes its key both. */
  readonly log: string | readonly string[];
  /** How many of which witnesses the log publishes with; undefined when it publishes without any. */
  readonly witnesses?: { readonly need: number; readonly keys: readonly string[] } | undefined;
}

/** Those of a log's keys that every verifier of policies takes. */
export const policyKeys = (vkeys: readonly string[]): readonly string[] =>
  vkeys.filter((vkey) => parseVkey(vkey).type === KEY_TYPE.ed25519);

/** Reads a policy; throws a failure that lists every problem with its line. */
export async function readPolicy(file: string): Promise<Policy> {
  return parsePolicy(await readInputText(file, MAX_POLICY), file);
}

/** The policy that accepts the keys of a release, with the witnesses of its log, and asks for no rebuild. */
export function formatPolicy({ release, publisher, log, witnesses }: ReleaseKeys): string {
  const { name } = parseVkey(publisher);
  const rule =
    witnesses === undefined
      ? " any"
      : `\n  need: ${witnesses.need}\n  keys:\n${witnesses.keys.map((key) => `    - ${JSON.stringify(key)}`).join("\n")}`;
  return `# Whose word counts. bootproof wrote this for its own release: before you verify others' bundles with it,
# compare the keys with what their owners publish, and say how many witnesses and rebuilders you want.
publishers:
  - organisation: ${JSON.stringify(name)}
    key: ${JSON.stringify(publisher)}
    subjects: [${JSON.stringify(release)}]
logs:
${[log]
  .flat()
  .map((key) => `  - ${JSON.stringify(key)}`)
  .join("\n")}
# Cosignatures that the log's checkpoint needs, e.g. {need: 2, keys: [...]}.
witnesses:${rule}
# Organisations that must have rebuilt it, e.g.
# {need: 1, accept: [IDENTICAL], rebuilders: [{organisation: example.org, key: ...}]}.
rebuilds: any
`;
}

/** Parses a policy's text. */
export function parsePolicy(text: string, file: string): Policy {
  const read = readYamlAs(policySchema, text, file);
  if (read.ok) return read.value;
  const hint = "bootproof release writes a policy to start from";
  throw new Failure("BP-POLICY-001", EXIT.badConfig, read.issues.join("\n"), {
    file,
    issues: read.issues,
    hint,
  });
}

/** Writes the policy unless one is there that names all keys: that one may have been edited. */
export async function writePolicyFile(file: string, keys: ReleaseKeys): Promise<"written" | "kept"> {
  const there = await readFile(file, "utf8").catch(() => "");
  if ([keys.publisher, keys.log].flat().every((key) => there.includes(key))) return "kept";
  await writeAnswer(file, formatPolicy(keys));
  return "written";
}
