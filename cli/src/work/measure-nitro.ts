/**
 * Predicts the PCRs of a Nitro Enclave from its image file or its parts.
 * @module
 */
import { comparePcrs, knownBootstrap, measureNitro } from "@bootproof/measure/nitro";

import { readEnclaveInput } from "../enclave/enclave-input.ts";
import { formatComparison, readExpected } from "../enclave/expected.ts";
import { formatPcrs, nitroDocument } from "../enclave/nitro-answer.ts";
import { openEnclave } from "../enclave/open-enclave.ts";
import type { Context } from "../frame/context.ts";
import { EXIT, type ExitCode } from "../frame/exit-code.ts";
import type { Given } from "../frame/given.ts";

const EXITS = { yes: EXIT.yes, no: EXIT.no, debug: EXIT.no, undecided: EXIT.undecided } as const;

/** Answers `measure nitro`. */
export async function measureNitroVerb(context: Context, given: Given): Promise<ExitCode> {
  const expected = await readExpected(given.list("expect"));
  const input = await readEnclaveInput(given, given.optionalArgument(0));
  const enclave = await openEnclave(context, given, input);
  const measurement = measureNitro(enclave.image, {
    architecture: enclave.architecture,
    roleArn: given.text("iamRoleArn"),
    instanceId: given.text("instanceId"),
  });
  for (const { code, message } of [...enclave.notices, ...measurement.warnings])
    context.note(`warning: ${message} (${code})`);
  const bootstrap = knownBootstrap(measurement.registers["PCR1"] ?? "");
  if (bootstrap !== undefined) context.note(`PCR1 is that of a ${bootstrap.note}`);
  const trace = given.flag("trace");
  const comparison = expected && comparePcrs(expected, measurement.registers);
  const compared = expected && comparison ? `\n${formatComparison(expected, comparison)}` : "";
  await context.answer(formatPcrs(measurement, trace) + compared, {
    ...nitroDocument(measurement, enclave, trace),
    ...(bootstrap && { bootstrap }),
    ...(expected && { expected: { registers: expected, ...comparison } }),
  });
  return comparison === undefined ? EXIT.yes : EXITS[comparison.answer];
}
