/**
 * Results as a table of Markdown, and its place in the documentation.
 * @module
 */
import { readFile, writeFile } from "node:fs/promises";
import { format, resolveConfig } from "prettier";

/** One table of results. */
export interface Table {
  /** Of its markers: `<!-- bench:NAME -->` to `<!-- /bench:NAME -->`. */
  readonly name: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Sentences below it: versions, what was skipped. */
  readonly notes: readonly string[];
  /** Lines of text below it, shown as they are. */
  readonly plot?: readonly string[];
}

/** Milliseconds as people read them. */
export function milliseconds(value: number): string {
  if (value >= 1000) return `${(value / 1000).toFixed(2)} s`;
  return `${value.toFixed(value < 100 ? 1 : 0)} ms`;
}

/** The table as Markdown. */
export function formatResults({ head, rows, notes, plot }: Table): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const rule = head.map((_, index) => (index === 0 ? "---" : "---:"));
  const table = [line(head), line(rule), ...rows.map(line), ...notes.map((note) => `\n${note}`)];
  return [...table, ...(plot === undefined ? [] : ["\n```text", ...plot, "```"])].join("\n");
}

/** Puts tables between their markers in a file; throws when a marker is missing. */
export async function writeTables(file: string, tables: readonly Table[]): Promise<void> {
  let text = await readFile(file, "utf8");
  for (const table of tables) {
    const [start, end] = [`<!-- bench:${table.name} -->`, `<!-- /bench:${table.name} -->`];
    const [from, to] = [text.indexOf(start), text.indexOf(end)];
    if (from < 0 || to < from) throw new Error(`${file} has no ${start} with ${end} behind it`);
    text = `${text.slice(0, from + start.length)}\n\n${formatResults(table)}\n\n${text.slice(to)}`;
  }
  await writeFile(file, await format(text, { ...(await resolveConfig(file)), filepath: file }));
}
