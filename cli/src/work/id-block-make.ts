/**
 * Makes an ID block and its ID auth.
 * @module
 */
import { join } from "node:path";

import { formatBase64, formatHex, sha384 } from "@bootproof/bytes";
import { ecdsaPublicKey, ecdsaSign } from "@bootproof/bytes/ecdsa";
import type { MeasureWarning } from "@bootproof/measure";
import {
  decodeGuestPolicy,
  DEFAULT_GUEST_POLICY,
  encodeIdBlock,
  ID_BLOCK_VERSION,
  type IdBlock,
  type Identity,
  idKeyToSign,
  joinIdentity,
  parseIdBlock,
  type SignedBy,
} from "@bootproof/measure/identity";

import type { Context } from "../frame/context.ts";
import { EXIT, type ExitCode } from "../frame/exit-code.ts";
import { writeAnswer } from "../frame/files.ts";
import { makeFolder } from "../frame/folders.ts";
import { type Given, usage } from "../frame/given.ts";
import { shellWord } from "../frame/typed.ts";
import { idBlockDocument, idBlockFields } from "../identity/id-block-fields.ts";
import { readPrivateKey, readPublicKey } from "../identity/pem-keys.ts";
import { readIdentifier } from "../identity/read-identifier.ts";
import { readLaunchDigest } from "../identity/read-launch-digest.ts";
import { readPolicy } from "../identity/read-policy.ts";
import { readSignatureFile } from "../identity/read-signature.ts";
import { readStructureOf } from "../identity/read-structure.ts";
import { formatFields } from "../report/table.ts";

const FIELDS = ["launchDigest", "measurement", "policy", "familyId", "imageId", "guestSvn", "svn"];

/** Makes an identity, or writes what has to be signed for one. */
export async function make(context: Context, given: Given): Promise<ExitCode> {
  const block = await readBlock(given);
  for (const { code, message } of warningsOf(block)) context.note(`warning: ${message} (${code})`);
  const folder = given.text("toSign");
  if (folder !== undefined) return await writeToSign(context, given, block, folder);

  const id = await readSigner(given, "id", encodeIdBlock(block));
  if (id === undefined)
    throw usage("there is no ID key", "give --id-key, or --id-public-key and --id-signature, or --to-sign");
  const author = await readSigner(given, "author", idKeyToSign(id.publicKey));
  await answer(context, given, block, joinIdentity(block, id, author));
  return EXIT.yes;
}

function warningsOf({ policy, launchDigest }: IdBlock): MeasureWarning[] {
  const { warnings } = decodeGuestPolicy(policy);
  if (launchDigest.some((byte) => byte !== 0)) return [...warnings];
  return [...warnings, { code: "BP-ID-108", message: "the launch digest is all zero: no guest has it" }];
}

async function readBlock(given: Given): Promise<IdBlock> {
  const file = given.text("idBlock");
  if (file !== undefined) {
    if (FIELDS.some((name) => given.text(name) !== undefined))
      throw usage("--id-block and fields of an ID block are both given", "the file has all the fields");
    return parseIdBlock((await readStructureOf("id-block", file)).bytes);
  }
  const digest = given.text("launchDigest") ?? given.text("measurement");
  if (digest === undefined)
    throw usage(
      "there is no launch digest",
      "give --launch-digest: hex, base64, or the file that measure wrote",
    );
  const svn = given.unsigned("guestSvn", 0xffff_ffffn) ?? given.unsigned("svn", 0xffff_ffffn) ?? 0n;
  const policy = given.text("policy");
  return {
    launchDigest: await readLaunchDigest("--launch-digest", "sha384", digest),
    familyId: readIdentifier("--family-id", given.text("familyId")),
    imageId: readIdentifier("--image-id", given.text("imageId")),
    version: ID_BLOCK_VERSION,
    guestSvn: Number(svn),
    policy: policy === undefined ? DEFAULT_GUEST_POLICY : readPolicy("--policy", "snp", policy),
  };
}

/** A private key's file: under our name of the option, or under the one of snp-create-id-block. */
const keyFile = (given: Given, role: "id" | "author"): string | undefined =>
  given.text(`${role}Key`) ?? given.text(`${role}key`);

/** The signature of `message`, made here with a private key or elsewhere. */
async function readSigner(
  given: Given,
  role: "id" | "author",
  message: Uint8Array,
): Promise<SignedBy | undefined> {
  const privateFile = keyFile(given, role);
  const publicFile = given.text(`${role}PublicKey`);
  const signatureFile = given.text(`${role}Signature`);
  if (privateFile !== undefined) {
    if (publicFile !== undefined || signatureFile !== undefined)
      throw usage(`--${role}-key and a signature made elsewhere are both given`, "one of them is enough");
    const key = await readPrivateKey(privateFile);
    return { publicKey: ecdsaPublicKey("P-384", key), signature: ecdsaSign("P-384", key, message) };
  }
  if (publicFile === undefined && signatureFile === undefined) return undefined;
  if (publicFile === undefined || signatureFile === undefined)
    throw usage(`--${role}-public-key and --${role}-signature belong together`, "give both");
  return { publicKey: await readPublicKey(publicFile), signature: await readSignatureFile(signatureFile) };
}

