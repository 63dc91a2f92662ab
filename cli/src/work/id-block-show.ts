/**
 * Shows ID blocks, ID auths and the digests of their keys; verifies nothing.
 * @module
 */
import { formatHex } from "@bootproof/bytes";
import { keyDigest } from "@bootproof/measure/identity";

import type { Context } from "../frame/context.ts";
import { EXIT, type ExitCode } from "../frame/exit-code.ts";
import type { Given } from "../frame/given.ts";
import { readPublicKey } from "../identity/pem-keys.ts";
import { readStructures, type Structure } from "../identity/read-structure.ts";
import { describeIdAuth, describeIdBlock } from "../identity/structure-fields.ts";
import { printable } from "../report/printable.ts";
import { formatFields } from "../report/table.ts";

interface Shown {
  readonly text: string;
  readonly document: object;
}

/** Decodes the structures in files. */
export async function show(context: Context, given: Given): Promise<ExitCode> {
  const shown: Shown[] = [];
  for (const file of given.arguments(0)) shown.push(...(await readStructures(file)).map(showStructure));
  const advice = `not verified: ${context.command} id-block verify does that\n`;
  await context.answer(shown.map(({ text }) => `${text}\n`).join("") + advice, {
    schema: "bootproof/id-block-show/1",
    files: shown.map(({ document }) => document),
  });
  return EXIT.yes;
}

/** Prints the digest that reports show for a key. */
export async function showKeyDigest(context: Context, given: Given): Promise<ExitCode> {
  const file = given.argument(0);
  const digest = formatHex(keyDigest(await readPublicKey(file)));
  await context.answer(`${digest}\n`, { schema: "bootproof/key-digest/1", file, keyDigest: digest });
  return EXIT.yes;
}

function showStructure({ kind, file, bytes }: Structure): Shown {
  const { fields, document } = kind === "id-block" ? describeIdBlock(bytes) : describeIdAuth(bytes);
  return {
    text: `${printable(file)}\n${formatFields(fields)}`,
    document: { file, kind, ...document },
  };
}
