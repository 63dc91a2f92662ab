/**
 * The tables, in a schema of their own, and how they come to be: numbered steps, each applied once, in one transaction
 * under an advisory lock, so that any number of processes may start at once.
 * @module
 */
import type { Answer, PostgresSession, Statement } from "./postgres-driver.ts";
import { StoreError } from "./store-error.ts";

/** A number that no other program should use for an advisory lock: "bootproo" in ASCII. */
const MIGRATION_LOCK = 0x62_6f_6f_74_70_72_6f_6fn;

/** Step n brings the schema from version n to n + 1. A step that was released never changes. */
const STEPS: readonly string[] = [
  `
  CREATE TABLE bootproof.head (
    log text PRIMARY KEY,
    generation bigint NOT NULL CHECK (generation > 0),
    bytes bytea NOT NULL,
    moved timestamptz NOT NULL DEFAULT now()
  );
  CREATE SEQUENCE bootproof.object_version;
  CREATE TABLE bootproof.object (
    log text NOT NULL,
    key text COLLATE "C" NOT NULL,
    version bigint NOT NULL DEFAULT nextval('bootproof.object_version'),
    bytes bytea NOT NULL,
    PRIMARY KEY (log, key)
  );
  CREATE SEQUENCE bootproof.pending_id;
  CREATE TABLE bootproof.pending (
    log text NOT NULL,
    id bigint NOT NULL,
    identity bytea NOT NULL,
    entry bytea NOT NULL,
    PRIMARY KEY (log, id),
    UNIQUE (log, identity)
  );
  CREATE TABLE bootproof.settled (
    log text NOT NULL,
    identity bytea NOT NULL,
    index bigint NOT NULL CHECK (index >= 0),
    PRIMARY KEY (log, identity)
  );
  ALTER TABLE bootproof.object ALTER COLUMN bytes SET STORAGE EXTERNAL;
  ALTER TABLE bootproof.pending SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
  `,
];

/** Whether the schema is the one of this program; throws StoreError when it is a later one's. */
export async function isSchemaCurrent(ask: (statement: Statement) => Promise<Answer>): Promise<boolean> {
  return (await readVersion(ask)) === STEPS.length;
}

/** Brings the schema up to date. */
export async function migrate(session: PostgresSession): Promise<void> {
  const run = (text: string): Promise<Answer> =>
    session.query({ action: "make the tables", kind: "write", text });
  await run("BEGIN");
  await session.query({
    action: "make the tables",
    kind: "write",
    text: "SELECT pg_advisory_xact_lock($1::bigint)",
    values: [MIGRATION_LOCK],
  });
  const version = await readVersion((statement) => session.query(statement));
  if (version === 0)
    await run(`
      CREATE SCHEMA IF NOT EXISTS bootproof;
      CREATE TABLE IF NOT EXISTS bootproof.schema_version (
        version integer PRIMARY KEY,
        applied timestamptz NOT NULL DEFAULT now()
      )`);
  for (const [at, step] of STEPS.entries()) {
    if (at < version) continue;
    await run(step);
    await run(`INSERT INTO bootproof.schema_version (version) VALUES (${at + 1})`);
  }
  await run("COMMIT");
}

async function readVersion(ask: (statement: Statement) => Promise<Answer>): Promise<number> {
  const action = "read the version of the tables";
  const found = await ask({
    action,
    kind: "read",
    text: "SELECT to_regclass('bootproof.schema_version') IS NOT NULL AS is_there",
  });
  if (found.rows[0]?.["is_there"] !== true) return 0;
  const text = "SELECT coalesce(max(version), 0)::integer AS version FROM bootproof.schema_version";
  const version = (await ask({ action, kind: "read", text })).rows[0]?.["version"];
  if (typeof version !== "number") throw new StoreError("BP-STORE-038", "the tables have no version");
  if (version > STEPS.length)
    throw new StoreError("BP-STORE-033", "the tables were made by a later version of bootproof", {
      expected: `schema version ${STEPS.length}`,
      found: String(version),
      hint: "use that version; nothing was changed",
    });
  return version;
}
