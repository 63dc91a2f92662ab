/**
 * Which entries of a log carry a key (an identity, a digest), on one SQLite file, so that memory stays flat however
 * large the log. It can always be made again from the log: a file that is damaged, of another form, or that a power cut
 * may have torn is removed and begun anew, and `entries` says where to go on.
 *
 * That is why its writes are not synced: syncing them costs more than the log itself. A writer notes, synced, in which
 * run of the kernel it writes; a file that was not closed in that run may lack anything.
 * @module
 */
import { closeSync, openSync, readFileSync, readSync, rmSync } from "node:fs";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { errnoOf, StoreError, type StoreErrorCode } from "./store-error.ts";

/** Number of the form below. */
const FORM = 1;
const SCHEMA = `
  CREATE TABLE key_entry (key BLOB NOT NULL, entry INTEGER NOT NULL, PRIMARY KEY (key, entry)) WITHOUT ROWID;
  CREATE TABLE state (entries INTEGER NOT NULL, writer TEXT NOT NULL);
  INSERT INTO state VALUES (0, '');
  PRAGMA user_version = ${FORM};`;
/** Written into a new file before anything else, so that what is no index can be told from a damaged one. */
const APPLICATION = 0x4250_4b49;
const SQLITE_MAGIC = "SQLite format 3\0";
/** Where SQLite's header holds the application's number (sqlite.org/fileformat2.html, section 1.3). */
const APPLICATION_OFFSET = 68;
const CACHE_KIB = 8192;
/** How long to wait for another process, in milliseconds. */
const PATIENCE_MS = 5000;
const BOOT_ID = "/proc/sys/kernel/random/boot_id";

/** SQLite's primary result codes. */
const SQL_ERROR = 1;
const IO_ERROR = 10;
const CORRUPT = 11;
const FULL = 13;
const NOT_A_DATABASE = 26;
const CODES: Readonly<Record<number, StoreErrorCode>> = {
  [IO_ERROR]: "BP-STORE-002",
  [FULL]: "BP-STORE-001",
  [CORRUPT]: "BP-STORE-040",
  [NOT_A_DATABASE]: "BP-STORE-040",
};

/** SQLite keeps any value in any column: what was written by somebody else is no entry's index. */
const IS_INDEX = "typeof(entry) = 'integer' AND entry >= 0";

/** An index from keys to the entries that carry them. */
export class KeyIndex {
  readonly #path: string;
  readonly #database: DatabaseSync;
  readonly #find: StatementSync;
  readonly #has: StatementSync;
  readonly #first: StatementSync;
  readonly #after: StatementSync;
  readonly #insert: StatementSync;
  readonly #cover: StatementSync;
  #entries: bigint;
  #writing = false;

