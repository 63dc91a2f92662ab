/**
 * Judges an ID block and its ID auth offline.
 * @module
 */
import { equalBytes, formatHex, parseDigest, ParseError, sha384, type Sha384 } from "@bootproof/bytes";
import {
  hasNoAuthor,
  type IdentityExpectations,
  keyDigest,
  parseIdAuth,
  parseIdBlock,
  verifyIdentity,
} from "@bootproof/measure/identity";

import type { Context } from "../frame/context.ts";
import { EXIT, type ExitCode } from "../frame/exit-code.ts";
import { badValue, type Given, usage } from "../frame/given.ts";
import { idBlockDocument } from "../identity/id-block-fields.ts";
import { readPublicKey } from "../identity/pem-keys.ts";
import { readIdentifier } from "../identity/read-identifier.ts";
import { readLaunchDigest, refuseZero } from "../identity/read-launch-digest.ts";
import { readPolicy } from "../identity/read-policy.ts";
import {
  readStructureOf,
  readStructures,
  type Structure,
  type StructureKind,
} from "../identity/read-structure.ts";
import { formatVerdict } from "../report/verdict.ts";

/** Judges the structures that were named, and answers with every check. */
export async function verify(context: Context, given: Given): Promise<ExitCode> {
  const expected = await readExpectations(given);
  const structures = await collectStructures(given);
  const of = (kind: StructureKind): Structure | undefined => structures.find((found) => found.kind === kind);
  const [block, auth] = [of("id-block"), of("id-auth")];
  const verdict = verifyIdentity({ idBlock: block?.bytes, idAuth: auth?.bytes }, expected);
  const files = [...new Set(structures.map(({ file }) => file))];
  await context.answer(formatVerdict(files.join(", "), verdict, context.color), {
    schema: "bootproof/identity-verdict/1",
    files,
    ...verdict,
    ...(block && { idBlock: idBlockDocument(parseIdBlock(block.bytes)) }),
    ...(auth && keyDigests(auth.bytes)),
  });
  return verdict.answer === "yes" ? EXIT.yes : verdict.answer === "no" ? EXIT.no : EXIT.undecided;
}

/** The digests that a report would show for the keys as they stand in the ID auth. */
function keyDigests(bytes: Uint8Array): object {
  const auth = parseIdAuth(bytes);
  return {
    idKeyDigest: formatHex(sha384(auth.idPublicKey)),
    ...(!hasNoAuthor(auth) && { authorKeyDigest: formatHex(sha384(auth.authorPublicKey)) }),
  };
}

async function collectStructures(given: Given): Promise<Structure[]> {
  const structures: Structure[] = [];
  for (const file of given.arguments(0)) structures.push(...(await readStructures(file)));
  for (const [kind, option] of [
    ["id-block", "idBlock"],
    ["id-auth", "idAuth"],
  ] as const) {
    const file = given.text(option);
    if (file !== undefined) structures.push(await readStructureOf(kind, file));
    const same = structures.filter((found) => found.kind === kind);
    // The same structure in binary and in base64, as make writes them, is one.
    if (same.some(({ bytes }) => !equalBytes(bytes, same[0]?.bytes ?? bytes)))
      throw usage(
        `several files hold ${kind === "id-block" ? "ID blocks" : "ID auths"} that differ`,
        "verify each identity alone",
      );
  }
  if (structures.length === 0)
    throw usage("there is nothing to verify", "give the files of the ID block and the ID auth");
  return structures;
}

async function readExpectations(given: Given): Promise<IdentityExpectations> {
  const digest = given.text("launchDigest") ?? given.text("measurement");
  const policy = given.text("policy");
  const identifier = (flag: string, text: string | undefined): Uint8Array | undefined =>
    text === undefined ? undefined : readIdentifier(flag, text);
  const svn = given.unsigned("guestSvn", 0xffff_ffffn) ?? given.unsigned("svn", 0xffff_ffffn);
  const launchDigest =
    digest === undefined ? undefined : await readLaunchDigest("--launch-digest", "sha384", digest);
  if (launchDigest !== undefined) refuseZero("--launch-digest", launchDigest);
  return {
    launchDigest,
    policy: policy === undefined ? undefined : readPolicy("--policy", "snp", policy),
    familyId: identifier("--family-id", given.text("familyId")),
    imageId: identifier("--image-id", given.text("imageId")),
    guestSvn: svn === undefined ? undefined : Number(svn),
    idKeyDigest: await readKeyDigest(given, "id"),
    authorKeyDigest: await readKeyDigest(given, "author"),
  };
}

async function readKeyDigest(given: Given, role: "id" | "author"): Promise<Sha384 | undefined> {
  const [file, text] = [given.text(`${role}Key`), given.text(`${role}KeyDigest`)];
  if (file !== undefined && text !== undefined)
    throw usage(`--${role}-key and --${role}-key-digest are both given`, "give the key or its digest");
  if (file !== undefined) return keyDigest(await readPublicKey(file));
  if (text === undefined) return undefined;
  const flag = `--${role}-key-digest`;
  const digest = tryDigest(flag, text);
  refuseZero(flag, digest);
  return digest;
}

function tryDigest(flag: string, text: string): Sha384 {
  try {
    return parseDigest("sha384", text);
  } catch (error) {
    if (error instanceof ParseError) throw badValue(flag, "96 hex digits or base64 (SHA-384)", text);
    throw error;
  }
}
