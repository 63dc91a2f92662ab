/**
 * The words of recipes: names, paths, URLs, hashes and command lines, as schemas, and lists and mappings of them.
 * @module
 */
import * as v from "valibot";
import { describe, text } from "./yaml-schema.ts";

/** Longest list of a recipe, unless it has its own limit: one hostile recipe must not fill a screen or an action. */
export const MAX_LIST = 256;
const MAX_CMDLINE = 4096;

/** A relative path of plain segments; `.` and `..` do not match because a segment starts otherwise. */
const PLAIN_PATH = /^(?:[A-Za-z0-9_+-][A-Za-z0-9._+~-]*\/){0,32}[A-Za-z0-9_+-][A-Za-z0-9._+~-]*$/;

type Text = ReturnType<typeof text>;

/** The name of a recipe or a component. */
export const nameText: Text = text(
  /^[a-z0-9][a-z0-9.+-]{0,62}$/,
  "a name of lower-case letters, digits and . + -",
);
/** Names of files in /source and of outputs: one path segment, no leading dot. */
export const fileName: Text = text(/^[A-Za-z0-9][A-Za-z0-9._+~-]{0,199}$/, "a file name");
/** A path below the recipe's folder, or below /build. */
export const plainPath: Text = text(PLAIN_PATH, "a relative path without . or .. segments");
/** An output of a component. */
export const componentOutput: Text = text(/^[a-z0-9.+-]+\/[A-Za-z0-9._+~-]+$/, "component/output");
/** Where a file is downloaded from. */
export const urlText: Text = text(/^https?:\/\/[!-~]{1,2000}$/, "an http or https URL");
/** So many hex digits. */
export const hexText = (digits: number): Text =>
  text(new RegExp(`^[0-9a-f]{${digits}}$`), `${digits} lower-case hex digits`);
/** A file's hash. */
export const sha256Text: Text = hexText(64);
/** Printable ASCII: what the kernel sees is what people read, and a line break would end it early. */
export const commandLine: v.GenericSchema<unknown, string> = v.pipe(
  text(/^[\x20-\x7e]+$/, "one line of printable ASCII"),
  v.maxLength(MAX_CMDLINE, `expected at most ${MAX_CMDLINE} characters`),
);

/** A list of `least` to `most` items. */
export function listOf<T>(
  item: v.GenericSchema<unknown, T>,
  most: number,
  least = 1,
): v.GenericSchema<unknown, T[]> {
  return v.pipe(
    v.array(item, (issue) => `expected a list, found ${describe(issue.input)}`),
    v.minLength(least, `expected at least ${least} entry`),
    v.maxLength(most, `expected at most ${most} entries`),
  );
}

/** A mapping with at least one entry. */
export function mapOf<T>(
  key: Text,
  item: v.GenericSchema<unknown, T>,
): v.GenericSchema<unknown, Record<string, T>> {
  return v.pipe(
    v.record(key, item, (issue) => `expected a mapping, found ${describe(issue.input)}`),
    v.minEntries(1, "expected at least 1 entry"),
    v.maxEntries(MAX_LIST, `expected at most ${MAX_LIST} entries`),
  );
}

/** The last segment of a path, also of one that ends in a slash. */
export const lastSegment = (path: string): string =>
  path.split("/").findLast((segment) => segment !== "") ?? "";
/** The file name that a URL ends in. */
export const urlName = (url: string): string => lastSegment(url.replace(/[?#].*$/, ""));
