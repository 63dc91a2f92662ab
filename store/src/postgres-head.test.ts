import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { utf8 } from "@bootproof/bytes";
import { describe, expect, it } from "vitest";
import { PostgresHead } from "./postgres-head.ts";
import { PostgresLock } from "./postgres-lock.ts";
import { Cable, openDatabase, sql, usePostgres } from "./postgres.testing.ts";
import { startWork, work } from "./processes.testing.ts";
import type { StoreError } from "./store-error.ts";

const SLOW = 60_000;
const server = usePostgres({ tcp: true });

describe("a head in PostgreSQL: two writers must never both believe that they committed", () => {
  it("moves only from the generation its writer has seen", async () => {
    const head = new PostgresHead(await openDatabase(server()), "example.org/log");
    expect([await head.read(), await head.generation()]).toEqual([undefined, 0]);
    expect(await head.compareAndSwap(1, utf8("x"))).toBe("conflict");
    expect(await head.compareAndSwap(0, utf8("first"))).toBe("committed");
    expect(await head.compareAndSwap(0, utf8("rival"))).toBe("conflict");
    expect(await head.compareAndSwap(1, utf8("second"))).toBe("committed");
    expect(await head.read()).toEqual({ generation: 2, bytes: utf8("second") });
    expect(await head.generation()).toBe(2);
    for (const bad of [-1, 0.5, Number.NaN, 2 ** 53])
      await expect(head.compareAndSwap(bad, utf8(""))).rejects.toMatchObject({ code: "BP-STORE-008" });
  });

  it("keeps the logs of one database apart, whatever they are called", async () => {
    const database = await openDatabase(server());
    const names = ["a", "A", "a'; DROP TABLE bootproof.head; --", "%", "log/ä/\u{1f512}"];
    for (const name of names) await new PostgresHead(database, name).compareAndSwap(0, utf8(name));
    for (const name of names)
      expect(await new PostgresHead(database, name).read()).toEqual({ generation: 1, bytes: utf8(name) });
    for (const bad of ["", "a\nb", "a\u0000", "\ud800", "x".repeat(256)])
      expect(() => new PostgresHead(database, bad)).toThrow(/not a log's name/);
  });

  it("gives each of 200 generations to exactly one of three processes", { timeout: SLOW }, async () => {
    await openDatabase(server());
    const race = [1, 2, 3].map(() =>
      work<{ won: number[] }>("advance-postgres-head", server().url, "200", server().env),
    );
    const all = (await Promise.all(race)).flatMap(({ won }) => won).sort((a, b) => a - b);
    expect(all).toEqual(Array.from({ length: 200 }, (_, index) => index + 1));
  });

  it(
    "loses no generation it acknowledged when the server is killed, ten times",
    { timeout: SLOW },
    async () => {
      const database = await openDatabase(server());
      const head = new PostgresHead(database, "killed");
      let acknowledged = 0;
      for (let round = 0; round < 10; round++) {
        const deadline = sleep(30 + round * 7).then(() => server().kill9());
        let alive = true;
        while (alive)
          try {
            const seen = (await head.read())?.generation ?? 0;
            expect(seen).toBeGreaterThanOrEqual(acknowledged);
            if ((await head.compareAndSwap(seen, utf8(`${seen + 1}`))) === "committed")
              acknowledged = seen + 1;
          } catch (error) {
            expect((error as StoreError).code).toMatch(/^BP-STORE-03[04]$/);
            alive = false;
          }
        await deadline;
        await server().restart();
        const { generation, bytes } = (await head.read())!;
        expect([acknowledged, acknowledged + 1]).toContain(generation);
        expect(bytes).toEqual(utf8(`${generation}`));
      }
      expect(acknowledged).toBeGreaterThan(10);
    },
  );

  it.each(["cut", "silent"] as const)(
    "says that it cannot tell when the answer to a swap is lost (%s), never conflict",
    async (mode) => {
      const { cable, url } = await Cable.to(server().tcpUrl!);
      const far = new PostgresHead(
        await openDatabase(server(), { url, times: { connect: 1000, statement: 1000 } }),
        mode,
      );
      const near = new PostgresHead(await openDatabase(server()), mode);
      expect(await far.compareAndSwap(0, utf8("one"))).toBe("committed");
      cable.mode = mode;
      await expect(far.compareAndSwap(1, utf8("two"))).rejects.toMatchObject({ code: "BP-STORE-034" });
      // It happened; whoever had taken the error for a conflict or a failure would be wrong.
      expect(await near.read()).toEqual({ generation: 2, bytes: utf8("two") });
      await expect(far.read()).rejects.toMatchObject({ code: "BP-STORE-030" });
      cable.mode = "whole";
      cable.breakAll();
      expect((await far.read())?.generation).toBe(2);
    },
  );

  it("gives up a swap that has to wait too long, and says that nothing happened", async () => {
    const database = await openDatabase(server());
    const head = new PostgresHead(await openDatabase(server(), { times: { statement: 1000 } }), "busy");
    await head.compareAndSwap(0, utf8("one"));
    const session = await database.session();
    const hold = (text: string) => session.query({ action: "hold", kind: "read", text });
    await hold("BEGIN");
    await hold("SELECT FROM bootproof.head WHERE log = 'busy' FOR UPDATE");
    await expect(head.compareAndSwap(1, utf8("two"))).rejects.toMatchObject({ code: "BP-STORE-036" });
    await session.close();
    expect(await head.read()).toEqual({ generation: 1, bytes: utf8("one") });
  });
});

describe("the lock of a log's writer: two must know of each other", () => {
  it("is held by one, and free when it is released", async () => {
    const database = await openDatabase(server());
    const head = new PostgresHead(database, "locked");
    const lock = (await head.lock())!;
    expect(lock.held).toBe(true);
    expect(await head.lock()).toBeUndefined();
    expect(
      await new PostgresHead(database, "other").lock().then((other) => other?.release()),
    ).toBeUndefined();
    await lock.release();
    expect(lock.held).toBe(false);
    await (await head.lock())!.release();
  });

  it("is released before its process ends, if the process has nothing else to do", async () => {
    const released = await work("release-postgres-lock", server().url, "", server().env);
    expect(released).toEqual({ released: true });
  });

  it("is gone when its process is killed", async () => {
    const holder = startWork("hold-postgres-lock", server().url, server().env);
    const [line] = (await once(holder.stdout!, "data")) as [Buffer];
    expect(JSON.parse(line.toString())).toEqual({ held: true });
    const head = new PostgresHead(await openDatabase(server()), "held");
    expect(await head.lock()).toBeUndefined();
    holder.kill("SIGKILL");
    await once(holder, "exit");
    await expect
      .poll(async () => {
        const lock = await head.lock();
        await lock?.release();
        return lock !== undefined;
      })
      .toBe(true);
  });

  it("tells its holder when the server ended the session, and the next one can have it", async () => {
    const database = await openDatabase(server());
    const head = new PostgresHead(database, "terminated");
    const lock = (await head.lock())!;
    const lost = new Promise<StoreError>((resolve) => lock.onLost(resolve));
    await sql(
      database,
      "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted",
    );
    expect(await lost).toMatchObject({ code: "BP-STORE-035" });
    expect(lock.held).toBe(false);
    const again = await new Promise((resolve) => lock.onLost(resolve)); // who asks late hears it too
    expect(again).toMatchObject({ code: "BP-STORE-035" });
    await expect(head.compareAndSwap(0, utf8("too late"))).rejects.toMatchObject({ code: "BP-STORE-035" });
    await lock.release();
    const next = (await head.lock())!;
    expect(await head.compareAndSwap(0, utf8("one"))).toBe("committed");
    await next.release();
    expect(await head.compareAndSwap(1, utf8("two"))).toBe("committed"); // who gave it up is no loser
  });

  it("tells its holder when another session answers, as behind a pooler", { timeout: 20_000 }, async () => {
    const database = await openDatabase(server());
    const session = await database.session();
    const lock = (await PostgresLock.take(session, 1n))!;
    const lost = new Promise<StoreError>((resolve) => lock.onLost(resolve));
    // What a pooler does between two transactions.
    await session.query({ action: "reset", kind: "read", text: "DISCARD ALL" });
    expect((await lost).message).toMatch(/pooler/);
  });
});
