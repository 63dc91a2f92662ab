/**
 * Reads a watcher's configuration and the files that it names: policy, witnesses, secrets.
 * @module
 */
import { dirname, resolve } from "node:path";

import { readYamlAs } from "@bootproof/builder";
import { formatVkey, parseBase64, utf8 } from "@bootproof/bytes";
import { parseLogPolicy, type LogPolicy } from "@bootproof/log";
import * as v from "valibot";

import { reading } from "../errors/to-failure.ts";
import type { Context } from "../frame/context.ts";
import { EXIT } from "../frame/exit-code.ts";
import { Failure } from "../frame/failure.ts";
import { readInput, readInputText } from "../frame/files.ts";
import { type Given, usage } from "../frame/given.ts";
import { readVkey } from "../places/log-place.ts";
import { readPolicy } from "../releasing/policy-file.ts";
import {
  watchSchema,
  type WrittenConfig,
  type WrittenLog,
  type WrittenSecret,
  type WrittenSinks,
} from "./config-schema.ts";
import type { SinksConfig, WatchConfig, WatchedLog } from "./watch-config.ts";

const MAX_CONFIG = 2 ** 20;
const MAX_SECRET = 8192;
const HINT = "docs/how-to/watch-a-log.md shows a whole one";

/** The configuration named by `--config`, or made of flags. */
export async function readWatchConfig(context: Context, given: Given): Promise<WatchConfig> {
  const file = given.text("config");
  const flags = ["log", "vkey", "name", "policy", "witnesses"].filter((name) => given.has(name));
  if (file !== undefined && flags.length > 0)
    throw usage(`--config says what --${flags[0] ?? ""} would`, "write it into the configuration");
  const written =
    file === undefined ? await fromFlags(given) : await fromFile(resolve(context.cwd, file), file);
  const folder = file === undefined ? context.cwd : dirname(resolve(context.cwd, file));
  const state = given.text("state");
  const config = await complete(context, written, { folder, file: file ?? "the command line" });
  const json = context.options.json ? ({ stdout: "json" } as const) : {};
  return {
    ...config,
    ...(state === undefined ? {} : { state: resolve(context.cwd, state) }),
    alerts: { ...config.alerts, ...json },
  };
}

async function fromFile(path: string, shown: string): Promise<WrittenConfig> {
  const read = readYamlAs(watchSchema, await readInputText(path, MAX_CONFIG), shown);
  if (read.ok) return { state: path.replace(/\.ya?ml$/, "") + ".state", ...read.value };
  throw invalid(shown, read.issues);
}

async function fromFlags(given: Given): Promise<WrittenConfig> {
  const log = given.text("log");
  const [vkey, names, policy, witnesses] = [
    given.text("vkey"),
    given.list("name"),
    given.text("policy"),
    given.text("witnesses"),
  ];
  if (log === undefined || vkey === undefined || names.length === 0)
    throw usage("what to watch is missing", "--config FILE, or at least --log URL --vkey KEY --name 'NAME*'");
  const plain = {
    logs: [
      { log, key: (await readVkey(vkey)).split("\n"), ...(witnesses === undefined ? {} : { witnesses }) },
    ],
    names: names.includes("any") ? "any" : names,
    state: given.text("state") ?? "watch.state",
    ...(policy === undefined ? {} : { policy }),
  };
  const parsed = v.safeParse(watchSchema, plain);
  if (parsed.success) return parsed.output;
  throw usage(parsed.issues.map((issue) => `${v.getDotPath(issue) ?? ""}: ${issue.message}`).join("; "));
}

interface Where {
  /** Relative paths start here. */
  readonly folder: string;
  readonly file: string;
}

async function complete(context: Context, written: WrittenConfig, where: Where): Promise<WatchConfig> {
  const at = (path: string): string => resolve(where.folder, path);
  const { names, revoked, every, staleAfter, unreadableAfter, witnessAfter, confirmedWithin } = written;
  const policy = written.policy === undefined ? undefined : await readPolicy(at(written.policy));
  if (confirmedWithin !== undefined && (policy === undefined || policy.rebuilds === "any"))
    throw invalid(where.file, [
      "confirmedWithin: needs a policy whose rebuilds say whose confirmations count",
    ]);
  const rule = policy?.rebuilds === "any" ? undefined : policy?.rebuilds;
  return {
    state: at(written.state ?? "watch.state"),
    logs: await Promise.all(written.logs.map((log) => watchedLog(log, where))),
    names,
    publishers: policy?.publishers ?? [],
    revoked: revoked ?? [],
    confirmations:
      rule === undefined || confirmedWithin === undefined ? undefined : { rule, within: confirmedWithin },
    every,
    staleAfter,
    unreadableAfter,
    witnessAfter,
    alerts: await sinks(context, written.alerts, at),
  };
}

async function watchedLog(
  { log, key: [first, ...others], witnesses }: WrittenLog,
  { folder, file }: Where,
): Promise<WatchedLog> {
  if (first === undefined) throw invalid(file, ["logs: a log without a key"]);
  const place = /^https?:\/\//.test(log) ? log : resolve(folder, log);
  const watched = { place, keys: [first, ...others] } as const;
  if (witnesses === undefined) return { ...watched, witnesses: undefined };
  const policyFile = resolve(folder, witnesses);
  const bytes = await readInput(policyFile, MAX_CONFIG);
  const policy: LogPolicy = reading(policyFile, () => parseLogPolicy(bytes));
  const known = watched.keys.map(formatVkey);
  if (policy.logs.length > 0 && !policy.logs.some(({ vkey }) => known.includes(formatVkey(vkey))))
    throw invalid(policyFile, [`the policy is for other logs than ${first.name}`]);
  return { ...watched, witnesses: policy };
}

async function sinks(
  context: Context,
  written: WrittenSinks,
  at: (path: string) => string,
): Promise<SinksConfig> {
  const { stdout, webhooks = [], feed, exec = [] } = written;
  return {
    stdout,
    webhooks: await Promise.all(
      webhooks.map(async ({ url, timeout, secret }) => ({
        url,
        timeout,
        secret: secret === undefined ? undefined : await readSecret(context, secret, at),
      })),
    ),
    feed: feed === undefined ? undefined : { ...feed, link: feed.link, file: at(feed.file) },
    exec: exec.map(({ command, timeout }) => ({ command: [command[0] ?? "", ...command.slice(1)], timeout })),
  };
}

/** The bytes of a secret: of `whsec_` and base64 what that stands for (Standard Webhooks), else the text itself. */
async function readSecret(
  { env }: Context,
  secret: WrittenSecret,
  at: (path: string) => string,
): Promise<Uint8Array> {
  const name = "file" in secret ? at(secret.file) : `environment variable ${secret.env}`;
  const text = (
    "file" in secret ? await readInputText(at(secret.file), MAX_SECRET) : (env[secret.env] ?? "")
  ).trim();
  const bytes = text.startsWith("whsec_")
    ? reading(name, () => parseBase64(text.slice(6), "secret"))
    : utf8(text);
  if (bytes.length >= 16) return bytes;
  throw new Failure("BP-WATCH-003", EXIT.badConfig, "a webhook's secret is missing or too short", {
    file: name,
    expected: "at least 16 bytes, such as: openssl rand -hex 32",
    found: `${String(bytes.length)} bytes`,
  });
}

function invalid(file: string, issues: readonly string[]): Failure {
  return new Failure("BP-WATCH-001", EXIT.badConfig, issues.join("\n"), { file, issues, hint: HINT });
}
