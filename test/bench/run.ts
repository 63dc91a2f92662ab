/**
 * `npm run bench [-- --write]`: how long things take on this machine, side by side with other tools. Prints tables;
 * asserts nothing. With `--write` the tables of docs/benchmarks.md become these.
 * @module
 */
import { availableParallelism, loadavg } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { ROOT } from "./image.ts";
import { benchAudit } from "./log-audit.ts";
import { benchPieces } from "./pieces.ts";
import { benchSnp } from "./snp.ts";
import { formatResults, writeTables } from "./table.ts";

const { values } = parseArgs({ options: { write: { type: "boolean" } } });
const machine = `Node ${process.versions.node} on ${process.platform} ${process.arch} with ${availableParallelism()} processors, load average ${(loadavg()[0] ?? 0).toFixed(1)} before it`;
const snp = await benchSnp();
const tables = [
  { ...snp, notes: [`Medians of one run in which all take turns; ${machine}.`, ...snp.notes] },
  { ...(await benchPieces()), notes: [`Medians of one run; ${machine}.`] },
  await benchAudit(),
];
for (const table of tables) console.log(`${formatResults(table)}\n`);
if (values.write === true) await writeTables(path.join(ROOT, "docs/benchmarks.md"), tables);
