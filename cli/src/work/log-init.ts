/**
 * Starts a log.
 * @module
 */
import type { Context } from "../frame/context.ts";
import { EXIT, type ExitCode } from "../frame/exit-code.ts";
import type { Given } from "../frame/given.ts";
import { createLog, privateFolder } from "../places/log-place.ts";
import { readWitnessing } from "../places/log-witnesses.ts";
import { formatFields } from "../report/table.ts";
import { parseSignerSpec, resolveSpec } from "../signing/signer-spec.ts";

/** Starts an empty log. */
export async function init(context: Context, given: Given): Promise<ExitCode> {
  const folder = given.text("log") ?? "";
  const witnessing = await readWitnessing(context, given.text("policy"));
  const key = given.text("key");
  const asked = {
    origin: given.text("origin"),
    objects: given.text("objects"),
    privateStore: given.text("privateStore"),
    ...(key === undefined ? {} : { key: resolveSpec(parseSignerSpec(key, "--key"), context.cwd) }),
  };
  const { signer, close } = await createLog(folder, asked, witnessing);
  await close();
  const fields = [
    ["log", folder],
    ["private state", privateFolder(folder)],
    ["key", signer.vkey],
  ] as const;
  await context.answer(formatFields(fields), {
    schema: "bootproof/log/1",
    log: folder,
    origin: signer.name,
    vkey: signer.vkey,
  });
  return EXIT.yes;
}