interface ToSign {
  readonly signer: string;
  readonly file: string;
  readonly bytes: Uint8Array;
}

async function writeToSign(
  context: Context,
  given: Given,
  block: IdBlock,
  folder: string,
): Promise<ExitCode> {
  const parts: ToSign[] = [
    { signer: "ID key", file: join(folder, "id-block.bin"), bytes: encodeIdBlock(block) },
  ];
  const publicFile = given.text("idPublicKey") ?? keyFile(given, "id");
  if (publicFile !== undefined)
    parts.push({
      signer: "author key",
      file: join(folder, "id-key.bin"),
      bytes: idKeyToSign(await readPublicKey(publicFile)),
    });
  for (const { file, bytes } of parts) await write(file, bytes);
  const rows = parts.map(
    ({ signer, file, bytes }) => `${file}\n  ${signer} signs it, ECDSA P-384 with SHA-384
  sha384 ${formatHex(sha384(bytes))}\n`,
  );
  context.say(rows.join(""), {
    schema: "bootproof/id-block-to-sign/1",
    ...idBlockDocument(block),
    toSign: parts.map(({ signer, file, bytes }) => ({
      signer,
      file,
      size: bytes.length,
      sha384: formatHex(sha384(bytes)),
      base64: formatBase64(bytes),
    })),
    warnings: warningsOf(block),
  });
  return EXIT.yes;
}

async function answer(context: Context, given: Given, block: IdBlock, identity: Identity): Promise<void> {
  const { idKeyDigest, authorKeyDigest } = identity;
  const base64 = { idBlock: formatBase64(identity.idBlock), idAuth: formatBase64(identity.idAuth) };
  const files = await writeFiles(context, given, identity, base64);
  const shown = (kind: "idBlock" | "idAuth"): string => {
    const file = files.find((written) => written.kind === kind && written.base64)?.path;
    return file === undefined ? base64[kind] : `"$(cat ${shellWord(file)})"`;
  };
  const policy = `0x${block.policy.toString(16)}`;
  const author = authorKeyDigest === undefined ? "" : ",author-key-enabled=on";
  const qemu = (idBlock: string, idAuth: string): string =>
    `-object sev-snp-guest,id=sev0,cbitpos=51,reduced-phys-bits=1,policy=${policy}${author},id-block=${idBlock},id-auth=${idAuth}`;
  const fields: [string, string][] = [
    ...idBlockFields(block),
    ["ID key digest", formatHex(idKeyDigest)],
    ["author key digest", authorKeyDigest === undefined ? "none" : formatHex(authorKeyDigest)],
    ...files.map(({ kind, path }): [string, string] => [kind === "idBlock" ? "ID block" : "ID auth", path]),
  ];
  context.say(`${formatFields(fields)}\n${qemu(shown("idBlock"), shown("idAuth"))}\n`, {
    schema: "bootproof/id-block/1",
    ...idBlockDocument(block),
    ...base64,
    idKeyDigest: formatHex(idKeyDigest),
    ...(authorKeyDigest && { authorKeyDigest: formatHex(authorKeyDigest) }),
    authorKeyEnabled: authorKeyDigest !== undefined,
    qemu: qemu(base64.idBlock, base64.idAuth),
    files: files.map(({ path }) => path),
    warnings: warningsOf(block),
  });
}

interface Written {
  readonly kind: "idBlock" | "idAuth";
  readonly path: string;
  readonly base64: boolean;
}

async function writeFiles(
  context: Context,
  given: Given,
  identity: Identity,
  base64: Readonly<Record<"idBlock" | "idAuth", string>>,
): Promise<Written[]> {
  const files: Written[] = [];
  const folder = context.options.out;
  for (const [kind, name, option] of [
    ["idBlock", "id-block", "idFile"],
    ["idAuth", "id-auth", "authFile"],
  ] as const) {
    const path = given.text(option);
    if (path !== undefined) files.push({ kind, path, base64: true });
    if (folder === undefined) continue;
    files.push({ kind, path: join(folder, `${name}.base64`), base64: true });
    files.push({ kind, path: join(folder, `${name}.bin`), base64: false });
  }
  for (const { kind, path, base64: text } of files)
    await write(path, text ? `${base64[kind]}\n` : identity[kind]);
  return files;
}

async function write(file: string, content: string | Uint8Array): Promise<void> {
  await makeFolder(file);
  await writeAnswer(file, content);
}
