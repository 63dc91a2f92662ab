/**
 * The lock of a log's one writer: an advisory lock, which belongs to a session of its own and is gone when that is, by
 * kill -9 of either side too. A session can be lost without its owner doing anything, so the owner is told; until it has
 * heard, the compare-and-swap keeps the log whole.
 * @module
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { PostgresSession } from "./postgres-driver.ts";
import { bigintOf, onlyRow, type Row } from "./postgres-rows.ts";
import { StoreError } from "./store-error.ts";

/** How often the session is asked whether it still is the one that took the lock. */
const BEAT = 2_000;
/** After so much silence the server gives up a peer whose machine is gone: 10 + 3 * 5 seconds. */
const KEEP_ALIVE = `SELECT pg_catalog.set_config('tcp_keepalives_idle', '10', false),
  pg_catalog.set_config('tcp_keepalives_interval', '5', false), pg_catalog.set_config('tcp_keepalives_count', '3', false),
  pg_catalog.set_config('idle_session_timeout', '0', false)`;
const TAKE =
  "SELECT pg_catalog.pg_try_advisory_lock($1::bigint) AS taken, pg_catalog.pg_backend_pid()::bigint AS backend";
/** Behind a pooler that hands out sessions by the transaction the answer would be another backend's. */
const CHECK = `SELECT pg_catalog.pg_backend_pid()::bigint AS backend, EXISTS (
  SELECT FROM pg_catalog.pg_locks WHERE locktype = 'advisory' AND granted AND pid = pg_catalog.pg_backend_pid()
  AND objsubid = 1 AND (classid::bigint << 32 | objid::bigint) = $1::bigint) AS held`;

/** A lock that this process holds, or held. */
export class PostgresLock {
  readonly #session: PostgresSession;
  readonly #number: bigint;
  readonly #backend: bigint;
  readonly #released = new AbortController();
  readonly #listeners = new Set<(reason: StoreError) => void>();
  #lost: StoreError | undefined;

  private constructor(session: PostgresSession, number: bigint, backend: bigint) {
    this.#session = session;
    this.#number = number;
    this.#backend = backend;
    void this.#watch();
  }

  /** Takes lock `number` in `session`, which it closes at the end; undefined, at once, when another holds it. */
  static async take(session: PostgresSession, number: bigint): Promise<PostgresLock | undefined> {
    try {
      await session.query({ action: "set keep-alives", kind: "read", text: KEEP_ALIVE });
      const row = await ask(session, TAKE, number);
      if (row["taken"] === true) {
        session.unref();
        return new PostgresLock(session, number, bigintOf(row, "backend"));
      }
    } catch (error) {
      await session.close();
      throw error;
    }
    await session.close();
    return undefined;
  }

  /** Whether nothing is known against this process being the writer. */
  get held(): boolean {
    return this.#lost === undefined && !this.#released.signal.aborted;
  }

  /** Why the lock was lost; undefined while it is held, and when it was released. */
  get lost(): StoreError | undefined {
    return this.#lost;
  }

  /** Calls `listener` once when the lock is lost, at once if it was; not when it is released. Returns how to stop. */
  onLost(listener: (reason: StoreError) => void): () => void {
    if (this.#lost !== undefined) listener(this.#lost);
    else this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Gives the lock up. */
  async release(): Promise<void> {
    this.#released.abort();
    await this.#session.close();
  }

  async #watch(): Promise<void> {
    const { signal } = this.#released;
    const ended = this.#session.ended.then(() => true);
    try {
      for (;;) {
        const pause = sleep(BEAT, false, { signal, ref: false }).catch(() => true);
        if (await Promise.race([ended, pause])) throw new Error("its connection is gone");
        const row = await ask(this.#session, CHECK, this.#number);
        if (row["held"] !== true || bigintOf(row, "backend") !== this.#backend)
          throw new Error("another session answers: is there a pooler between?");
      }
    } catch (cause) {
      if (!signal.aborted) await this.#lose(cause);
    }
  }

  async #lose(cause: unknown): Promise<void> {
    const why = cause instanceof Error ? cause.message : "no answer";
    const reason = new StoreError("BP-STORE-035", `the lock of this log's writer was lost: ${why}`, {
      cause,
      hint: "stop writing and open the log again; locks need sessions of their own, not a transaction pooler",
    });
    this.#lost = reason;
    await this.#session.close();
    for (const listener of this.#listeners) listener(reason);
    this.#listeners.clear();
  }
}

async function ask(session: PostgresSession, text: string, number: bigint): Promise<Row> {
  return onlyRow(
    (await session.query({ action: "lock the log", kind: "read", text, values: [number] })).rows,
  );
}
