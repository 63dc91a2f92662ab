/**
 * Finds out which image, signer and parent gave the PCRs that an enclave reported, when those at hand do not.
 * @module
 */
import { parseUtf8 } from "@bootproof/bytes";
import { parsePemCertificates } from "@bootproof/bytes/certificate";
import { type NitroSolution, solveNitro } from "@bootproof/measure/nitro";

import { digestPieces } from "../enclave/digest-pieces.ts";
import { OpenFile } from "../enclave/eif-file.ts";
import { isEifFile } from "../enclave/is-eif-file.ts";
import { measureEifFile } from "../enclave/measured-eif.ts";
import { readObservedPcrs } from "../enclave/observed-pcrs.ts";
import { watchHashing } from "../enclave/watch-hashing.ts";
import type { Context } from "../frame/context.ts";
import { EXIT, type ExitCode } from "../frame/exit-code.ts";
import { type Given, usage } from "../frame/given.ts";
import { shellWord } from "../frame/typed.ts";
import { oneLine } from "../report/printable.ts";
import { formatTable } from "../report/table.ts";

/** Zeros of debug mode say nothing of an image, so neither yes nor no. */
const EXITS = { match: EXIT.yes, other: EXIT.no, none: EXIT.undecided, debug: EXIT.undecided } as const;

const VERDICTS: Readonly<Record<NitroSolution["verdict"], string>> = {
  match: "the image as it is gives these values",
  other: "no: another image, signer or parent gives these values, named above",
  debug: "could not decide: the enclave was in debug mode, its PCRs say nothing of an image",
  none: "could not decide: nothing that was tried gives these values",
};

/** Compares observed PCRs with an image, and searches what gave those that differ. */
export async function solveNitroVerb(context: Context, given: Given, path: string): Promise<ExitCode> {
  if (!path.endsWith(".eif") && !(await isEifFile(path)))
    throw usage(
      "--observed searches for one guest: files to compare and codes have no place beside it",
      "only an enclave image (EIF) has, whose PCRs are compared with the observed ones",
    );
  const { registers: observed, notes } = await readObservedPcrs(given.text("observed") ?? "");
  for (const note of notes) context.note(note);
  const measured = await watchHashing(context, (options) => measureEifFile(path, options));
  const { layout, reading } = measured;
  const signature = reading.parsedSignature;
  const file = await OpenFile.open(path);
  try {
    const solution = await solveNitro(observed, {
      sections: layout.sections,
      cmdline: reading.cmdline,
      certificates: signature && certificatesIn(signature.certificatePem),
      pem: signature?.certificatePem,
      roleArn: given.text("iamRoleArn"),
      instanceId: given.text("instanceId"),
      digest: (pieces, algorithm) =>
        digestPieces(file, layout.sections, { pieces, algorithm, signal: context.signal }),
    });
    await file.checkUnchanged();
    await context.answer(formatSolution(solution, nextOf(context, path, solution)), {
      schema: "bootproof/nitro-solution/1",
      image: { path, size: layout.size },
      ...solution,
    });
    return EXITS[solution.verdict];
  } finally {
    await file.close();
  }
}

/** Every certificate: PCR8 is of the first, and people take another. */
const certificatesIn = (pem: Uint8Array): Uint8Array[] =>
  parsePemCertificates(parseUtf8(pem, "certificate"), "certificate").map(({ der }) => der);

const ANSWERS = { given: "as given", other: "OTHER", none: "no match", open: "open" } as const;

function formatSolution({ verdict, registers }: NitroSolution, next: readonly string[]): string {
  const rows = registers.map(({ register, answer, what = "", cause, mistake }) => {
    const why = cause === undefined ? what : `${what} (${cause})`;
    const value = mistake === true ? `${why}; no enclave reports it` : why;
    // Of an enclave in debug mode nothing is compared.
    const word = verdict === "debug" ? (what === "" ? "not compared" : "debug") : ANSWERS[answer];
    return [register, word, oneLine(value, 300)];
  });
  return `${formatTable(rows)}\n${VERDICTS[verdict]}\n${next.map((line) => `next: ${line}\n`).join("")}`;
}

function nextOf({ command }: Context, path: string, { verdict }: NitroSolution): string[] {
  if (verdict === "debug") return ["start the enclave without --debug-mode, and ask it again"];
  if (verdict !== "none") return [];
  return [
    `${command} explain ${shellWord(path)} OTHER.eif names the section and the file that differ from another build`,
    `${command} lookup PCR0 --log LOG says who published a value`,
  ];
}