  private constructor(path: string, database: DatabaseSync) {
    this.#path = path;
    this.#database = database;
    this.#find = database.prepare(
      `SELECT entry FROM key_entry WHERE key = ? AND entry >= ? AND ${IS_INDEX} ORDER BY entry LIMIT ?`,
    );
    this.#find.setReadBigInts(true);
    this.#has = database.prepare("SELECT 1 FROM key_entry WHERE key = ? AND entry = ?");
    this.#first = database.prepare(
      `SELECT entry FROM key_entry WHERE key = ? AND ${IS_INDEX} ORDER BY entry LIMIT 1`,
    );
    this.#first.setReadBigInts(true);
    this.#after = database.prepare("SELECT DISTINCT key FROM key_entry WHERE key > ? ORDER BY key LIMIT ?");
    this.#insert = database.prepare("INSERT OR IGNORE INTO key_entry VALUES (?, ?)");
    this.#cover = database.prepare("UPDATE state SET entries = ?");
    this.#entries = integer(database, "SELECT entries AS n FROM state");
  }

  /** Opens the index at `path`, making it when it is absent or cannot be relied on; throws {@link StoreError}. */
  static open(path: string): KeyIndex {
    try {
      return KeyIndex.#try(path);
    } catch (error) {
      // An SQL error: its tables are not ours.
      const isOurs = ![SQL_ERROR, CORRUPT, NOT_A_DATABASE].includes(resultCode(error) ?? 0);
      if (isOurs && !(error instanceof Unreliable)) throw storeError(path, error);
    }
    removeFiles(path);
    try {
      return KeyIndex.#try(path);
    } catch (error) {
      throw storeError(path, error);
    }
  }

  /** Whether a file is something else, which must not be taken for a damaged index and made anew. */
  static isForeign(path: string): boolean {
    const head = readHead(path);
    if (head === undefined || head.length === 0) return false;
    const isSqlite = head.subarray(0, SQLITE_MAGIC.length).toString("latin1") === SQLITE_MAGIC;
    return (
      !isSqlite ||
      head.length < APPLICATION_OFFSET + 4 ||
      head.readUInt32BE(APPLICATION_OFFSET) !== APPLICATION
    );
  }

  static #try(path: string): KeyIndex {
    const isNew = (readHead(path)?.length ?? 0) === 0;
    const database = new DatabaseSync(path, { timeout: PATIENCE_MS });
    try {
      if (isNew) database.exec(`PRAGMA application_id = ${APPLICATION}`);
      database.exec(`PRAGMA journal_mode = WAL; PRAGMA cache_size = -${CACHE_KIB}; PRAGMA synchronous = OFF`);
      prepare(database);
      return new KeyIndex(path, database);
    } catch (error) {
      database.close();
      throw error;
    }
  }

  /** How many entries it covers: those before this index. */
  get entries(): bigint {
    return this.#entries;
  }

  /** How many pairs of a key and an entry there are; together with {@link find} of each it shows that none is extra. */
  get pairs(): bigint {
    return this.#run(() => integer(this.#database, "SELECT count(*) AS n FROM key_entry"));
  }

  /** The entries from `from` on that carry `key`, in order; at most `limit` of them. */
  find(key: Uint8Array, from = 0n, limit = -1): bigint[] {
    return this.#run(() => this.#find.all(key, from, limit).map(({ entry }) => entry as bigint));
  }

  /** The first entry that carries each of several keys: one look at the file for all of them. */
  firstOfEach(keys: readonly Uint8Array[]): (bigint | undefined)[] {
    return this.#run(() => {
      const isOwn = !this.#database.isTransaction;
      if (isOwn) this.#database.exec("BEGIN");
      try {
        return keys.map((key) => this.#first.get(key)?.["entry"] as bigint | undefined);
      } finally {
        if (isOwn) this.#database.exec("COMMIT");
      }
    });
  }

  /** The keys after `key`, in order; at most `limit` of them. */
  keysAfter(key: Uint8Array, limit: number): Uint8Array[] {
    return this.#run(() => this.#after.all(key, limit).map((row) => row["key"] as Uint8Array));
  }

  /** Whether it knows that an entry carries a key. */
  has(key: Uint8Array, entry: bigint): boolean {
    return this.#run(() => this.#has.get(key, entry) !== undefined);
  }

  /**
   * How many keys each entry has, in order, leaving out those without any; SQLite sorts them outside of memory. What is
   * no index counts as entry -1.
   */
  *keyCounts(): Generator<{ readonly entry: bigint; readonly keys: bigint }> {
    const index = `CASE WHEN ${IS_INDEX} THEN entry ELSE -1 END`;
    const query = `SELECT ${index} AS entry, count(*) AS keys FROM key_entry GROUP BY 1 ORDER BY 1`;
    const statement = this.#run(() => this.#database.prepare(query));
    statement.setReadBigInts(true);
    const rows = this.#run(() => statement.iterate());
    try {
      for (let row = this.#run(() => rows.next()); row.done !== true; row = this.#run(() => rows.next()))
        yield row.value as { entry: bigint; keys: bigint };
    } finally {
      // An open query would keep the file from being closed.
      rows.return?.();
    }
  }

  /** Does `work` on the index as it is now, whatever another process appends meanwhile. */
  async snapshot<T>(work: () => Promise<T>): Promise<T> {
    this.#run(() => {
      this.#database.exec("BEGIN");
      this.#entries = integer(this.#database, "SELECT entries AS n FROM state");
    });
    try {
      return await work();
    } finally {
      if (this.#database.isOpen && this.#database.isTransaction) this.#database.exec("COMMIT");
    }
  }

  /** Takes the keys of the entries that follow those covered so far, of all or, when it throws, of none. */
  append(keysOfEach: readonly (readonly Uint8Array[])[]): void {
    this.#run(() => {
      this.#noteWriter();
      this.#transaction(() => {
        for (const { key, entry } of inOrder(keysOfEach, this.#entries)) this.#insert.run(key, entry);
        this.#cover.run(this.#entries + BigInt(keysOfEach.length));
      });
    });
    this.#entries += BigInt(keysOfEach.length);
  }

  /** Forgets everything. */
  clear(): void {
    this.#run(() => {
      this.#noteWriter();
      this.#transaction(() => {
        this.#database.exec("DELETE FROM key_entry");
        this.#cover.run(0n);
      });
    });
    this.#entries = 0n;
  }

  /** Makes everything durable and closes the file. */
  close(): void {
    if (!this.#database.isOpen) return;
    if (this.#writing)
      this.#run(() => {
        // Only what the first checkpoint has synced may be called whole by what the second one syncs.
        this.#database.exec("PRAGMA synchronous = FULL; PRAGMA wal_checkpoint(TRUNCATE)");
        this.#database.exec("UPDATE state SET writer = ''; PRAGMA wal_checkpoint(TRUNCATE)");
      });
    this.#database.close();
  }

  /** Notes, before the first change, that from now on a power cut may tear the file. */
  #noteWriter(): void {
    if (this.#writing) return;
    this.#database.exec("PRAGMA synchronous = FULL");
    this.#database.prepare("UPDATE state SET writer = ?").run(bootId() ?? "unknown");
    this.#database.exec("PRAGMA synchronous = OFF");
    this.#writing = true;
  }

  #transaction(work: () => void): void {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      work();
      this.#database.exec("COMMIT");
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw error;
    }
  }

  /** A file that turns out to be damaged is removed, so that the next to open it begins anew. */
  #run<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      const code = resultCode(error);
      if (code === CORRUPT || code === NOT_A_DATABASE) {
        this.#database.close();
        removeFiles(this.#path);
      }
      throw storeError(this.#path, error);
    }
  }
}

