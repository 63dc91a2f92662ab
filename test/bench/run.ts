/**
 * `npm run bench [-- --write] [-- --full]`: how long things take on this machine, side by side with other tools. Prints
 * tables; asserts nothing. With `--write` the tables of docs/benchmarks.md become these. With `--full` a log is grown to a
 * million entries, some minutes more; only then is the table of growth written.
 * @module
 */
import { availableParallelism, loadavg } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { ROOT } from "./image.ts";
import { benchAudit } from "./log-audit.ts";
import { benchGrowth } from "./log/growth.ts";
import { benchLogServers } from "./log/side-by-side.ts";
import { benchNitro } from "./nitro.ts";
import { benchPieces } from "./pieces.ts";
import { benchSnp } from "./snp.ts";
import { formatResults, writeTables, type Table } from "./table.ts";

const { values } = parseArgs({ options: { write: { type: "boolean" }, full: { type: "boolean" } } });
const machine = `Node ${process.versions.node} on ${process.platform} ${process.arch} with ${availableParallelism()} processors, load average ${(loadavg()[0] ?? 0).toFixed(1)} before it`;
const withMachine = (table: Table, how: string): Table => ({
  ...table,
  notes: [`${how}; ${machine}.`, ...table.notes],
});
const snp = await benchSnp();
const tables = [
  { ...snp, notes: [`Medians of one run in which all take turns; ${machine}.`, ...snp.notes] },
  { ...(await benchPieces()), notes: [`Medians of one run; ${machine}.`] },
  withMachine(await benchNitro(), "Medians of 3 rounds in turns"),
  await benchAudit(),
  withMachine(await benchLogServers(), "Medians of 3 rounds in turns"),
];
const growth = withMachine(await benchGrowth(values.full === true), "One run");
for (const table of [...tables, growth]) console.log(`${formatResults(table)}\n`);
const written = values.full === true ? [...tables, growth] : tables;
if (values.write === true) await writeTables(path.join(ROOT, "docs/benchmarks.md"), written);
