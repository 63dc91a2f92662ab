import { copyFile, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BOOTPROOF, bootproof, bootproofJson, scratch, writeProbe } from "./command.ts";

interface Failure {
  readonly error: {
    code: string;
    message: string;
    file?: string;
    expected?: string;
    found?: string;
    hint?: string;
  };
}

describe("what goes wrong: nothing half true, and always the next command", () => {
  let folder: string;
  let recipe: string;
  const servers: Server[] = [];
  afterAll(() => servers.forEach((server) => server.close()));

  beforeAll(async () => {
    folder = await scratch("disasters");
    recipe = await writeProbe(folder, {
      name: "plain",
      run: "cat /source/word > result",
      files: { word: "word\n" },
    });
    const built = await bootproof(["build", recipe]);
    expect(built.exitCode, built.stderr).toBe(0);
  });

  /** A copy of the probe's folder whose lock is edited. */
  async function withLock(name: string, edit: (lock: string) => string): Promise<string> {
    const copy = path.join(folder, name);
    await mkdir(copy);
    for (const file of ["plain.recipe.yaml", "word"])
      await copyFile(path.join(folder, "plain", file), path.join(copy, file));
    const lock = await readFile(path.join(folder, "plain/plain.lock.yaml"), "utf8");
    expect(edit(lock)).not.toBe(lock);
    await writeFile(path.join(copy, "plain.lock.yaml"), edit(lock));
    return path.join(copy, "plain.recipe.yaml");
  }

  it("refuses a source with one flipped bit, and names it with both digests", async () => {
    await writeFile(path.join(folder, "plain/word"), "wore\n");
    const { error } = await bootproofJson<Failure>(
      ["build", recipe, "--store", path.join(folder, "s1"), "--offline"],
      65,
    ).catch(async () => bootproofJson<Failure>(["build", recipe, "--no-cache"], 65));
    expect(error.message).toMatch(/word/);
    expect(error.expected).toMatch(/[0-9a-f]{64}/);
    expect(error.found).toMatch(/[0-9a-f]{64}/);
    await writeFile(path.join(folder, "plain/word"), "word\n");
  });

  it("refuses what a lying mirror sends, and keeps none of it", async () => {
    const server = createServer((_request, response) => response.end("not what you asked for"));
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const mirror = `http://127.0.0.1:${(server.address() as AddressInfo).port}/debian`;
    const store = path.join(folder, "lied-to");
    const outcome = await bootproof(["build", recipe, "--store", store, "--mirror", mirror, "--json"], {
      env: { BOOTPROOF_DEBIAN_MIRROR: mirror },
    });
    // The machine's own mirror may still have the truth; the liar is never believed.
    if (outcome.exitCode !== 0) expect(outcome.stdout).toMatch(/BP-INPUT-00[12]/);
    const check = await bootproof(["store", "verify", "--store", store]);
    expect(check.exitCode, check.stderr).toBe(0);
  });

  it("refuses a lock that was made for another recipe, and says what differs", async () => {
    const other = await withLock("other-lock", (lock) => lock.replace("hostname", "hostnamf"));
    const { error } = await bootproofJson<Failure>(["build", other], 78);
    expect(error.code).toMatch(/^BP-LOCK-/);
    expect(error.hint).toMatch(/bootproof lock/);
  });

  it("names the input when its digest in the lock is not the mirror's", async () => {
    const forged = await withLock("forged-lock", (lock) =>
      lock.replace(/[0-9a-f]{64}(?=[\s\S]*bash_)/, "0".repeat(64)),
    );
    const outcome = await bootproof(["build", forged, "--json"]);
    expect(outcome.exitCode).not.toBe(0);
    expect(outcome.stdout).toMatch(/BP-(INPUT|LOCK)-00\d/);
  });

  it("explains a full disk, exits 74 and leaves a store that verifies", async () => {
    // A store on a file system of 4 MiB, in a mount namespace of our own.
    const store = path.join(folder, "small");
    await mkdir(store);
    const script = `mount -t tmpfs -o size=4m none ${store} && ${BOOTPROOF} build ${recipe} --store ${store} --json; echo "exit $?"; ${BOOTPROOF} store verify --store ${store}; echo "verify $?"`;
    const outcome = await execa("unshare", ["--user", "--map-root-user", "--mount", "sh", "-c", script], {
      reject: false,
    });
    expect(outcome.stdout).toMatch(/exit 74/);
    expect(outcome.stdout).toMatch(/space/);
    expect(outcome.stdout).toMatch(/verify 0/);
  });

  it("resumes after kill -9 at any moment: the next build is right and nothing is half-written", async () => {
    const store = path.join(folder, "killed");
    const out = path.join(folder, "killed-out");
    for (const delay of [150, 400, 900, 1800, 3000]) {
      const child = execa(BOOTPROOF, ["build", recipe, "--store", store, "--out", out], {
        reject: false,
        stdin: "ignore",
      });
      setTimeout(() => child.kill("SIGKILL"), delay);
      await child;
      const result = await readFile(path.join(out, "result"), "utf8").catch(() => "word\n");
      expect(result).toBe("word\n");
    }
    const built = await bootproof(["build", recipe, "--store", store, "--out", out]);
    expect(built.exitCode, built.stderr).toBe(0);
    expect(await readFile(path.join(out, "result"), "utf8")).toBe("word\n");
    expect((await readdir(out)).filter((name) => name.startsWith("."))).toEqual([]);
    const check = await bootproof(["store", "verify", "--store", store]);
    expect(check.exitCode, check.stderr).toBe(0);
  });

  it("never builds from a damaged store: finds it, says so, and mends it by fetching again", async () => {
    const store = path.join(folder, "damaged");
    expect((await bootproof(["build", recipe, "--store", store])).exitCode).toBe(0);
    const { stdout } = await execa("find", [store, "-type", "f", "-path", "*blobs*", "-size", "+64k"]);
    const victim = stdout.split("\n")[0]!;
    const bytes = await readFile(victim);
    bytes[1000]! ^= 1;
    await execa("chmod", ["u+w", victim]);
    await writeFile(victim, bytes);
    const check = await bootproof(["store", "verify", "--store", store]);
    expect(check.exitCode).toBe(1);
    expect(check.stdout + check.stderr).toContain(path.basename(victim));
    const built = await bootproof([
      "build",
      recipe,
      "--store",
      store,
      "--no-cache",
      "--out",
      path.join(folder, "mended"),
    ]);
    if (built.exitCode === 0)
      expect(await readFile(path.join(folder, "mended/result"), "utf8")).toBe("word\n");
    else expect(built.stderr).toMatch(/BP-/);
  });

  it("says which key it cannot read and how to make one", async () => {
    const outcome = await bootproof([
      "release",
      recipe,
      "--out",
      path.join(folder, "keyless"),
      "--key",
      path.join(folder, "absent/key"),
      "--no-input",
    ]);
    const directory = await bootproof([
      "release",
      recipe,
      "--out",
      path.join(folder, "keyless"),
      "--key",
      folder,
    ]);
    for (const { exitCode, stderr } of [outcome, directory]) {
      expect([66, 77]).toContain(exitCode);
      expect(stderr).toMatch(/key/);
      expect(stderr).not.toMatch(/\bat .*\.ts:\d+/);
    }
  });

  it("works as an ordinary user", async () => {
    if (process.getuid?.() !== 0) return;
    const home = path.join(folder, "home");
    await mkdir(home);
    await execa("cp", ["-r", path.join(folder, "plain"), home]);
    await execa("chown", ["-R", "65534:65534", home]);
    const run = [
      "--reuid=65534",
      "--regid=65534",
      "--clear-groups",
      "env",
      "-i",
      `HOME=${home}`,
      `PATH=${process.env["PATH"] ?? ""}`,
    ];
    const args = ["build", path.join(home, "plain/plain.recipe.yaml"), "--out", path.join(home, "out")];
    const outcome = await execa("setpriv", [...run, BOOTPROOF, ...args], { cwd: home, reject: false });
    expect(outcome.exitCode, outcome.stderr).toBe(0);
    expect(await readFile(path.join(home, "out/result"), "utf8")).toBe("word\n");
  });
});
