import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { checkHost, type HostCheck } from "./check-host.ts";

describe("checking the machine", () => {
  it("finds that what these tests do can be done, and that a store need not exist yet", async () => {
    const checks = await checkHost(join(tmpdir(), "no", "such", "store"));
    const broken = checks.filter(({ name, state }) => name !== "disk" && state === "fail");
    expect(broken).toEqual([]);
    expect(checks.map(({ name }) => name)).toEqual([
      ...["platform", "programs", "user namespaces", "namespaces", "proc", "overlayfs", "second user"],
      ...["limits", "disk", "memory", "processors"],
    ]);
  });

  it("says why and how to fix it for everything that is not well, and nothing else otherwise", async () => {
    for (const { state, why, fix } of await checkHost(tmpdir())) {
      expect(why === undefined).toBe(state === "ok");
      expect(fix === undefined).toBe(state === "ok");
    }
  });

  it("names the switch when user namespaces are turned off", () => {
    // The switch is one of each user namespace: in one of our own it can be turned off without harm.
    const script = `echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"`;
    const folder = mkdtempSync(join(tmpdir(), "bootproof-check-"));
    const code = `import { checkHost } from ${JSON.stringify(join(import.meta.dirname, "check-host.ts"))};
      console.log(JSON.stringify(await checkHost(${JSON.stringify(folder)})));`;
    const node = [process.execPath, "--conditions=@bootproof/source", "--input-type=module", "-e", code];
    const { stdout } = spawnSync(
      "unshare",
      ["--user", "--map-root-user", "sh", "-c", script, "sh", ...node],
      { encoding: "utf8" },
    );
    rmSync(folder, { recursive: true });
    const checks = JSON.parse(stdout) as HostCheck[];
    expect(checks.find(({ name }) => name === "user namespaces")).toMatchObject({
      state: "fail",
      fix: "sysctl -w user.max_user_namespaces=15000",
    });
  });
});
