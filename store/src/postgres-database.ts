/**
 * A PostgreSQL database for heads, private objects and queues of logs. It is used only when it keeps what it has
 * acknowledged: every session is asked for `synchronous_commit` and `fsync` when it begins.
 * @module
 */
import { parsePostgresUrl } from "./postgres-address.ts";
import {
  PostgresPool,
  PostgresSession,
  type Answer,
  type PostgresSettings,
  type PostgresTimes,
  type Statement,
} from "./postgres-driver.ts";
import { standBy } from "./postgres-error.ts";
import { PostgresListener } from "./postgres-listener.ts";
import { onlyRow } from "./postgres-rows.ts";
import { isSchemaCurrent, migrate } from "./postgres-schema.ts";
import { StoreError } from "./store-error.ts";

/** Where the database is and how to use it. */
export interface PostgresOptions {
  /** `postgres://user@host:port/database?sslmode=...`, without a password. */
  readonly url: string;
  /** Instead of PGPASSWORD or the password file. */
  readonly password?: string;
  /** Sessions at once, besides one a lock and one to listen; 8 if not said. */
  readonly connections?: number;
  readonly times?: Partial<PostgresTimes>;
}

const CONNECTIONS = 8;
const TIMES: PostgresTimes = { connect: 5_000, statement: 10_000 };

/** An open database. */
export class PostgresDatabase {
  readonly #settings: PostgresSettings;
  readonly #pool: PostgresPool;
  readonly #listener: PostgresListener;

  private constructor(settings: PostgresSettings, pool: PostgresPool) {
    this.#settings = settings;
    this.#pool = pool;
    this.#listener = new PostgresListener(() => this.session());
  }

  /** Connects, makes or checks the tables, and refuses a server that may forget; throws StoreError. */
  static async open(options: PostgresOptions): Promise<PostgresDatabase> {
    const { url, password, connections = CONNECTIONS, times } = options;
    const settings: PostgresSettings = {
      address: parsePostgresUrl(url),
      times: { ...TIMES, ...times },
      connections,
      ...(password === undefined ? {} : { password }),
    };
    const pool = await PostgresPool.open(settings, refuseForgetful);
    const database = new PostgresDatabase(settings, pool);
    try {
      if (!(await isSchemaCurrent((statement) => pool.query(statement)))) await database.#migrate();
      return database;
    } catch (error) {
      await database.close();
      throw error;
    }
  }

  async #migrate(): Promise<void> {
    const session = await this.session();
    try {
      await migrate(session);
    } finally {
      await session.close();
    }
  }

  /** Asks one statement, which is a transaction of its own. */
  async query(statement: Statement): Promise<Answer> {
    return this.#pool.query(statement);
  }

  /** A session of the caller's own, checked like all others. */
  async session(): Promise<PostgresSession> {
    const session = await PostgresSession.open(this.#settings);
    try {
      await refuseForgetful((statement) => session.query(statement));
      return session;
    } catch (error) {
      await session.close();
      throw error;
    }
  }

  /**
   * Calls `listener` after each notification on `channel`, and whenever one may have been missed. Returns how to stop.
   */
  listen(channel: string, listener: () => void): () => void {
    return this.#listener.listen(channel, listener);
  }

  /** Ends all sessions but those that others hold. */
  async close(): Promise<void> {
    await Promise.all([this.#listener.close(), this.#pool.close()]);
  }
}

/** The first is set to what it is, so that no reload of the configuration changes it under this session. */
const SETTINGS = `SELECT pg_catalog.set_config('synchronous_commit',
    pg_catalog.current_setting('synchronous_commit'), false) AS synchronous_commit,
  pg_catalog.current_setting('fsync') AS fsync, pg_catalog.current_setting('transaction_read_only') AS read_only`;

async function refuseForgetful(ask: (statement: Statement) => Promise<Answer>): Promise<void> {
  const { rows } = await ask({ action: "read the server's settings", kind: "read", text: SETTINGS });
  const row = onlyRow(rows);
  if (row["read_only"] !== "off") throw standBy();
  for (const setting of ["synchronous_commit", "fsync"])
    if (row[setting] === "off")
      throw new StoreError(
        "BP-STORE-032",
        `this PostgreSQL server may forget what it acknowledged: ${setting} is off`,
        {
          expected: `${setting} = on`,
          found: "off",
          hint: `set ${setting} = on for the server, the database and the role; a log that forgets forks`,
        },
      );
}
