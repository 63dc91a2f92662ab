/**
 * Makes and runs a witness.
 * @module
 */
import { parseVkey } from "@bootproof/bytes";
import { type RunningServer, serveWitness } from "@bootproof/service/witness";

import { reading } from "../errors/to-failure.ts";
import type { Context } from "../frame/context.ts";
import { EXIT, type ExitCode } from "../frame/exit-code.ts";
import { Failure } from "../frame/failure.ts";
import { errno } from "../frame/files.ts";
import { badValue, type Given } from "../frame/given.ts";
import { readVkey } from "../places/log-place.ts";
import { addKnownLog, createWitness, WitnessPlace } from "../places/witness-place.ts";
import { formatFields } from "../report/table.ts";
import { parseSignerSpec, resolveSpec } from "../signing/signer-spec.ts";

/** Makes a witness with new keys. */
export async function init(context: Context, given: Given): Promise<ExitCode> {
  const folder = given.text("dir") ?? "";
  const spec = given.text("key");
  const key = spec === undefined ? undefined : resolveSpec(parseSignerSpec(spec, "--key"), context.cwd);
  const asked = { name: given.text("name"), mlDsa: given.flag("mlDsa"), key };
  const vkeys = await createWitness(folder, asked, context.env);
  const fields = [["witness", folder], ...vkeys.map((vkey) => ["key", vkey])] as [string, string][];
  await context.answer(formatFields(fields), { schema: "bootproof/witness/1", witness: folder, vkeys });
  return EXIT.yes;
}

/** Adds a log to those that the witness knows. */
export async function addLog(context: Context, given: Given): Promise<ExitCode> {
  const vkey = await readVkey(given.argument(0));
  reading("the log's key", () => parseVkey(vkey));
  const origin = await addKnownLog(given.text("dir") ?? "", vkey, given.text("origin"));
  await context.answer(`${origin}\n`, { schema: "bootproof/witness-log/1", origin, vkey });
  return EXIT.yes;
}

/** Serves until it is interrupted. */
export async function serve(context: Context, given: Given): Promise<ExitCode> {
  const address = readAddress(given.text("listen") ?? "");
  if (context.options.offline)
    throw new Failure("BP-NET-001", EXIT.unavailable, "a witness cannot be served with --offline");
  const place = await WitnessPlace.open(given.text("dir") ?? "", (line) => context.note(line), context.env);
  const server = await listen(context, place, address);
  const vkeys = place.signers.map(({ vkey }) => vkey);
  const logs = [...(await place.logs()).keys()];
  const fields = [
    ["listening on", server.url],
    ["knows", `${String(logs.length)} logs`],
    ...vkeys.map((vkey) => ["key", vkey]),
  ] as [string, string][];
  context.say(formatFields(fields), { schema: "bootproof/witness-serve/1", url: server.url, vkeys, logs });
  await interrupted(context.signal);
  await server.stop();
  return EXIT.yes;
}

async function listen(
  context: Context,
  place: WitnessPlace,
  address: { readonly host: string; readonly port: number },
): Promise<RunningServer> {
  try {
    return await serveWitness(
      {
        witness: () => place.witness(),
        originOf: (hash) => place.originOf(hash),
        report: (line) => context.note(line),
      },
      address,
    );
  } catch (error) {
    const found = errno(error) ?? (error instanceof Error ? error.message : String(error));
    throw new Failure("BP-NET-003", EXIT.unavailable, "cannot listen at this address", {
      found: `${address.host}:${String(address.port)}: ${found}`,
      cause: error,
    });
  }
}

function readAddress(text: string): { host: string; port: number } {
  const [, bracketed, plain, digits = ""] = /^(?:\[([^\]]+)\]|([^:]+)):([0-9]{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  if (host === undefined || port > 65_535)
    throw badValue("--listen", "HOST:PORT, such as 127.0.0.1:7380", text);
  return { host, port };
}

function interrupted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
