/**
 * Judges the signature of an image over what the image's own PCR0 says should have been signed.
 * @module
 */
import { type EifSignatureCheck, verifyEifSignature } from "@bootproof/boot/eif/signing";
import { equalBytes, formatHex, parseHex, sha384 } from "@bootproof/bytes";
import { measureNitro } from "@bootproof/measure/nitro";

import { readCertificateFile } from "../enclave/enclave-input.ts";
import { formatChecks, signatureDocument } from "../enclave/eif-signature.ts";
import { measureEifFile } from "../enclave/measured-eif.ts";
import { watchHashing } from "../enclave/watch-hashing.ts";
import type { Context } from "../frame/context.ts";
import { EXIT, type ExitCode } from "../frame/exit-code.ts";
import { badValue, type Given } from "../frame/given.ts";
import { paint } from "../report/paint.ts";
import { formatTable } from "../report/table.ts";

type Check = Omit<EifSignatureCheck, "code"> & { readonly code?: string | undefined };

/** Answers `eif verify`. */
export async function eifVerify(context: Context, given: Given): Promise<ExitCode> {
  const file = given.argument(0);
  const at = readTime(given.text("at"));
  const path = given.text("certificate");
  const expected = path === undefined ? undefined : await readCertificateFile(path);
  const { reading, image } = await watchHashing(context, (options) => measureEifFile(file, options));
  const { PCR0 = "", PCR8 = "" } = measureNitro(image).registers;
  const section = reading.parsedSignature;
  const checks: Check[] =
    section === undefined
      ? [{ name: "signature", answer: "no", reason: "the image is not signed" }]
      : [
          ...verifyEifSignature(section, parseHex(PCR0, "PCR0"), at),
          checkCertificate(section.certificateDer, expected?.der),
        ];
  const holds = checks.every(({ answer }) => answer !== "no");
  const text = [
    formatTable([
      ["PCR0", PCR0],
      ["PCR8", PCR8],
    ]),
    formatChecks(checks as readonly EifSignatureCheck[]),
    `${paint(holds ? "yes" : "no", holds ? "green" : "red", context.color)}\n`,
  ];
  await context.answer(text.join(""), {
    schema: "bootproof/eif-verification/1",
    image: file,
    answer: holds ? "yes" : "no",
    registers: { PCR0, PCR8 },
    ...(section === undefined
      ? { checks }
      : signatureDocument({ section, checks: checks as EifSignatureCheck[], pcr8: PCR8 })),
  });
  return holds ? EXIT.yes : EXIT.no;
}

/** Whether it is the expected one; a file's own certificate says nothing about whose it is. */
function checkCertificate(found: Uint8Array, expected: Uint8Array | undefined): Check {
  const name = "certificate";
  const digest = formatHex(sha384(found));
  if (expected === undefined)
    return { name, answer: "notice", reason: `self-reported, none was expected: sha384 ${digest}` };
  if (equalBytes(found, expected)) return { name, answer: "yes", reason: "the expected one" };
  return {
    name,
    answer: "no",
    reason: `another one: sha384 ${digest}, expected ${formatHex(sha384(expected))}`,
  };
}

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z$/;

function readTime(text: string | undefined): Date | undefined {
  if (text === undefined) return undefined;
  const time = new Date(text);
  if (TIME.test(text) && !Number.isNaN(time.getTime())) return time;
  throw badValue("--at", "a time such as 2026-01-31T12:00:00Z", text);
}
