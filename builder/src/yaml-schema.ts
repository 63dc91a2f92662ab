/**
 * A YAML text held against a valibot schema; every problem becomes one line
 * `file:line:column: path: what`, with the nearest known key when a key is not known.
 * @module
 */
import * as v from "valibot";
import { nearestWord } from "./suggestion.ts";
import { readYaml, type YamlPath, type YamlValue } from "./yaml.ts";

/** The value of a YAML text, or the lines that say what is wrong with it. */
export type YamlReading<T> =
  | { readonly ok: true; readonly value: T; readonly place: YamlValue["place"] }
  | { readonly ok: false; readonly kind: "syntax" | "shape"; readonly issues: readonly string[] };

/** A problem that a schema cannot see, at the place that it concerns. */
export interface Inconsistency {
  readonly path: YamlPath;
  readonly message: string;
}

/** Reads `text` as YAML and holds it against `schema`; `file` only names it in the issues. */
export function readYamlAs<T>(
  schema: v.GenericSchema<unknown, T>,
  text: string,
  file: string,
): YamlReading<T> {
  const yaml = readYaml(text);
  if (!("value" in yaml)) {
    const issues = yaml.map(({ line, column, message }) => `${file}:${line}:${column}: ${message}`);
    return { ok: false, kind: "syntax", issues };
  }
  const parsed = v.safeParse(schema, yaml.value);
  if (parsed.success) return { ok: true, value: parsed.output, place: (path, key) => yaml.place(path, key) };
  return { ok: false, kind: "shape", issues: parsed.issues.map((issue) => formatIssue(issue, yaml, file)) };
}

function formatIssue(issue: v.BaseIssue<unknown>, yaml: YamlValue, file: string): string {
  const path = (issue.path ?? []).map((item) => item.key as string | number);
  const { line, column } = yaml.place(path, isUnknownKey(issue) || issue.path?.at(-1)?.origin === "key");
  const where = path.length === 0 ? "" : `${path.join(".")}: `;
  return `${file}:${line}:${column}: ${where}${issue.message}`;
}

const isUnknownKey = (issue: v.BaseIssue<unknown>): boolean =>
  issue.type === "strict_object" && issue.expected === "never";

/** Stands for a list where none may be. */
const LIST = (): undefined => undefined;

/** An object with exactly these keys; says which keys are known when one is not. */
export function strictKeys<const E extends v.ObjectEntries>(
  entries: E,
): v.StrictObjectSchema<E, (issue: v.StrictObjectIssue) => string> {
  const schema = v.strictObject(entries, (issue: v.StrictObjectIssue) =>
    describeKeys(issue, Object.keys(entries)),
  );
  return {
    ...schema,
    // To valibot a list is an object too: an empty one has every optional key, and `every`, `keys` and `entries` besides.
    "~run": (dataset, config) => {
      if (!Array.isArray(dataset.value)) return schema["~run"](dataset, config);
      return schema["~run"]({ typed: false, value: LIST }, config);
    },
  };
}

function describeKeys(issue: v.StrictObjectIssue, known: readonly string[]): string {
  if (issue.expected === "Object")
    return `expected a mapping, found ${issue.input === LIST ? "a list" : describe(issue.input)}`;
  if (!isUnknownKey(issue)) return "missing key";
  const key = String(issue.path?.at(-1)?.key);
  const nearest = nearestWord(key, known);
  return nearest === undefined
    ? `unknown key; known here: ${known.join(", ")}`
    : `unknown key; did you mean ${nearest}?`;
}

/** A non-empty string that matches `pattern`, described by `what`. */
export function text(
  pattern: RegExp,
  what: string,
): v.SchemaWithPipe<
  readonly [
    v.StringSchema<(issue: v.StringIssue) => string>,
    v.RegexAction<string, (issue: v.RegexIssue<string>) => string>,
  ]
> {
  return v.pipe(
    v.string((issue) => `expected ${what}, found ${describe(issue.input)}${quoteHint(issue.input)}`),
    v.regex(pattern, (issue) => `expected ${what}, found ${describe(issue.input)}`),
  );
}

/** One of a closed list of words. */
export function word<const W extends readonly string[]>(
  words: W,
): v.PicklistSchema<W, (issue: v.PicklistIssue) => string> {
  return v.picklist(words, (issue) => {
    const nearest = typeof issue.input === "string" ? nearestWord(issue.input, words) : undefined;
    const hint = nearest === undefined ? "" : `; did you mean ${nearest}?`;
    return `expected one of ${words.join(", ")}, found ${describe(issue.input)}${hint}`;
  });
}

/** A value of a YAML text in an error message's words, cut to what fits a line. */
export function describe(value: unknown): string {
  if (value === undefined || value === null) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "a mapping";
  const shown = JSON.stringify(value);
  return `${typeof value === "string" ? "" : `the ${typeof value} `}${shown.length > 60 ? `${shown.slice(0, 57)}...` : shown}`;
}

/** YAML reads `6.12` as a number: says how to write it as text. */
const quoteHint = (input: unknown): string =>
  typeof input === "number" || typeof input === "boolean" ? "; write it in quotes" : "";