/** Pairs in the order of the file, so that each of its pages is touched once. */
function inOrder(
  keysOfEach: readonly (readonly Uint8Array[])[],
  from: bigint,
): { readonly key: Uint8Array; readonly entry: bigint }[] {
  const pairs = keysOfEach.flatMap((keys, at) => keys.map((key) => ({ key, entry: from + BigInt(at) })));
  return pairs.sort((one, other) => Buffer.compare(one.key, other.key));
}

/** The file is of another form, or a power cut may have torn it. */
class Unreliable extends Error {}

function prepare(database: DatabaseSync): void {
  const form = integer(database, "PRAGMA user_version", "user_version");
  if (form === 0n) {
    // Another process may be making it as well: who comes second finds it made.
    database.exec("BEGIN IMMEDIATE");
    if (integer(database, "PRAGMA user_version", "user_version") === 0n) database.exec(SCHEMA);
    database.exec("COMMIT");
    return;
  }
  const state = form === BigInt(FORM) ? database.prepare("SELECT writer FROM state").get() : undefined;
  const writer = state?.["writer"];
  if (writer !== "" && (writer === undefined || writer !== bootId())) throw new Unreliable();
}

function integer(database: DatabaseSync, query: string, column = "n"): bigint {
  const statement = database.prepare(query);
  statement.setReadBigInts(true);
  const value = statement.get()?.[column];
  if (typeof value !== "bigint") throw new Unreliable();
  return value;
}

/** Names this run of the kernel; undefined where it has no name. */
function bootId(): string | undefined {
  try {
    return readFileSync(BOOT_ID, "utf8").trim();
  } catch {
    return undefined;
  }
}

/** The first bytes of a file; undefined when there is none. */
function readHead(path: string): Buffer | undefined {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  }
  try {
    const head = Buffer.alloc(100);
    return head.subarray(0, readSync(file, head));
  } finally {
    closeSync(file);
  }
}

function removeFiles(path: string): void {
  for (const suffix of ["", "-wal", "-shm"]) rmSync(path + suffix, { force: true });
}

/** SQLite's primary result code, when `error` is SQLite's. */
function resultCode(error: unknown): number | undefined {
  if (errnoOf(error) !== "ERR_SQLITE_ERROR" || !(error instanceof Error) || !("errcode" in error))
    return undefined;
  return typeof error.errcode === "number" ? error.errcode & 0xff : undefined;
}

function storeError(file: string, cause: unknown): unknown {
  if (cause instanceof StoreError) return cause;
  const why = cause instanceof Error ? cause.message : String(cause);
  const code = CODES[resultCode(cause) ?? 0] ?? "BP-STORE-010";
  const hint = "it holds nothing that the log does not: when it was damaged, it is made anew the next time";
  return new StoreError(code, `cannot use the index of keys ${file}: ${why}`, { file, cause, hint });
}
