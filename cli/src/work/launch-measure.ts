/**
 * Makes and verifies launch measures of SEV and SEV-ES.
 * @module
 */
import { concatBytes, formatBase64, formatHex } from "@bootproof/bytes";
import {
  findLaunchMeasure,
  type IdentityCheck,
  launchMeasure,
  type LaunchMeasureInputs,
  launchMeasureMessage,
  MNONCE_SIZE,
  parseLaunchMeasure,
  verifyLaunchMeasure,
} from "@bootproof/measure/identity";

import type { Context } from "../frame/context.ts";
import { EXIT, type ExitCode } from "../frame/exit-code.ts";
import { type Given, usage } from "../frame/given.ts";
import { readBlob, readPastedBytes } from "../identity/read-blob.ts";
import { readLaunchDigest, refuseZero } from "../identity/read-launch-digest.ts";
import { readPlatform } from "../identity/read-platform.ts";
import { readTransportKeys, type TransportKeys } from "../identity/read-transport-keys.ts";
import { formatFields } from "../report/table.ts";
import { formatVerdict } from "../report/verdict.ts";

type Inputs = Omit<LaunchMeasureInputs, "mnonce">;

/** Computes what the firmware would answer. */
export async function make(context: Context, given: Given): Promise<ExitCode> {
  const nonce = given.text("nonce");
  if (nonce === undefined) throw usage("there is no nonce", "give --nonce: 16 bytes in hex or base64");
  const mnonce = readPastedBytes("--nonce", nonce, MNONCE_SIZE);
  const inputs = { ...(await readInputs(given)), mnonce };
  const { tik } = await readTransportKeys(given);
  const measure = launchMeasure(tik, inputs);
  const blob = formatBase64(concatBytes(measure, mnonce));
  const fields: [string, string][] = [
    ["measure", formatHex(measure)],
    ["nonce", formatHex(mnonce)],
    ["base64", blob],
  ];
  await context.answer(formatFields(fields), {
    schema: "bootproof/launch-measure/1",
    ...inputsDocument(inputs),
    message: formatHex(launchMeasureMessage(inputs)),
    measure: formatHex(measure),
    mnonce: formatHex(mnonce),
    blob,
  });
  return EXIT.yes;
}

/** Decides whether the firmware's answer is of the guest that is meant. */
export async function verify(context: Context, given: Given): Promise<ExitCode> {
  const text = given.text("measurement");
  if (text === undefined)
    throw usage("there is no measure to verify", "give --measurement: base64, or a file with it");
  const inputs = await readInputs(given);
  refuseZero("--digest", inputs.launchDigest);
  const keys = await readTransportKeys(given);
  const blob = await readBlob("--measurement", text);
  const holds = verifyLaunchMeasure(keys.tik, blob, inputs);
  const check: IdentityCheck = {
    name: "launch measure",
    answer: holds ? "yes" : "no",
    reason: holds
      ? "the MAC holds: firmware with this key launched this digest under this policy"
      : `the MAC does not hold${whatWouldHold(keys, blob, inputs)}`,
  };
  const verdict = { answer: check.answer, checks: [check], skipped: [] };
  const { measure, mnonce } = parseLaunchMeasure(blob);
  await context.answer(formatVerdict("launch measure", verdict, context.color), {
    schema: "bootproof/launch-measure-verdict/1",
    ...verdict,
    ...inputsDocument(inputs),
    measure: formatHex(measure),
    mnonce: formatHex(mnonce),
  });
  return holds ? EXIT.yes : EXIT.no;
}

/** What a person should look at; a search never turns the answer into a yes. */
function whatWouldHold({ tik, tek }: TransportKeys, blob: Uint8Array, inputs: Inputs): string {
  if (tek !== undefined && verifyLaunchMeasure(tek, blob, inputs))
    return ": it would with the first half of the key file, which should be the other key";
  const found = findLaunchMeasure(tik, blob, inputs);
  return found === undefined
    ? ": digest or key are others, or several inputs are"
    : `: it would with ${found.differs}`;
}

async function readInputs(given: Given): Promise<Inputs> {
  const digest = given.text("digest") ?? given.text("launchDigest");
  if (digest === undefined)
    throw usage(
      "there is no launch digest",
      "give --digest: hex, base64, or the file that measure sev wrote",
    );
  return {
    ...(await readPlatform(given)),
    launchDigest: await readLaunchDigest("--digest", "sha256", digest),
  };
}

function inputsDocument({ apiMajor, apiMinor, buildId, policy, launchDigest }: Inputs): object {
  return {
    launchDigest: formatHex(launchDigest),
    apiMajor,
    apiMinor,
    buildId,
    policy: `0x${policy.toString(16)}`,
  };
}
