/**
 * The compare-and-swap head of a log as one row. A swap is one statement, which changes the row of the generation that
 * was expected or none; without an answer nobody can tell, and it fails with BP-STORE-034.
 * @module
 */
import type { Head } from "./directory-head.ts";
import type { PostgresDatabase } from "./postgres-database.ts";
import { PostgresLock } from "./postgres-lock.ts";
import { bytesOf, checkLogName, checkSize, countOf, numberOf, type Row } from "./postgres-rows.ts";
import { StoreError } from "./store-error.ts";

/** Heads hold a checkpoint and names. */
const MAX_HEAD = 1024 * 1024;

const READ = "SELECT generation, bytes FROM bootproof.head WHERE log = $1";
const GENERATION = "SELECT generation FROM bootproof.head WHERE log = $1";
const CREATE = `INSERT INTO bootproof.head (log, generation, bytes) VALUES ($1, 1, $2)
  ON CONFLICT (log) DO NOTHING`;
const MOVE = `UPDATE bootproof.head SET generation = generation + 1, bytes = $2, moved = now()
  WHERE log = $1 AND generation = $3::bigint`;

/** A value in a database that only moves from the generation its writer has seen. */
export class PostgresHead {
  readonly #database: PostgresDatabase;
  readonly #log: string;
  #lock: PostgresLock | undefined;

  constructor(database: PostgresDatabase, log: string) {
    checkLogName(log);
    this.#database = database;
    this.#log = log;
  }

  /** Takes the lock that one writer at a time holds; undefined when another does. */
  async lock(): Promise<PostgresLock | undefined> {
    const lock = await PostgresLock.take(await this.#database.session(), numberOf("writer of", this.#log));
    if (lock !== undefined) this.#lock = lock;
    return lock;
  }

  /** The newest generation, or undefined when nothing was committed yet. */
  async read(): Promise<Head | undefined> {
    const row = await this.#row(READ);
    return row && { generation: countOf(row, "generation"), bytes: bytesOf(row, "bytes") };
  }

  /** The number of the newest generation, 0 when nothing was committed yet. */
  async generation(): Promise<number> {
    const row = await this.#row(GENERATION);
    return row === undefined ? 0 : countOf(row, "generation");
  }

  /**
   * Commits `bytes` as generation `expected` + 1; "conflict" means that somebody else committed. A writer that lost the
   * lock it took here does not: it throws BP-STORE-035, so that the one who has it now is not disturbed.
   */
  async compareAndSwap(expected: number, bytes: Uint8Array): Promise<"committed" | "conflict"> {
    if (!Number.isSafeInteger(expected) || expected < 0)
      throw new StoreError("BP-STORE-008", `not a generation: ${expected}`);
    checkSize("a head", bytes.length, MAX_HEAD);
    if (this.#lock?.lost !== undefined) throw this.#lock.lost;
    const { count } = await this.#database.query({
      action: `move the head of ${this.#log} from generation ${expected}`,
      kind: "write",
      text: expected === 0 ? CREATE : MOVE,
      values: expected === 0 ? [this.#log, bytes] : [this.#log, bytes, expected],
    });
    return count === 1 ? "committed" : "conflict";
  }

  async #row(text: string): Promise<Row | undefined> {
    const action = `read the head of ${this.#log}`;
    return (await this.#database.query({ action, kind: "read", text, values: [this.#log] })).rows[0];
  }
}
