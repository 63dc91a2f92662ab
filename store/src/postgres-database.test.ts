import { describe, expect, it } from "vitest";
import { PostgresDatabase } from "./postgres-database.ts";
import { PostgresHead } from "./postgres-head.ts";
import { Cable, openDatabase, sql, usePostgres } from "./postgres.testing.ts";
import type { StoreError } from "./store-error.ts";

const server = usePostgres({ tcp: true });
const failure = (options: { url?: string; password?: string } = {}): Promise<StoreError> =>
  PostgresDatabase.open({ url: server().url, password: server().password, ...options }).then(
    async (database) => {
      await database.close();
      throw new Error("it was opened");
    },
    (error: unknown) => error as StoreError,
  );

describe("a database for a log: one that forgets must be refused", () => {
  it("gets its tables once, however many processes open it at first", async () => {
    const all = await Promise.all(Array.from({ length: 6 }, () => openDatabase(server())));
    expect(await sql(all[0]!, "SELECT version FROM bootproof.schema_version")).toEqual([{ version: 1 }]);
    for (const database of all) expect(await new PostgresHead(database, "log").read()).toBeUndefined();
  });

  it("does not begin to forget when the configuration changes under it", async () => {
    const database = await openDatabase(server(), { connections: 1 });
    const now = async (): Promise<unknown> => (await sql(database, "SHOW synchronous_commit"))[0];
    await sql(database, "ALTER SYSTEM SET synchronous_commit = off");
    await sql(database, "SELECT pg_reload_conf()");
    await expect.poll(async () => (await failure()).code).toBe("BP-STORE-032");
    expect(await now()).toEqual({ synchronous_commit: "on" });
    await sql(database, "ALTER SYSTEM RESET synchronous_commit");
    await sql(database, "SELECT pg_reload_conf()");
    await expect
      .poll(() =>
        openDatabase(server()).then(
          () => "opened",
          () => "refused",
        ),
      )
      .toBe("opened");
  });

  it.each([{ synchronous_commit: "off" }, { fsync: "off" }])("is refused with %j", async (setting) => {
    const back = Object.fromEntries(Object.keys(setting).map((name) => [name, "on"]));
    await server().restart(setting);
    expect(await failure()).toMatchObject({
      code: "BP-STORE-032",
      expected: `${Object.keys(setting)[0]} = on`,
    });
    await server().restart(back);
    await openDatabase(server());
  });

  it("is refused when only the role has synchronous_commit off, also when that came later", async () => {
    const database = await openDatabase(server());
    await sql(database, "ALTER ROLE bootproof SET synchronous_commit = off");
    expect(await failure()).toMatchObject({ code: "BP-STORE-032" });
    await sql(database, "ALTER ROLE bootproof RESET synchronous_commit");
  });

  it("is refused when it takes no writes", async () => {
    await server().restart({ default_transaction_read_only: "on" });
    expect(await failure()).toMatchObject({ code: "BP-STORE-037" });
    await server().restart({ default_transaction_read_only: "off" });
  });

  it("is refused when a later version made its tables, and left as it is", async () => {
    const database = await openDatabase(server());
    await sql(database, "INSERT INTO bootproof.schema_version (version) VALUES (99)");
    expect(await failure()).toMatchObject({ code: "BP-STORE-033", found: "99" });
    await sql(database, "DELETE FROM bootproof.schema_version WHERE version = 99");
  });

  it("says so when nobody answers or the password is wrong, and never says the password", async () => {
    const wrong = await failure({ password: "hunter2" });
    expect(wrong.code).toBe("BP-STORE-036");
    const nobody = await failure({ url: "postgres://bootproof@127.0.0.1:1/postgres" });
    expect(nobody.code).toBe("BP-STORE-030");
    const inUrl = await failure({ url: "postgres://bootproof:hunter2@127.0.0.1/postgres" });
    expect(inUrl.code).toBe("BP-STORE-031");
    for (const error of [wrong, nobody, inUrl])
      expect(JSON.stringify([error, error.message])).not.toMatch(/hunter2/);
  });

  it("fails in words, and the process lives, whichever answer at its start is the last", async () => {
    const { cable, url } = await Cable.to(server().tcpUrl!);
    const codes: string[] = [];
    for (let answers = 0; codes.at(-1) !== "opened"; answers++) {
      cable.left = answers;
      const opened = PostgresDatabase.open({ url, password: server().password });
      codes.push(
        await opened.then(
          async (database) => {
            cable.left = Number.POSITIVE_INFINITY;
            await database.close();
            return "opened";
          },
          (error: unknown) => (error as StoreError).code,
        ),
      );
    }
    expect(codes.length).toBeGreaterThan(4);
    expect(new Set(codes.slice(0, -1))).toEqual(new Set(["BP-STORE-030"]));
  });

  it("demands a certificate from a server that has none", async () => {
    const url = `${server().tcpUrl!}?sslmode=verify-full`;
    expect(await failure({ url })).toMatchObject({ code: "BP-STORE-030" });
  });
});
