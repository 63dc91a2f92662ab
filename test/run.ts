/**
 * Everything that CI runs, in order, ending with the line `N passed, N failed`: Debian packages, format, lint with
 * module boundaries, types, unit tests, end-to-end tests. A phase that fails does not stop the next one.
 * @module
 */
import { existsSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import path from "node:path";
import { execa } from "execa";

const ROOT = path.resolve(import.meta.dirname, "..");
const E2E_REPORT = path.join(ROOT, "test/out-tsc/e2e.json");

/** How many tests of a phase passed, failed and were skipped. */
interface Count {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** What vitest's JSON reporter writes, as far as it is read here. */
interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numFailedTestSuites: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
}

async function run(command: string, args: readonly string[]): Promise<boolean> {
  const result = await execa(command, args, {
    cwd: ROOT,
    stdio: "inherit",
    reject: false,
    preferLocal: true,
    env: { NX_DAEMON: "false", NX_TUI: "false", NX_NO_CLOUD: "true", NX_SKIP_LOG_GROUPING: "true" },
  });
  return result.exitCode === 0;
}

/** Installs the Debian packages that the end-to-end tests need and that are not there yet. */
async function installPackages(): Promise<boolean> {
  const wanted = readFileSync(path.join(ROOT, "test/apt-packages.txt"), "utf8").split("\n").filter(Boolean);
  const missing: string[] = [];
  for (const name of wanted) {
    const query = await execa("dpkg-query", ["-W", "-f", "${Status}", name], { reject: false });
    if (query.stdout !== "install ok installed") missing.push(name);
  }
  if (missing.length === 0) return true;
  const install = `apt-get install -y --no-install-recommends ${missing.join(" ")}`;
  if (process.getuid?.() !== 0) {
    console.error(`these Debian packages are missing; as root: ${install}`);
    return false;
  }
  const apt = ["-c", `apt-get update -qq && DEBIAN_FRONTEND=noninteractive ${install} >/dev/null`];
  return (await run("sh", apt)) || (await run("sh", apt)); // mirrors fail now and then
}

function readReport(file: string): Count {
  if (!existsSync(file)) return { passed: 0, failed: 1, skipped: 0 };
  const report = JSON.parse(readFileSync(file, "utf8")) as VitestReport;
  // A file that does not even load has a failed suite and no failed test.
  const failed = report.numFailedTests === 0 && report.numFailedTestSuites > 0 ? 1 : report.numFailedTests;
  return { passed: report.numPassedTests, failed, skipped: report.numPendingTests + report.numTodoTests };
}

async function check(command: string, ...args: string[]): Promise<Count> {
  const ok = await run(command, args);
  return { passed: ok ? 1 : 0, failed: ok ? 0 : 1, skipped: 0 };
}

async function unitTests(): Promise<Count> {
  const { workspaces } = JSON.parse(readFileSync(path.join(ROOT, "package.json"), "utf8")) as {
    workspaces: string[];
  };
  const reports = workspaces
    .filter((folder) => folder !== "test")
    .map((folder) => path.join(ROOT, folder, "out-tsc/unit.json"));
  for (const report of reports) await rm(report, { force: true });
  const ok = await run("nx", ["run-many", "-t", "unit", "--output-style=stream"]);
  const total = add(reports.map((report) => readReport(report)));
  return ok || total.failed > 0 ? total : { ...total, failed: 1 };
}

async function endToEndTests(): Promise<Count> {
  await rm(E2E_REPORT, { force: true });
  const config = ["--config", "test/vitest.e2e.config.ts"];
  const ok = await run("vitest", [
    "run",
    ...config,
    "--reporter=verbose",
    "--reporter=json",
    `--outputFile.json=${E2E_REPORT}`,
  ]);
  const total = readReport(E2E_REPORT);
  return ok || total.failed > 0 ? total : { ...total, failed: 1 };
}

function add(counts: readonly Count[]): Count {
  return counts.reduce(
    (sum, next) => ({
      passed: sum.passed + next.passed,
      failed: sum.failed + next.failed,
      skipped: sum.skipped + next.skipped,
    }),
    { passed: 0, failed: 0, skipped: 0 },
  );
}

const phases: readonly (readonly [name: string, run: () => Promise<Count>])[] = [
  [
    "Debian packages",
    async () =>
      (await installPackages()) ? { passed: 0, failed: 0, skipped: 0 } : { passed: 0, failed: 1, skipped: 0 },
  ],
  ["format", () => check("prettier", "--check", ".")],
  ["lint and module boundaries", () => check("npm", "run", "--silent", "lint")],
  ["types", () => check("nx", "run-many", "-t", "typecheck")],
  ["unit tests", unitTests],
  ["end-to-end tests", endToEndTests],
];

const counts: Count[] = [];
const summary: string[] = [];
for (const [name, phase] of phases) {
  console.log(`\n== ${name}`);
  const start = Date.now();
  const count = await phase();
  counts.push(count);
  const seconds = ((Date.now() - start) / 1000).toFixed(1);
  summary.push(
    `${name.padEnd(28)} ${String(count.passed).padStart(5)} passed ${String(count.failed).padStart(3)} failed ${seconds.padStart(7)} s`,
  );
}
const total = add(counts);
console.log(`\n${summary.join("\n")}\n`);
console.log(
  `${total.passed} passed, ${total.failed} failed${total.skipped > 0 ? `, ${total.skipped} skipped` : ""}`,
);
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;
