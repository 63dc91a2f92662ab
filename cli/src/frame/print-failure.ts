/**
 * How a failure is shown: aligned lines for people on stderr, one document for programs on stdout.
 * @module
 */
import { paint } from "../report/paint.ts";
import { printable } from "../report/printable.ts";
import type { Failure } from "./failure.ts";
import { typedHere } from "./typed.ts";

/** How a failure is shown. */
export interface Showing {
  readonly color: boolean;
  /** What to type for `bootproof`. */
  readonly command: string;
}

/** The failure as the lines a person reads, ending with the code to look up. */
export function formatFailure(failure: Failure, { color, command }: Showing): string {
  const { file, offset, expected, found, hint, issues = [] } = failure.detail;
  const place = file === undefined || failure.message.includes(file) ? "" : `${printable(file)}: `;
  const lines = [`bootproof: ${paint("error:", "red", color)} ${place}${printable(failure.message)}`];
  // Some messages list their issues already.
  if (!issues.every((issue) => failure.message.includes(issue)))
    for (const issue of issues) lines.push(`  ${printable(issue)}`);
  if (offset !== undefined) lines.push(`  offset    0x${offset.toString(16)} (${String(offset)})`);
  if (expected !== undefined) lines.push(`  expected  ${printable(expected)}`);
  if (found !== undefined) lines.push(`  found     ${printable(found)}`);
  if (hint !== undefined)
    lines.push(`${paint("hint:", "cyan", color)} ${printable(typedHere(hint, command))}`);
  lines.push(`code: ${failure.code} (${command} explain ${failure.code})`);
  return `${lines.join("\n")}\n`;
}

/** The failure as the one JSON document of `--json`. */
export function failureDocument(failure: Failure, command: string): object {
  const { file, offset, expected, found, issues = [] } = failure.detail;
  const hint = failure.detail.hint === undefined ? undefined : typedHere(failure.detail.hint, command);
  const error = { code: failure.code, message: failure.message, file, offset, expected, found, hint };
  return { error: issues.length > 0 ? { ...error, issues } : error };
}

/** The stacks of the error and of what caused it, for `--verbose`. */
export function formatStacks(error: unknown): string {
  const parts: string[] = [];
  for (let at = error; at instanceof Error && parts.length < 8; at = at.cause)
    parts.push(at.stack ?? at.message);
  return parts.length === 0 ? "" : `${parts.join("\ncaused by: ")}\n`;
}
