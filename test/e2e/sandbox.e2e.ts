import { readFile, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { hostname } from "node:os";
import path from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BOOTPROOF, bootproof, scratch, writeProbe } from "./command.ts";

const LOOK = `
look() { echo "== $1"; shift; "$@" 2>&1 || echo "exit $?"; }
{
  look date date -u +%Y-%m-%dT%H:%M:%SZ
  look hostname hostname
  look uid id -u
  look gid id -g
  look umask bash -c umask
  look net tail -n +3 /proc/net/dev
  look routes tail -n +2 /proc/net/route
  look root ls /
  look canary cat "$(cat /source/canary-path)"
  look processes bash -c 'echo /proc/[0-9]*'
  look env env
  look dev ls /dev
  look connect bash -c "exec 3<>/dev/tcp/127.0.0.1/$(cat /source/port)"
  look write touch /usr/written /source/written
} > result
`;

/** Sections of the probe's report, by name. */
function sections(report: string): ReadonlyMap<string, string> {
  const parts = report.split(/^== /m).slice(1);
  return new Map(
    parts.map((part) => [part.slice(0, part.indexOf("\n")), part.slice(part.indexOf("\n") + 1).trim()]),
  );
}

/** Whether a process with this command line runs anywhere on the machine. */
async function isRunning(commandLine: string): Promise<boolean> {
  const { stdout } = await execa("ps", ["-eo", "args"]);
  return stdout.split("\n").some((line) => line.trim() === commandLine);
}

describe("the sandbox: a build that sees its host is not the same build elsewhere", () => {
  let folder: string;
  let seen: ReadonlyMap<string, string>;
  const server = createServer((socket) => socket.end("reached the host\n"));
  afterAll(() => server.close());

  beforeAll(async () => {
    folder = await scratch("sandbox");
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const canary = path.join(folder, "canary");
    await writeFile(canary, "a file of the host\n");
    const recipe = await writeProbe(folder, {
      name: "look",
      run: LOOK,
      files: { "canary-path": canary, port: String((server.address() as AddressInfo).port) },
    });
    const built = await bootproof(["build", recipe, "--out", path.join(folder, "out")]);
    expect(built.exitCode, built.stderr).toBe(0);
    seen = sections(await readFile(path.join(folder, "out/result"), "utf8"));
  });

  it("has no way out: only lo, no route, and not even the host's own loopback", () => {
    expect(seen.get("net")).toMatch(/^lo:[^\n]*$/);
    expect(seen.get("routes")).toBe("");
    expect(seen.get("connect")).toMatch(/refused|unreachable/i);
  });

  it("shows no file, process or name of the host", () => {
    expect(seen.get("canary")).toMatch(/No such file/);
    expect(seen.get("root")?.split("\n")).not.toContain("work");
    expect(seen.get("processes")?.split(" ").length).toBeLessThan(8);
    expect(seen.get("hostname")).not.toBe(hostname());
    expect(seen.get("env")).not.toMatch(/^CI=/m);
  });

  it("has a fixed clock, user, umask and environment, whenever and by whomever it is built", () => {
    expect(seen.get("date")).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    expect(Math.abs(Date.parse(seen.get("date") ?? "") - Date.now())).toBeGreaterThan(86_400_000);
    expect(seen.get("hostname")).toBe("bootproof");
    expect(seen.get("uid")).toBe("1000");
    expect(seen.get("gid")).toBe("1000");
    expect(seen.get("umask")).toBe("0022");
    expect(seen.get("env")).toMatch(/^TZ=UTC$/m);
    expect(seen.get("env")).toMatch(/^LC_ALL=C\.UTF-8$/m);
  });

  it("cannot change the toolchain or the sources under the next step's feet for the next build", async () => {
    expect(seen.get("write")).toMatch(/source\/written/);
    const again = await bootproof([
      "build",
      path.join(folder, "look/look.recipe.yaml"),
      "--no-cache",
      "--out",
      path.join(folder, "again"),
    ]);
    expect(again.exitCode, again.stderr).toBe(0);
    expect(sections(await readFile(path.join(folder, "again/result"), "utf8")).get("root")).toBe(
      seen.get("root"),
    );
  });

  it("says which step failed, how, and its last lines", async () => {
    const recipe = await writeProbe(folder, {
      name: "broken",
      run: "for i in $(seq 1 60); do echo line $i; done\nexit 7",
    });
    const built = await bootproof(["build", recipe]);
    expect(built.exitCode).toBe(1);
    expect(built.stderr).toMatch(/probe/);
    expect(built.stderr).toMatch(/\b7\b/);
    expect(built.stderr).toMatch(/line 60/);
    expect(built.stderr).toMatch(/line 25$/m);
    expect(built.stderr).not.toMatch(/line 15$/m);
  });

  it("dies with the command: kill -9 leaves no process behind, and the next build starts clean", async () => {
    const marker = `sleep 98765.${process.pid}`;
    const recipe = await writeProbe(folder, {
      name: "slow",
      run: `test -e /source/go || ${marker}\necho done > result`,
    });
    const child = execa(BOOTPROOF, ["build", recipe], { reject: false, stdin: "ignore" });
    const running = (): Promise<boolean> => isRunning(marker);
    await expect.poll(running, { timeout: 120_000, interval: 200 }).toBe(true);
    // The launcher replaces itself by Node, so this is the process that owns the sandbox.
    child.kill("SIGKILL");
    await child;
    await expect.poll(running, { timeout: 10_000, interval: 100 }).toBe(false);
  });

  it("sends SIGTERM on: exit 143 and nothing left", async () => {
    const marker = `sleep 87654.${process.pid}`;
    const recipe = await writeProbe(folder, { name: "term", run: marker });
    const child = execa(BOOTPROOF, ["build", recipe], { reject: false, stdin: "ignore" });
    const running = (): Promise<boolean> => isRunning(marker);
    await expect.poll(running, { timeout: 120_000, interval: 200 }).toBe(true);
    child.kill("SIGTERM");
    expect((await child).exitCode).toBe(143);
    await expect.poll(running, { timeout: 10_000, interval: 100 }).toBe(false);
  });
});
