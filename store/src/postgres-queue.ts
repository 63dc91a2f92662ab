/**
 * The queue between a log's front ends and its sequencer. What was put survives everything that the database survives,
 * and stays until it is settled: a sequencer that dies in between does it again, and the log answers with the same
 * index.
 * @module
 */
import { formatHex } from "@bootproof/bytes";
import type { PostgresDatabase } from "./postgres-database.ts";
import {
  bigintOf,
  bytesOf,
  checkLogName,
  checkSize,
  countOf,
  numberOf,
  onlyRow,
  textOf,
} from "./postgres-rows.ts";
import { StoreError } from "./store-error.ts";

/** An entry that waits for its index, and what makes it the same as another. */
export interface Pending {
  readonly identity: Uint8Array;
  readonly bytes: Uint8Array;
}

/** An entry that has its index. */
export interface Settled {
  readonly identity: Uint8Array;
  readonly index: bigint;
}

/** What became of an entry: it waits now, it waited already, or too many do. */
export type Queued = "queued" | "pending" | "full";

/** An entry of a log has a length of 16 bits. */
const MAX_ENTRY = 65_535;
const MAX_IDENTITY = 64;
/** What one statement carries at most; calls made meanwhile go together in the next. */
const MAX_BATCH = 1024;
const MAX_BATCH_BYTES = 8 * 1024 * 1024;

// Rows are inserted in the order of their identities, or two front ends with the same entries could wait for each other.
const PUT = `WITH given AS MATERIALIZED (
  SELECT identity, entry, nth FROM unnest($2::bytea[], $3::bytea[]) WITH ORDINALITY AS given (identity, entry, nth)
), known AS MATERIALIZED (
  SELECT identity FROM given WHERE EXISTS (
    SELECT FROM bootproof.pending p WHERE p.log = $1 AND p.identity = given.identity)
), room AS MATERIALIZED (
  SELECT greatest(0, $4::bigint - count(*)) AS entries
  FROM (SELECT FROM bootproof.pending WHERE log = $1 LIMIT $4::bigint) AS waiting
), fresh AS MATERIALIZED (
  SELECT identity, entry, nextval('bootproof.pending_id') AS id FROM (
    SELECT identity, entry FROM given WHERE identity NOT IN (SELECT identity FROM known)
    ORDER BY nth LIMIT (SELECT entries FROM room)) AS first
), put AS (
  INSERT INTO bootproof.pending (log, id, identity, entry)
  SELECT $1, id, identity, entry FROM fresh ORDER BY identity
  ON CONFLICT (log, identity) DO NOTHING RETURNING identity
), told AS MATERIALIZED (SELECT pg_notify($5, '') FROM (SELECT FROM put LIMIT 1) AS any_put)
SELECT CASE WHEN identity IN (SELECT identity FROM put) THEN 'queued'
    WHEN identity IN (SELECT identity FROM known) OR identity IN (SELECT identity FROM fresh) THEN 'pending'
    ELSE 'full' END AS queued,
  (SELECT count(*) FROM told) AS told
FROM given ORDER BY nth`;

const TAKE = `SELECT identity, entry FROM (
    SELECT id, identity, entry, row_number() OVER oldest AS nth, sum(octet_length(entry)) OVER oldest AS total
    FROM (SELECT id, identity, entry FROM bootproof.pending WHERE log = $1 ORDER BY id LIMIT $2::bigint) AS waiting
    WINDOW oldest AS (ORDER BY id)) AS counted
  WHERE nth = 1 OR total <= $3::bigint ORDER BY id`;

const SETTLE = `WITH done AS MATERIALIZED (
  SELECT identity, index FROM unnest($2::bytea[], $3::bigint[]) AS done (identity, index)
), removed AS (
  DELETE FROM bootproof.pending p USING done WHERE p.log = $1 AND p.identity = done.identity
), settled AS (
  INSERT INTO bootproof.settled (log, identity, index) SELECT $1, identity, index FROM done ORDER BY identity
  ON CONFLICT (log, identity) DO UPDATE SET index = excluded.index
)
SELECT pg_notify($4, '')`;

const FIND = "SELECT index FROM bootproof.settled WHERE log = $1 AND identity = $2";
const SIZE = "SELECT count(*) AS size FROM bootproof.pending WHERE log = $1";

interface Put extends Pending {
  readonly name: string;
  readonly maxPending: number;
  readonly resolve: (queued: Queued) => void;
  readonly reject: (error: unknown) => void;
}

/** The queue of one log. */
export class PostgresQueue {
  readonly #database: PostgresDatabase;
  readonly #log: string;
  readonly #channel: string;
  #puts: Put[] = [];
  #putting = false;

  constructor(database: PostgresDatabase, log: string) {
    checkLogName(log);
    this.#database = database;
    this.#log = log;
    this.#channel = `bootproof_${BigInt.asUintN(64, numberOf("queue of", log)).toString(16)}`;
  }

