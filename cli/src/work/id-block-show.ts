/**
 * Shows ID blocks, ID auths and the digests of their keys; verifies nothing.
 * @module
 */
import { formatHex, sha384 } from "@bootproof/bytes";
import {
  ECDSA_P384_SHA384,
  hasNoAuthor,
  keyDigest,
  parseIdAuth,
  parseIdBlock,
  parsePublicKey,
  parseSignature,
} from "@bootproof/measure/identity";

import type { Context } from "../frame/context.ts";
import { EXIT, type ExitCode } from "../frame/exit-code.ts";
import type { Given } from "../frame/given.ts";
import { idBlockDocument, idBlockFields } from "../identity/id-block-fields.ts";
import { readPublicKey } from "../identity/pem-keys.ts";
import { readStructure, type Structure } from "../identity/read-structure.ts";
import { printable } from "../report/printable.ts";
import { formatFields } from "../report/table.ts";

interface Shown {
  readonly text: string;
  readonly document: object;
}

/** Decodes the structures in files. */
export async function show(context: Context, given: Given): Promise<ExitCode> {
  const shown: Shown[] = [];
  for (const file of given.arguments(0)) shown.push(showStructure(await readStructure(file)));
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
  const { fields, document } = kind === "id-block" ? showBlock(bytes) : showAuth(bytes);
  return {
    text: `${printable(file)}\n${formatFields(fields)}`,
    document: { file, kind, ...document },
  };
}

interface Decoded {
  readonly fields: [string, string][];
  readonly document: object;
}

function showBlock(bytes: Uint8Array): Decoded {
  const block = parseIdBlock(bytes);
  return { fields: [["kind", "ID block"], ...idBlockFields(block)], document: idBlockDocument(block) };
}

function showAuth(bytes: Uint8Array): Decoded {
  const auth = parseIdAuth(bytes);
  const id = showSigned("ID key", auth.idKeyAlgorithm, auth.idPublicKey, auth.idBlockSignature);
  const author = hasNoAuthor(auth)
    ? undefined
    : showSigned("author key", auth.authorKeyAlgorithm, auth.authorPublicKey, auth.idKeySignature);
  const none: [string, string][] = [["author key", "none"]];
  return {
    fields: [["kind", "ID auth"], ...id.fields, ...(author?.fields ?? none)],
    document: { idKey: id.document, ...(author && { authorKey: author.document }) },
  };
}

function showSigned(name: string, algorithm: number, key: Uint8Array, signature: Uint8Array): Decoded {
  const { curve, pair } = parsePublicKey(key);
  const numbers = parseSignature(signature).pair;
  const half = (bytes: Uint8Array, index: 0 | 1): string =>
    formatHex(bytes.subarray(48 * index, 48 * index + 48));
  const digest = formatHex(sha384(key));
  const document = {
    algorithm,
    curve,
    x: half(pair, 0),
    y: half(pair, 1),
    digest,
    signature: { r: half(numbers, 0), s: half(numbers, 1) },
  };
  const known = algorithm === ECDSA_P384_SHA384 ? "ECDSA P-384 with SHA-384" : "unknown";
  return {
    fields: [
      [name, `algorithm ${String(algorithm)} (${known}), curve ${String(curve)}`],
      [`${name} digest`, digest],
      ["  x", document.x],
      ["  y", document.y],
      [name === "ID key" ? "signature of the ID block" : "signature of the ID key", ""],
      ["  r", document.signature.r],
      ["  s", document.signature.s],
    ],
    document,
  };
}
