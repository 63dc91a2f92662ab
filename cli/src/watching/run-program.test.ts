import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { scratchFolder } from "../scratch.testing.ts";
import { runWithAlert } from "./run-program.ts";
import { alertAbout } from "./watched.testing.ts";

const never = new AbortController().signal;
const alert = alertAbout("$(touch pwned); `id`");

describe("a program that hears of alerts", async () => {
  const folder = await scratchFolder();
  const run = (script: string, ...args: string[]): Promise<string | undefined> =>
    runWithAlert({ command: ["/bin/sh", "-c", script, "sh", ...args], timeout: 5 }, alert, never);

  it("gets the alert on standard input and its arguments as they are, and not our environment", async () => {
    process.env["BOOTPROOF_TEST_SECRET"] = "secret";
    const file = join(folder, "out");
    expect(await run('cat > "$1"; env >> "$1"; printf %s "$2" >> "$1"', file, "$HOME; x")).toBeUndefined();
    const [document = "", ...env] = (await readFile(file, "utf8")).split("\n");
    expect(JSON.parse(document)).toEqual(alert);
    expect(env.join()).not.toContain("secret");
    expect(env.at(-1)).toBe("$HOME; x");
  });

  it("did not take it when it fails; the reason names what it said, and no escape sequence", async () => {
    expect(await run("printf 'no \\033[31mroom\\n' >&2; exit 3")).toBe("exit status 3: no \\u{1b}[31mroom");
    expect(await runWithAlert({ command: [join(folder, "absent")], timeout: 5 }, alert, never)).toContain(
      "ENOENT",
    );
  });

  it("took it when it does not read its input", async () => {
    expect(await run("exec <&-; exit 0")).toBeUndefined();
  });

  it("is ended with all that it started when it takes too long", async () => {
    const pids = join(folder, "pids");
    await writeFile(pids, "");
    const script = 'sleep 60 & echo $! > "$1"; wait';
    const before = Date.now();
    const reason = await runWithAlert(
      { command: ["/bin/sh", "-c", script, "sh", pids], timeout: 1 },
      alert,
      never,
    );
    expect(reason).toBe("not done within 1 s");
    expect(Date.now() - before).toBeLessThan(5000);
    const pid = Number(await readFile(pids, "utf8"));
    await new Promise((resolve) => setTimeout(resolve, 100));
    const state = await readFile(`/proc/${String(pid)}/stat`, "utf8").catch(() => "gone");
    expect(state).toMatch(/^gone$|\) Z /);
  });

  it("may say as much as it likes", async () => {
    const reason = await run("head -c 5000000 /dev/zero | tr '\\0' x >&2; exit 1");
    expect(reason?.length).toBeLessThan(300);
  });
});
