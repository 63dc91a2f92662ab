/**
 * Logs whose files are in a folder, and whose head and private objects are in a PostgreSQL database under the folder's name.
 * @module
 */
import path from "node:path";
import type { PostgresDatabase } from "@bootproof/store/postgres";
import { PostgresHead, PostgresObjects } from "@bootproof/store/postgres";
import { publicPlace, type PlaceOf } from "./log-on-disk.ts";

/** How to open the log of a folder with this database. */
export function placeOnPostgres(database: PostgresDatabase): PlaceOf {
  return async (folder) => ({
    ...(await publicPlace(folder)),
    staging: new PostgresObjects(database, path.basename(folder)),
    head: new PostgresHead(database, path.basename(folder)),
  });
}

/** Copies the private part of a log. */
export async function copyOnPostgres(database: PostgresDatabase, from: string, to: string): Promise<void> {
  const names = [path.basename(from), path.basename(to)];
  for (const text of [
    "INSERT INTO bootproof.head (log, generation, bytes) SELECT $2, generation, bytes FROM bootproof.head WHERE log = $1",
    "INSERT INTO bootproof.object (log, key, bytes) SELECT $2, key, bytes FROM bootproof.object WHERE log = $1",
  ])
    await database.query({ action: "copy a log", kind: "write", text, values: names });
}
