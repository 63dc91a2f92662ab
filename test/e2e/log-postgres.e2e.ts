/**
 * A log whose head and stages are in PostgreSQL and whose files are in a folder.
 * @module
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { utf8 } from "@bootproof/bytes";
import { Log } from "@bootproof/log";
import { DirectoryObjects } from "@bootproof/store";
import { PostgresDatabase, PostgresHead, PostgresObjects } from "@bootproof/store/postgres";
import { startPostgres, type PostgresServer } from "@bootproof/store/postgres-server";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { collect, crashEverywhere, logOn, raceWriters, type Stores } from "./log-crash-points.ts";

let server: PostgresServer | undefined;
let folder = "";
const databases: PostgresDatabase[] = [];

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "bootproof-log-postgres-"));
  server = await startPostgres();
});
afterAll(async () => {
  await Promise.all(databases.map((database) => database.close()));
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

async function storesOf(log: string): Promise<Stores> {
  const database = await PostgresDatabase.open({ url: server?.url ?? "", password: server?.password ?? "" });
  databases.push(database);
  return {
    objects: await DirectoryObjects.open(path.join(folder, log)),
    staging: new PostgresObjects(database, log),
    head: new PostgresHead(database, log),
  };
}

describe("a log on PostgreSQL: nothing that was told may be lost", () => {
  it.each(["undone", "done"] as const)("is whole after a crash at any of its writes (%s)", async (fate) => {
    const stores = await storesOf(fate);
    expect(await crashEverywhere(stores, fate)).toBeGreaterThan(10);
    expect(await collect(stores)).toBeGreaterThan(10);
  });

  it("tells the second writer that there is a first", async () => {
    await (await Log.create(logOn(await storesOf("two")))).close();
    expect(await raceWriters(await storesOf("two"), await storesOf("two"))).toBe("LOCKED");
    // Without the lock, as when its session is lost unnoticed, the head decides.
    const [one, other] = [await storesOf("two"), await storesOf("two")].map((stores) => {
      const { head } = stores;
      return { ...stores, head: { read: () => head.read(), compareAndSwap: head.compareAndSwap.bind(head) } };
    });
    expect(one && other && (await raceWriters(one, other))).toBe("CONFLICT");
  });

  it("goes on where it was when the server is killed under it, ten times", async () => {
    const told = new Map<string, bigint>();
    for (let round = 0; round < 10; round++) {
      const stores = await storesOf("killed");
      const log = round === 0 ? await Log.create(logOn(stores)) : await Log.open(logOn(stores));
      let alive = true;
      const append = async (): Promise<void> => {
        for (let at = 0; alive; at++) {
          const entry = `entry ${round} ${at}`;
          const [appended] = await log.append([utf8(entry)]);
          if (appended !== undefined) told.set(entry, appended.index);
        }
      };
      const appending = append().catch(() => (alive = false));
      const before = told.size;
      await expect.poll(() => told.size, { timeout: 20_000 }).toBeGreaterThan(before + round);
      await server?.kill9();
      await appending;
      expect(alive).toBe(false);
      await log.close();
      await server?.restart();
    }
    const log = await Log.open(logOn(await storesOf("killed")));
    expect((await log.audit()).fault).toBeUndefined();
    for (const [entry, index] of told)
      expect(Buffer.from(await log.reader.entry(index)).toString()).toBe(entry);
    await log.close();
  });
});
