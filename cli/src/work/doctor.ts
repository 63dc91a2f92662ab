/**
 * Tries what a build needs of this machine.
 * @module
 */
import { stat } from "node:fs/promises";

import { checkHost, findMirrors, MIRROR_VARIABLE, type HostCheck } from "@bootproof/builder";

import { toFailure } from "../errors/to-failure.ts";
import type { Context } from "../frame/context.ts";
import { EXIT, type ExitCode } from "../frame/exit-code.ts";
import { openStore, storePath } from "../places/store-place.ts";
import { paint } from "../report/paint.ts";
import { oneLine } from "../report/printable.ts";
import { defaultKeyFile } from "../signing/default-key.ts";

// A mirror that takes longer than this to answer for one small file makes every build wait.
const MIRROR_MS = 5000;
const PAINTS = { ok: "green", warn: "yellow", fail: "red" } as const;

/** Examines the machine and prints what was found. */
export async function doctor(context: Context): Promise<ExitCode> {
  const checks = await context.progress.during("try what a build needs", () => examine(context));
  const failed = checks.some(({ state }) => state === "fail");
  const answer = failed ? "no" : "yes";
  await context.answer(formatChecks(checks, context.color), { schema: "bootproof/doctor/1", answer, checks });
  return failed ? EXIT.no : EXIT.yes;
}

async function examine(context: Context): Promise<HostCheck[]> {
  return [
    checkNode(),
    await checkStore(context),
    ...(await checkHost(storePath(context))),
    await checkMirror(context),
    await checkKey(context),
  ];
}

function checkNode(): HostCheck {
  const found = process.versions.node;
  if (Number(found.split(".")[0]) >= 24) return { name: "node", state: "ok", found };
  const why = "bootproof runs its own Node 24, installed with it";
  return { name: "node", state: "fail", found, why, fix: "npm ci" };
}

/** Whether the store can be made, written and read back. */
async function checkStore(context: Context): Promise<HostCheck> {
  const path = storePath(context);
  try {
    const store = await openStore(context);
    await store.refs.set("doctor/probe", new Date(0).toISOString());
    await store.refs.delete("doctor/probe");
    return { name: "store", state: "ok", found: path };
  } catch (error) {
    const { message } = toFailure(error);
    const why = "inputs and results are kept there";
    return {
      name: "store",
      state: "fail",
      found: message,
      why,
      fix: "name one you may write: export BOOTPROOF_STORE=DIR",
    };
  }
}

async function checkMirror({ options, env, signal }: Context): Promise<HostCheck> {
  const name = "mirror";
  const why = "a first build fetches packages and sources by hash";
  const mirrors = (await findMirrors({ env })).flatMap((mirror) =>
    mirror.kind === "archive" ? [mirror.url] : [],
  );
  const fix = `export ${MIRROR_VARIABLE}=URL (a mirror of the Debian archive)`;
  if (mirrors.length === 0) return { name, state: "warn", found: "none configured", why, fix };
  if (options.offline) return { name, state: "ok", found: `${mirrors[0] ?? ""}, not tried (--offline)` };
  for (const url of mirrors) {
    const timeout = AbortSignal.any([signal, AbortSignal.timeout(MIRROR_MS)]);
    const response = await fetch(`${url}/dists/stable/InRelease`, { method: "HEAD", signal: timeout }).catch(
      () => undefined,
    );
    if (response?.ok === true) return { name, state: "ok", found: `${url} answers` };
  }
  return { name, state: "warn", found: `no answer from ${mirrors.join(", ")}`, why, fix };
}

async function checkKey({ env }: Context): Promise<HostCheck> {
  const file = defaultKeyFile(env);
  const found = await stat(file).catch(() => undefined);
  const name = "signing key";
  if (found === undefined) return { name, state: "ok", found: `none yet; made on first use: ${file}` };
  if ((found.mode & 0o077) === 0) return { name, state: "ok", found: file };
  const why = "whoever reads it can sign as you";
  return { name, state: "warn", found: `${file} can be read by others`, why, fix: `chmod 600 ${file}` };
}

function formatChecks(checks: readonly HostCheck[], color: boolean): string {
  const width = Math.max(...checks.map(({ name }) => name.length));
  return checks
    .map(({ name, state, found, why, fix }) => {
      const line = `${paint(state.padEnd(4), PAINTS[state], color)}  ${name.padEnd(width)}  ${oneLine(found)}\n`;
      const indent = " ".repeat(width + 8);
      const reason = why === undefined ? "" : `${indent}why: ${oneLine(why)}\n`;
      return line + reason + (fix === undefined ? "" : `${indent}fix: ${oneLine(fix)}\n`);
    })
    .join("");
}