  /**
   * Puts an entry durably, unless it waits already or `maxPending` do. Several front ends at once may exceed that by
   * what each has under way. Calls made at the same time share a transaction.
   */
  async put(identity: Uint8Array, bytes: Uint8Array, maxPending: number): Promise<Queued> {
    checkIdentity(identity);
    checkSize("an entry", bytes.length, MAX_ENTRY);
    checkCount("maxPending", maxPending);
    return new Promise((resolve, reject) => {
      this.#puts.push({ identity, bytes, maxPending, name: formatHex(identity), resolve, reject });
      if (!this.#putting) void this.#putAll();
    });
  }

  /** The oldest entries, as many as fit the limits but at least one; they stay until they are settled. */
  async take(limits: { readonly entries: number; readonly bytes: number }): Promise<readonly Pending[]> {
    checkCount("entries", limits.entries);
    checkCount("bytes", limits.bytes);
    const { rows } = await this.#database.query({
      action: "take entries from the queue",
      kind: "read",
      text: TAKE,
      values: [this.#log, limits.entries, limits.bytes],
    });
    return rows.map((row) => ({ identity: bytesOf(row, "identity"), bytes: bytesOf(row, "entry") }));
  }

  /** Removes entries that have an index, remembers it, and wakes those who wait. */
  async settle(done: readonly Settled[]): Promise<void> {
    const latest = new Map(done.map((one) => [formatHex(one.identity), one]));
    const all = [...latest.values()];
    for (let at = 0; at < all.length; at += MAX_BATCH) await this.#settle(all.slice(at, at + MAX_BATCH));
  }

  /** The index of an entry that was settled. It is what the sequencer said: verify it against the tree. */
  async find(identity: Uint8Array): Promise<bigint | undefined> {
    checkIdentity(identity);
    const { rows } = await this.#database.query({
      action: "look up an entry",
      kind: "read",
      text: FIND,
      values: [this.#log, identity],
    });
    const [row] = rows;
    return row && bigintOf(row, "index");
  }

  /** How many entries wait. */
  async size(): Promise<number> {
    const statement = { action: "count the queue", kind: "read", text: SIZE, values: [this.#log] } as const;
    return countOf(onlyRow((await this.#database.query(statement)).rows), "size");
  }

  /** Calls `listener` when entries may have been settled, and when that may have been missed. Returns how to stop. */
  onSettled(listener: () => void): () => void {
    return this.#database.listen(`${this.#channel}_settled`, listener);
  }

  /** Calls `listener` when entries may have been put, and when that may have been missed. Returns how to stop. */
  onQueued(listener: () => void): () => void {
    return this.#database.listen(`${this.#channel}_queued`, listener);
  }

  async #settle(done: readonly Settled[]): Promise<void> {
    for (const { identity } of done) checkIdentity(identity);
    await this.#database.query({
      action: "settle entries of the queue",
      kind: "write",
      text: SETTLE,
      values: [
        this.#log,
        done.map(({ identity }) => identity),
        done.map(({ index }) => index.toString()),
        `${this.#channel}_settled`,
      ],
    });
  }

  async #putAll(): Promise<void> {
    this.#putting = true;
    await Promise.resolve(); // calls of the same turn go together
    while (this.#puts.length > 0) {
      const batch = takeBatch(this.#puts);
      try {
        await this.#putBatch(batch);
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#putting = false;
  }

  async #putBatch(batch: readonly Put[]): Promise<void> {
    const { rows } = await this.#database.query({
      action: "put entries into the queue",
      kind: "write",
      text: PUT,
      values: [
        this.#log,
        batch.map(({ identity }) => identity),
        batch.map(({ bytes }) => bytes),
        batch[0]?.maxPending ?? 0,
        `${this.#channel}_queued`,
      ],
    });
    batch.forEach(({ resolve, reject }, at) => {
      const queued = textOf(rows[at] ?? {}, "queued");
      if (queued === "queued" || queued === "pending" || queued === "full") resolve(queued);
      else reject(new StoreError("BP-STORE-038", "the database answers something else than was asked"));
    });
  }
}

/** The oldest calls that one statement can carry: with the same limit, and no entry twice. */
function takeBatch(puts: Put[]): Put[] {
  const names = new Set<string>();
  let bytes = 0;
  const end = puts.findIndex((put) => {
    const fits =
      names.size < MAX_BATCH &&
      bytes < MAX_BATCH_BYTES &&
      put.maxPending === puts[0]?.maxPending &&
      !names.has(put.name);
    names.add(put.name);
    bytes += put.bytes.length;
    return !fits;
  });
  return puts.splice(0, end < 0 ? puts.length : end);
}

function checkIdentity(identity: Uint8Array): void {
  checkSize("an identity", identity.length, MAX_IDENTITY);
  if (identity.length === 0) throw new StoreError("BP-STORE-008", "an identity is empty");
}

function checkCount(what: string, count: number): void {
  if (!Number.isSafeInteger(count) || count < 1)
    throw new StoreError("BP-STORE-008", `not a limit: ${what} ${count}`);
}
