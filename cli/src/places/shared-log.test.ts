/** Logs whose parts are in PostgreSQL and in buckets: real servers, one command after the other. */
import { existsSync } from "node:fs";
import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { startPostgres, type PostgresServer } from "@bootproof/store/postgres-server";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { run } from "../run.testing.ts";
import { scratchFolder } from "../scratch.testing.ts";
import { openLogPlace } from "./log-place.ts";

describe("a log whose head and stages are in PostgreSQL", () => {
  let folder: string;
  let server: PostgresServer;
  let log: string;
  beforeAll(async () => {
    folder = await scratchFolder();
    server = await startPostgres();
    log = join(folder, "log");
  }, 120_000);
  afterAll(() => server.stop());

  const add = async (
    at: string,
    name: string,
    env: Record<string, string> = server.env,
  ): Promise<unknown> => {
    const file = join(folder, name);
    await writeFile(file, name);
    const { exit, stdout, stderr } = await run(["log", "add", file, "--log", at, "--json"], env);
    return exit === 0 ? (JSON.parse(stdout) as unknown) : { exit, stderr };
  };

  it("is named once; every later command knows where it is, also where the folder was copied to", async () => {
    const argv = ["log", "init", "--log", log, "--origin", "example.org/pg", "--private-store", server.url];
    expect(await run(argv, server.env)).toMatchObject({ exit: 0, stderr: "" });
    expect((await run(argv, server.env)).exit).toBe(74);
    const remembered = await readFile(join(`${log}.private`, "place.json"), "utf8");
    expect(JSON.parse(remembered)).toMatchObject({ privateStore: server.url });
    expect(remembered).not.toContain(server.password);
    expect(existsSync(join(`${log}.private`, "head"))).toBe(false);
    expect(await add(log, "one")).toMatchObject({ size: 1, added: [{ index: 0 }] });
    const copy = join(folder, "copy");
    await cp(`${log}.private`, `${copy}.private`, { recursive: true });
    await cp(log, copy, { recursive: true });
    expect(await add(copy, "one")).toMatchObject({ added: [{ index: 0, duplicate: true }] });
    const [keys] =
      (await run(["log", "key", "list", "--log", log], server.env)).stdout.match(/signed +signed/g) ?? [];
    expect(keys).toBeDefined();
    expect((await run(["log", "audit", "--log", log])).exit).toBe(0);
  });

  it("stops when the password is wrong, with --offline, and while another one writes", async () => {
    expect(await add(log, "two", { PGPASSWORD: "wrong" })).toMatchObject({
      exit: expect.any(Number) as number,
    });
    const offline = await run(["log", "add", join(folder, "one"), "--log", log, "--offline"], server.env);
    expect([offline.exit, offline.stderr]).toEqual([69, expect.stringContaining("BP-NET-001")]);
    const place = await openLogPlace(log, { env: server.env });
    expect(place.queue).toBeDefined();
    const lock = await place.head.lock?.();
    expect(await add(log, "two")).toMatchObject({ exit: 75 });
    await lock?.release();
    await place.close();
    expect(await add(log, "two")).toMatchObject({ size: 2 });
  });
});

describe("a log whose parts are in buckets", () => {
  const env = {
    AWS_ACCESS_KEY_ID: "AKID",
    AWS_SECRET_ACCESS_KEY: "s3cr3t",
    AWS_ENDPOINT_URL: "http://127.0.0.1:65533",
  };
  const init = async (
    given: Record<string, string>,
    ...more: string[]
  ): Promise<{ exit: number; said: string }> => {
    const log = join(await scratchFolder(), "log");
    const argv = ["log", "init", "--log", log, "--objects", "s3://public/log", ...more];
    const { exit, stdout, stderr } = await run(argv, given);
    return { exit, said: stdout + stderr };
  };

  it("is not opened without credentials, with --offline, or where no store answers; and no secret is said", async () => {
    const { AWS_SECRET_ACCESS_KEY, ...half } = env;
    expect(await init(half)).toMatchObject({
      exit: 77,
      said: expect.stringContaining("BP-LOG-042") as string,
    });
    expect(await init(env, "--offline")).toMatchObject({ exit: 69 });
    const away = await init(env, "--private-store", "s3://private/log");
    expect(away).toMatchObject({ exit: 69, said: expect.stringMatching(/BP-STORE-02[24]/) as string });
    expect(away.said).not.toContain(AWS_SECRET_ACCESS_KEY);
  });
});
