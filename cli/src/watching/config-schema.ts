/**
 * The form of `watch.yaml`: every key is known, every value has its form, and a mistake is named with its place.
 * @module
 */
import { strictKeys, yamlText, yamlWord } from "@bootproof/builder";
import type { Vkey } from "@bootproof/bytes";
import { namespaces, ruleList, signingKey } from "@bootproof/verify";
import * as v from "valibot";

import { duration } from "./duration.ts";

const TEXT = /^[^\p{Cc}]{1,4096}$/u;
const path = yamlText(TEXT, "a path");
const word = yamlText(TEXT, "text without control characters");

/** Requests and programs that take longer hold up all that come after them. */
const timeout = v.pipe(duration, v.maxValue(600, "expected at most 10 minutes: 10m"));

const url = (schemes: RegExp, what: string) =>
  v.pipe(
    yamlText(TEXT, what),
    v.check((text) => URL.canParse(text) && schemes.test(new URL(text).protocol), `expected ${what}`),
    v.check(
      (text) => !URL.canParse(text) || new URL(text).password === "",
      "expected no password in the URL",
    ),
  );

const oneKey = signingKey("the log's");
const keys = v.pipe(
  v.lazy((input): v.GenericSchema<unknown, Vkey[]> =>
    Array.isArray(input)
      ? ruleList(oneKey, ({ publicKey }) => publicKey.join())
      : v.pipe(
          oneKey,
          v.transform((key) => [key]),
        ),
  ),
  v.check((all) => new Set(all.map(({ name }) => name)).size === 1, "expected keys of one name"),
);

const log = strictKeys({
  log: path,
  key: keys,
  witnesses: v.optional(path),
});

const secret = v.union(
  [
    strictKeys({ file: path }),
    strictKeys({ env: yamlText(/^[A-Za-z_][A-Za-z0-9_]*$/, "a variable's name") }),
  ],
  "expected {file: PATH} or {env: NAME}",
);

const webhook = v.pipe(
  strictKeys({
    url: url(/^https?:$/, "an https or http URL"),
    allowHttp: v.optional(v.boolean("expected true or false"), false),
    secret: v.optional(secret),
    timeout: v.optional(timeout, "10s"),
  }),
  v.check(
    (given) => given.allowHttp || !given.url.startsWith("http:"),
    "what is sent over http can be read and changed on its way; to accept that, write allowHttp: true",
  ),
);

const exec = strictKeys({
  command: v.pipe(
    v.array(word, "expected a list: the program and its arguments"),
    v.minLength(1, "expected at least the program"),
    v.maxLength(256, "expected at most 256 arguments"),
  ),
  timeout: v.optional(timeout, "30s"),
});

const feed = strictKeys({
  file: path,
  title: v.optional(word, "Bootproof alerts"),
  link: v.optional(url(/^https?:$/, "an https or http URL")),
  entries: v.optional(
    v.pipe(
      v.number("expected a number"),
      v.safeInteger("expected a whole number"),
      v.minValue(1, "expected at least 1"),
      v.maxValue(1000, "expected at most 1000"),
    ),
    100,
  ),
});

const sinks = strictKeys({
  stdout: v.optional(yamlWord(["text", "json", "none"]), "text"),
  webhooks: v.optional(ruleList(webhook, (one) => one.url)),
  feed: v.optional(feed),
  exec: v.optional(ruleList(exec, (one) => JSON.stringify(one.command))),
});

/** One log, as it is written. */
export interface WrittenLog {
  readonly log: string;
  readonly key: readonly Vkey[];
  readonly witnesses?: string | undefined;
}

/** Where a secret is. */
export type WrittenSecret = { readonly file: string } | { readonly env: string };

/** A webhook, as it is written. */
export interface WrittenWebhook {
  readonly url: string;
  readonly secret?: WrittenSecret | undefined;
  readonly timeout: number;
}

/** A program, as it is written. */
export interface WrittenExec {
  readonly command: readonly string[];
  readonly timeout: number;
}

/** Who hears of alerts, as it is written. */
export interface WrittenSinks {
  readonly stdout: "text" | "json" | "none";
  readonly webhooks?: readonly WrittenWebhook[] | undefined;
  readonly feed?:
    | {
        readonly file: string;
        readonly title: string;
        readonly link?: string | undefined;
        readonly entries: number;
      }
    | undefined;
  readonly exec?: readonly WrittenExec[] | undefined;
}

/** A configuration as it is written, defaults filled in; times are seconds. */
export interface WrittenConfig {
  readonly logs: readonly WrittenLog[];
  readonly names: readonly string[] | "any";
  readonly policy?: string | undefined;
  readonly revoked?: readonly Vkey[] | undefined;
  readonly confirmedWithin?: number | undefined;
  readonly state?: string | undefined;
  readonly every: number;
  readonly staleAfter: number;
  readonly unreadableAfter: number;
  readonly witnessAfter: number;
  readonly alerts: WrittenSinks;
}

/** The schema of a watcher's configuration, as YAML gives it. */
export const watchSchema: v.GenericSchema<unknown, WrittenConfig> = strictKeys({
  logs: ruleList(log, (one) => one.log),
  names: namespaces,
  policy: v.optional(path),
  revoked: v.optional(ruleList(signingKey("a revoked"), (key) => key.name + key.keyId)),
  confirmedWithin: v.optional(duration),
  state: v.optional(path),
  every: v.optional(duration, "1m"),
  staleAfter: v.optional(duration, "24h"),
  unreadableAfter: v.optional(duration, "1h"),
  witnessAfter: v.optional(duration, "1h"),
  alerts: v.optional(sinks, {}),
});
