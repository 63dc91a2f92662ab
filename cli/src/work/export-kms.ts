/**
 * Writes a key policy for releases.
 * @module
 */
import {
  formatCdk,
  formatKmsPolicy,
  formatTerraform,
  formatTerraformJson,
  type KmsRelease,
  lintKmsPolicy,
  type MadePolicy,
  makeKmsPolicy,
} from "@bootproof/statement/kms";

import { toFailure } from "../errors/to-failure.ts";
import type { Context } from "../frame/context.ts";
import { EXIT, type ExitCode } from "../frame/exit-code.ts";
import { badValue, type Given, usage } from "../frame/given.ts";
import { readReleases } from "../kms/read-releases.ts";

const FORMS: Readonly<Record<string, (policy: MadePolicy) => string>> = {
  json: formatKmsPolicy,
  terraform: formatTerraform,
  "terraform-json": formatTerraformJson,
  cdk: formatCdk,
};

/** Makes the policy, and says what is to be known of it. */
export async function exportKms(context: Context, given: Given): Promise<ExitCode> {
  const principal = given.text("principal");
  if (principal === undefined)
    throw usage("nobody would get in", "give --principal with the ARN of the instances' role");
  const releases: KmsRelease[] = [];
  for (const file of [given.argument(0), ...given.list("previous")])
    releases.push(...(await readReleases(context, file)));
  const policy = make(releases, given, principal);
  const format = given.text("format") ?? "json";
  const text = FORMS[format]?.(policy) ?? "";
  const warnings = warningsOf(policy, given.text("admin"));
  for (const { code, message } of warnings) context.note(`${message} (${code})`);
  await context.answer(text, {
    schema: "bootproof/kms-policy/1",
    format,
    releases,
    policy,
    ...(format !== "json" && { text }),
    warnings,
  });
  return EXIT.yes;
}

function make(releases: readonly KmsRelease[], given: Given, principal: string): MadePolicy {
  const operations = given.list("operation");
  try {
    return makeKmsPolicy(releases, {
      principal,
      pcrs: readPcrs(given.text("pcr")),
      operations: operations.length === 0 ? undefined : operations,
      admin: given.text("admin"),
      encrypter: given.text("encrypter"),
    });
  } catch (error) {
    throw toFailure(error);
  }
}

function readPcrs(text: string | undefined): number[] | undefined {
  return text?.split(",").map((word) => {
    const [, digits] = /^\s*(?:PCR)?([0-9]{1,2})\s*$/i.exec(word) ?? [];
    if (digits === undefined) throw badValue("--pcr", "numbers of registers, such as 0,1,2,8", text);
    return Number(digits);
  });
}

interface Warning {
  readonly code: string;
  readonly message: string;
}

/** What the linter says of our own policy: who may change it, and what is pinned less than it could be. */
function warningsOf(policy: MadePolicy, admin: string | undefined): Warning[] {
  const [linted] = lintKmsPolicy(formatKmsPolicy(policy)).policies;
  const warnings = (linted?.findings ?? []).map(({ code, message }): Warning => ({ code, message }));
  if (admin === undefined && !warnings.some(({ code }) => code === "BP-KMS-057"))
    warnings.push({
      code: "BP-KMS-057",
      message: "nobody may change this policy again: --admin ARN adds an administrator",
    });
  return warnings;
}
