import { cp, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { formatSigningKey, makeSigningKey } from "@bootproof/bytes/signing";
import { parseLogPolicy, verifyTlogProof } from "@bootproof/log";
import { beforeAll, describe, expect, it } from "vitest";

import { run } from "../run.testing.ts";
import { scratchFolder } from "../scratch.testing.ts";

const ORIGIN = "example.org/rotated";

interface Key {
  keyId: string;
  vkey: string;
  signer: string;
  signedCheckpoint: boolean;
  signedHead: boolean;
}

describe("log key", () => {
  let folder: string;
  let log: string;
  let count = 0;
  const keys = async (...argv: string[]): Promise<Key[]> => {
    const { stdout, stderr, exit } = await run(["log", "key", ...argv, "--log", log, "--json"]);
    if (exit !== 0) throw new Error(stderr + stdout);
    return (JSON.parse(stdout) as { keys: Key[] }).keys;
  };
  const add = async (...argv: string[]): Promise<number> => {
    const file = join(folder, `entry-${++count}`);
    await writeFile(file, `entry ${count}`);
    return (await run(["log", "add", file, "--log", log, ...argv])).exit;
  };
  /** What a verifier answers who has these keys. */
  const verified = async (index: number, ...vkeys: string[]): Promise<string> => {
    const { stdout } = await run(["log", "proof", String(index), "--log", log, "--vkey", vkeys[0]!]);
    const policy = parseLogPolicy(`${vkeys.map((vkey) => `log ${vkey}\n`).join("")}quorum none\n`);
    return stdout === ""
      ? "unreadable"
      : verifyTlogProof({ proof: new TextEncoder().encode(stdout), policy }).answer;
  };
  const audit = async (...argv: string[]): Promise<number> =>
    (await run(["log", "audit", "--log", log, ...argv])).exit;

  beforeAll(async () => {
    folder = await scratchFolder();
    log = join(folder, "log");
    await run(["log", "init", "--log", log, "--origin", ORIGIN]);
    await add();
  });

  it("takes a log from one key to another, and nobody who has either key is lost on the way", async () => {
    const [old] = await keys("list");
    const state = join(folder, "auditor");
    const known = join(folder, "known.vkey");
    await writeFile(known, `${old!.vkey}\n`);
    expect(await audit("--vkey", known, "--state", state)).toBe(0);

    const both = await keys("add", "--generate");
    expect(both).toMatchObject([
      { keyId: old!.keyId, signedCheckpoint: true, signedHead: true },
      { signedCheckpoint: true, signedHead: true },
    ]);
    const next = both[1]!;
    expect(await readFile(join(log, "log.vkey"), "utf8")).toBe(`${old!.vkey}\n${next.vkey}\n`);
    // Without growth, and with it: who has the old key alone, the new one alone, or both.
    for (const index of [0, 1]) {
      if (index === 1) expect(await add()).toBe(0);
      for (const who of [[old!.vkey], [next.vkey], [old!.vkey, next.vkey]])
        expect(await verified(index, ...who)).toBe("yes");
    }
    expect(await audit()).toBe(0);
    expect(await audit("--vkey", known, "--state", state)).toBe(0);
    await writeFile(known, `${old!.vkey}\n${next.vkey}\n`);
    expect(await audit("--vkey", known, "--state", state)).toBe(0);

    expect(await keys("retire", old!.keyId)).toMatchObject([{ vkey: next.vkey, signedHead: true }]);
    expect(await readFile(join(log, "log.vkey"), "utf8")).toBe(`${next.vkey}\n`);
    expect((await readdir(`${log}.private`)).filter((name) => name.endsWith(".key"))).toEqual([
      `log-${next.keyId}.key`,
    ]);
    expect(await add()).toBe(0);
    expect(await verified(2, next.vkey)).toBe("yes");
    expect(await verified(2, old!.vkey)).toBe("unreadable");
    expect(await audit("--vkey", known, "--state", state)).toBe(0);
    expect(await audit()).toBe(0);
  });

  it("never drops the last Ed25519 key, nor one it does not have, nor before its successor has signed", async () => {
    const [only] = await keys("list");
    const last = await run(["log", "key", "retire", only!.keyId, "--log", log]);
    expect([last.exit, last.stderr]).toEqual([64, expect.stringContaining("BP-LOG-044")]);
    const none = await run(["log", "key", "retire", "00000000", "--log", log]);
    expect(none.stderr).toContain("BP-LOG-043");
    const copy = join(folder, "unsigned");
    await cp(log, copy, { recursive: true });
    await cp(`${log}.private`, `${copy}.private`, { recursive: true });
    const place = join(`${copy}.private`, "place.json");
    const more = makeSigningKey(ORIGIN, new Uint8Array(32).fill(1));
    await writeFile(join(`${copy}.private`, "more.key"), `${formatSigningKey(more)}\n`);
    const { stdout } = await run(["key", "show", join(`${copy}.private`, "more.key")]);
    const text = await readFile(place, "utf8");
    await writeFile(place, text.replace("[", `[{"signer":"file:more.key","vkey":"${stdout.trim()}"},`));
    const early = await run(["log", "key", "retire", only!.keyId, "--log", copy]);
    expect([early.exit, early.stderr]).toEqual([2, expect.stringContaining("BP-LOG-045")]);
    expect((await run(["log", "key", "add", "--log", copy])).exit).toBe(0);
    expect((await run(["log", "key", "retire", only!.keyId, "--log", copy])).exit).toBe(0);
    expect((await run(["log", "audit", "--log", copy])).exit).toBe(0);
  });

  it("adds ML-DSA-44 as a second signature, which Ed25519 stays beside", async () => {
    const [first] = await keys("list");
    const [, second] = await keys("add", "--ml-dsa");
    expect(second).toMatchObject({ type: 6, signedCheckpoint: true, signedHead: true });
    expect(await add()).toBe(0);
    const { stdout } = await run(["log", "checkpoint", "--log", log, "--vkey", second!.vkey]);
    expect(stdout.split("\n\u2014 ")).toHaveLength(3);
    expect(await verified(3, first!.vkey)).toBe("yes");
    expect(await audit()).toBe(0);
    expect((await run(["log", "key", "retire", first!.keyId, "--log", log])).stderr).toContain("BP-LOG-044");
    expect(await keys("retire", second!.keyId)).toHaveLength(1);
    expect(await add()).toBe(0);
  });

  it("takes a key from where it is, once, and only one of the log's name", async () => {
    const key = makeSigningKey(ORIGIN, new Uint8Array(32).fill(5));
    const env = { NEXT: formatSigningKey(key) };
    const said = await run(["log", "key", "add", "env:NEXT", "--log", log], env);
    expect([said.exit, said.stderr]).toEqual([0, ""]);
    expect(said.stdout).not.toContain(env.NEXT.slice(-30, -4));
    expect((await run(["log", "key", "add", "env:NEXT", "--log", log], env)).stdout).toBe(said.stdout);
    expect((await keys("list"))[1]).toMatchObject({ signer: "env:NEXT", signedHead: true });
    const entry = join(folder, "entry-1");
    expect((await run(["log", "add", entry, "--log", log])).stderr).toContain("BP-SIGN-001");
    const other = { NEXT: formatSigningKey(makeSigningKey(ORIGIN, new Uint8Array(32).fill(6))) };
    expect((await run(["log", "add", entry, "--log", log], other)).stderr).toContain("BP-SIGN-004");
    const foreign = { NEXT: formatSigningKey(makeSigningKey("other", new Uint8Array(32).fill(6))) };
    expect((await run(["log", "key", "add", "env:NEXT", "--log", log], foreign)).exit).toBe(64);
    expect((await run(["log", "key", "retire", key.vkey.keyId, "--log", log])).exit).toBe(0);
    expect((await run(["log", "key", "add", "env:NEXT", "--log", log], foreign)).exit).toBe(64);
  });
});
