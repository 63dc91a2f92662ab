/**
 * Signs an image, in place of a signature that is there already: the other sections keep their bytes.
 * @module
 */
import { EIF_VERSION } from "@bootproof/boot/eif";
import { formatHex, sha384 } from "@bootproof/bytes";
import { pcrOf } from "@bootproof/measure/nitro";

import { measureEifFile } from "../enclave/measured-eif.ts";
import { pcr0Of } from "../enclave/pcr0.ts";
import { readImageSigner } from "../enclave/sign-image.ts";
import { watchHashing } from "../enclave/watch-hashing.ts";
import { writeImage } from "../enclave/write-image.ts";
import type { Context } from "../frame/context.ts";
import { EXIT, type ExitCode } from "../frame/exit-code.ts";
import { Failure } from "../frame/failure.ts";
import { type Given, usage } from "../frame/given.ts";
import { formatFields } from "../report/table.ts";

/** Answers `eif sign`. */
export async function eifSign(context: Context, given: Given): Promise<ExitCode> {
  const file = given.argument(0);
  const { out } = context.options;
  if (out === undefined)
    throw usage("there is no place for the signed image", "give --out; the same file is replaced");
  const signer = await readImageSigner(context, given);
  if (signer === undefined) throw usage("there is nobody who signs", "give --certificate and --signing-key");
  const { layout, reading } = await watchHashing(context, (options) => measureEifFile(file, options));
  if (layout.version !== EIF_VERSION)
    throw new Failure("BP-EIF-072", EXIT.malformed, "an image of this version is not signed", {
      file,
      expected: `version ${EIF_VERSION}`,
      found: `version ${layout.version}`,
      hint: "build it again: bootproof eif build",
    });
  const kept = layout.sections.filter(({ type }) => type !== "signature");
  const { architecture, defaultMemory, defaultCpus } = layout;
  const digests = await watchHashing(context, (options) =>
    writeImage(
      {
        architecture,
        defaultMemory,
        defaultCpus,
        order: "given",
        sections: kept.map(({ type, offset, size }) => ({ type, path: file, offset, size })),
      },
      out,
      { ...options, sign: (made) => signer.sign(pcr0Of(made)) },
    ),
  );
  const PCR0 = formatHex(pcr0Of(digests));
  const PCR8 = formatHex(pcrOf(sha384(signer.certificate.der)));
  const replaced = reading.signature !== undefined;
  const fields: [string, string][] = [
    ["signed", out],
    ["PCR0", PCR0],
    ["PCR8", PCR8],
    ["before", replaced ? "signed: its signature was replaced" : "not signed"],
  ];
  context.say(formatFields(fields), {
    schema: "bootproof/eif-signature/1",
    image: out,
    registers: { PCR0, PCR8 },
    replaced,
    crc32: digests.crc32.toString(16).padStart(8, "0"),
  });
  return EXIT.yes;
}
