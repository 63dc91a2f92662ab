/**
 * Named private objects of a log as rows: its stages. Each write gives the row a version that never comes again, so
 * that a replacement which was overtaken is seen.
 * @module
 */
import { equalBytes, firstDifference } from "@bootproof/bytes";
import { checkKey } from "./key.ts";
import type { PostgresDatabase } from "./postgres-database.ts";
import type { Answer, Parameter } from "./postgres-driver.ts";
import type { StatementKind } from "./postgres-error.ts";
import { bigintOf, bytesOf, checkLogName, checkSize, textOf } from "./postgres-rows.ts";
import { StoreError } from "./store-error.ts";

/** A stage holds one batch; hexadecimal doubles it on its way. */
const MAX_OBJECT = 64 * 1024 * 1024;

const GET = "SELECT bytes FROM bootproof.object WHERE log = $1 AND key = $2";
const VERSION = "SELECT version FROM bootproof.object WHERE log = $1 AND key = $2";
const CREATE = `INSERT INTO bootproof.object (log, key, bytes) VALUES ($1, $2, $3)
  ON CONFLICT (log, key) DO NOTHING`;
const REPLACE = `UPDATE bootproof.object SET bytes = $3, version = nextval('bootproof.object_version')
  WHERE log = $1 AND key = $2 AND version = $4::bigint`;
const PUT = `INSERT INTO bootproof.object (log, key, bytes) VALUES ($1, $2, $3)
  ON CONFLICT (log, key) DO UPDATE SET bytes = excluded.bytes, version = excluded.version`;
const DELETE = "DELETE FROM bootproof.object WHERE log = $1 AND key = $2";
const LIST = "SELECT key FROM bootproof.object WHERE log = $1 AND starts_with(key, $2) ORDER BY key";

/** Objects by key, a relative path, in a database. */
export class PostgresObjects {
  readonly #database: PostgresDatabase;
  readonly #log: string;

  constructor(database: PostgresDatabase, log: string) {
    checkLogName(log);
    this.#database = database;
    this.#log = log;
  }

  /** Creates an object; the same bytes again are fine, other bytes throw {@link StoreError}. */
  async putImmutable(key: string, bytes: Uint8Array): Promise<void> {
    check(key, bytes);
    if ((await this.#ask("write", "create", CREATE, key, bytes)).count === 1) return;
    const stored = await this.get(key);
    if (stored === undefined)
      throw new StoreError("BP-STORE-009", `${key} was deleted while it was created`, { file: key });
    if (equalBytes(stored, bytes)) return;
    throw new StoreError("BP-STORE-007", `${key} exists with other bytes and must never change`, {
      file: key,
      expected: `the ${stored.length} bytes stored`,
      found: `${bytes.length} bytes that differ at offset ${firstDifference(stored, bytes) ?? 0}`,
    });
  }

  /**
   * Creates or replaces an object as one step. With `confirm` it replaces what was there before that call and nothing
   * else: it fails when another replacement came in between.
   */
  async putMutable(key: string, bytes: Uint8Array, confirm?: () => Promise<void>): Promise<void> {
    check(key, bytes);
    if (confirm === undefined) {
      await this.#ask("write", "replace", PUT, key, bytes);
      return;
    }
    const [row] = (await this.#ask("read", "read", VERSION, key)).rows;
    await confirm();
    const { count } =
      row === undefined
        ? await this.#ask("write", "create", CREATE, key, bytes)
        : await this.#ask("write", "replace", REPLACE, key, bytes, bigintOf(row, "version"));
    if (count !== 1)
      throw new StoreError("BP-STORE-020", `${key} was replaced by another writer first`, { file: key });
  }

  /** The object's bytes, or undefined when there is none. */
  async get(key: string): Promise<Uint8Array | undefined> {
    checkKey(key);
    const [row] = (await this.#ask("read", "read", GET, key)).rows;
    return row && bytesOf(row, "bytes");
  }

  /** Deletes the object, if it is there. */
  async delete(key: string): Promise<void> {
    checkKey(key);
    await this.#ask("write", "delete", DELETE, key);
  }

  /** Keys that start with `prefix`, in order. */
  async list(prefix = ""): Promise<string[]> {
    return (await this.#ask("read", "list", LIST, prefix)).rows.map((row) => textOf(row, "key"));
  }

  async #ask(
    kind: StatementKind,
    verb: string,
    text: string,
    key: string,
    ...more: readonly Parameter[]
  ): Promise<Answer> {
    const action = `${verb} ${key} of ${this.#log}`;
    return this.#database.query({ action, kind, text, values: [this.#log, key, ...more] });
  }
}

function check(key: string, bytes: Uint8Array): void {
  checkKey(key);
  checkSize(key, bytes.length, MAX_OBJECT);
}
