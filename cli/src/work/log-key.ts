/**
 * Changes the keys that sign for a log.
 * @module
 */
import { KEY_TYPE } from "@bootproof/bytes";

import type { Context } from "../frame/context.ts";
import { EXIT, type ExitCode } from "../frame/exit-code.ts";
import { badValue, usage, type Given } from "../frame/given.ts";
import { addKey, keyStates, retireKey, type KeyState } from "../places/log-keys.ts";
import { readWitnessing } from "../places/log-witnesses.ts";
import { formatTable } from "../report/table.ts";
import { parseSignerSpec, resolveSpec } from "../signing/signer-spec.ts";

/** Adds a key. */
export async function add(context: Context, given: Given): Promise<ExitCode> {
  const text = given.optionalArgument(0);
  const spec = text === undefined ? undefined : resolveSpec(parseSignerSpec(text), context.cwd);
  const [generate, mlDsa] = [given.flag("generate"), given.flag("mlDsa")];
  if (spec !== undefined && (generate || mlDsa))
    throw usage("a key is either named or made: KEY or --generate");
  const type = mlDsa ? KEY_TYPE.mlDsa44 : generate ? KEY_TYPE.ed25519 : undefined;
  const surroundings = await readWitnessing(context);
  return show(context, await addKey(given.text("log") ?? "", { spec, generate: type }, surroundings));
}

/** Lists the keys. */
export async function list(context: Context, given: Given): Promise<ExitCode> {
  return show(context, await keyStates(given.text("log") ?? "", await readWitnessing(context)));
}

/** Drops a key. */
export async function retire(context: Context, given: Given): Promise<ExitCode> {
  const keyId = given.argument(0);
  if (!/^[0-9a-f]{8}$/.test(keyId))
    throw badValue("the key ID", "8 hex digits, as log key list shows", keyId);
  const surroundings = await readWitnessing(context);
  return show(context, await retireKey(given.text("log") ?? "", keyId, surroundings));
}

const TYPES: Readonly<Record<number, string>> = {
  [KEY_TYPE.ed25519]: "Ed25519",
  [KEY_TYPE.mlDsa44]: "ML-DSA-44",
};

async function show(context: Context, states: readonly KeyState[]): Promise<ExitCode> {
  const rows = states.map(({ keyId, type, signedCheckpoint, signedHead, signer, vkey }) => [
    keyId,
    TYPES[type] ?? "",
    signedCheckpoint ? "signed" : "not yet",
    signedHead ? "signed" : "not yet",
    signer,
    type === KEY_TYPE.mlDsa44 ? "(long: in log.vkey)" : vkey,
  ]);
  const heading = ["id", "type", "checkpoint", "head", "where", "public key"];
  await context.answer(formatTable(rows, heading), { schema: "bootproof/log-keys/1", keys: states });
  return EXIT.yes;
}
