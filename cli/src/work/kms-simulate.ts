/**
 * Evaluates a key policy for one request.
 * @module
 */
import { formatHex } from "@bootproof/bytes";
import { parseExpectedPcrs } from "@bootproof/measure/nitro";
import { type KmsRequest, type Policy, readPolicies, simulateKms } from "@bootproof/statement/kms";
import { parseAttestationDocument } from "@bootproof/verify/nitro";

import { reading } from "../errors/to-failure.ts";
import type { Context } from "../frame/context.ts";
import { EXIT, type ExitCode } from "../frame/exit-code.ts";
import { readInput, readInputText } from "../frame/files.ts";
import { badValue, type Given, usage } from "../frame/given.ts";
import { documentBytes } from "../kms/document-bytes.ts";
import { formatSimulation } from "../kms/policy-text.ts";

const EXITS = { allow: EXIT.yes, deny: EXIT.no, "could not decide": EXIT.undecided } as const;

/** Says whether the policy lets the request through. */
export async function simulate(context: Context, given: Given): Promise<ExitCode> {
  const principal = given.text("principal");
  if (principal === undefined) throw usage("nobody asks", "give --principal ARN");
  const file = given.argument(0);
  const policy = onePolicy(file, await readInputText(file));
  const pcrs = await readPcrs(context, given);
  const request: KmsRequest = {
    operation: given.text("operation") ?? "Decrypt",
    principal,
    pcrs,
    keyArn: given.text("key"),
    context: readContext(given.list("context")),
  };
  const simulation = reading(file, () => simulateKms(policy, request));
  await context.answer(formatSimulation(simulation), {
    schema: "bootproof/kms-simulation/1",
    file,
    request,
    ...simulation,
  });
  return EXITS[simulation.answer];
}

function onePolicy(file: string, text: string): Policy {
  const [policy, ...others] = reading(file, () => readPolicies(text));
  if (policy === undefined || others.length > 0)
    throw usage(
      `${file} holds ${others.length + 1} policies, and one is evaluated at a time`,
      `they stand at ${[policy, ...others].map((one) => one?.within ?? "").join(", ")}`,
    );
  return policy;
}

async function readPcrs(context: Context, given: Given): Promise<KmsRequest["pcrs"]> {
  const document = given.text("document");
  const pcrs = given.text("pcrs");
  const ways = [
    document !== undefined,
    pcrs !== undefined,
    given.flag("debugMode"),
    given.refused("document"),
  ];
  if (ways.filter(Boolean).length !== 1)
    throw usage("one request is evaluated", "give one of --document, --pcrs, --debug-mode, --no-document");
  if (document !== undefined) return await pcrsOfDocument(context, document);
  if (pcrs !== undefined) return await pcrsOfFile(pcrs);
  if (given.refused("document")) return undefined;
  return Object.fromEntries(Array.from({ length: 16 }, (_, index) => [index, "0".repeat(96)]));
}

async function pcrsOfDocument(context: Context, file: string): Promise<KmsRequest["pcrs"]> {
  const bytes = await readInput(file);
  const document = reading(file, () => parseAttestationDocument(documentBytes(bytes) ?? bytes));
  context.note(`the signature of ${file} is not checked`);
  return Object.fromEntries([...document.pcrs].map(([index, value]) => [index, formatHex(value)]));
}

async function pcrsOfFile(file: string): Promise<KmsRequest["pcrs"]> {
  const text = await readInputText(file);
  const registers = reading(file, () => parseExpectedPcrs(text));
  return Object.fromEntries(Object.entries(registers).map(([name, value]) => [Number(name.slice(3)), value]));
}

function readContext(given: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    given.map((text) => {
      const at = text.indexOf("=");
      if (at < 1)
        throw badValue("--context", "KEY=VALUE, such as kms:ViaService=s3.eu-west-1.amazonaws.com", text);
      return [text.slice(0, at), text.slice(at + 1)];
    }),
  );
}
