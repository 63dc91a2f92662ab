/**
 * Head, stages and queue of a log in PostgreSQL. Apart, so that only logs that are there load its driver.
 * @module
 */
import { PostgresDatabase, PostgresHead, PostgresObjects, PostgresQueue } from "@bootproof/store/postgres";

import type { PrivateStores } from "./log-stores.ts";

/** Opens the private part of the log of this name. */
export async function openPostgresPrivate(
  url: string,
  origin: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<PrivateStores> {
  const password = env["PGPASSWORD"];
  const database = await PostgresDatabase.open({ url, ...(password === undefined ? {} : { password }) });
  return {
    staging: new PostgresObjects(database, origin),
    head: new PostgresHead(database, origin),
    queue: new PostgresQueue(database, origin),
    close: () => database.close(),
  };
}
