/**
 * The one door to `pg`: sessions with time limits on both sides, and a pool of them. A session whose answer did not come
 * is never used again.
 * @module
 */
import { readFile } from "node:fs/promises";
import { Client, DatabaseError, Pool, type ClientBase, type ClientConfig } from "pg";
import type { PostgresAddress, TlsMode } from "./postgres-address.ts";
import { postgresError, unknownOutcome, type StatementKind } from "./postgres-error.ts";
import { findPassword } from "./postgres-password.ts";
import { system } from "./store-error.ts";

/** Values of a statement's parameters. */
export type Parameter = string | number | bigint | Uint8Array | readonly Uint8Array[] | readonly string[];

/** A statement: what it does in words, for errors, and how. */
export interface Statement {
  readonly action: string;
  readonly kind: StatementKind;
  readonly text: string;
  readonly values?: readonly Parameter[];
}

/** What a statement answered. */
export interface Answer {
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  /** Rows read or changed. */
  readonly count: number;
}

/** How long to wait, in milliseconds. */
export interface PostgresTimes {
  readonly connect: number;
  /** What the server gives one statement; this side waits half as long again. */
  readonly statement: number;
}

/** What all sessions of a database share. */
export interface PostgresSettings {
  readonly address: PostgresAddress;
  readonly times: PostgresTimes;
  readonly connections: number;
  /** Instead of the environment and the password file. */
  readonly password?: string;
}

const KEEP_ALIVE = 10_000;

async function clientConfig(settings: PostgresSettings): Promise<ClientConfig> {
  const { address, times } = settings;
  const probe = new Client(target(address));
  const { host, port } = probe;
  const { user = "", database = "" } = probe;
  return {
    ...target(address),
    ssl: await tlsOptions(address.tls, address.rootCertificate),
    password: async () =>
      settings.password ?? (await findPassword({ host, port, user, database }, process.env)) ?? "",
    application_name: "bootproof",
    connectionTimeoutMillis: times.connect,
    statement_timeout: times.statement,
    lock_timeout: times.statement,
    query_timeout: times.statement * 1.5,
    idle_in_transaction_session_timeout: times.statement,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE,
  };
}

const target = ({ host, port, user, database }: PostgresAddress): ClientConfig => ({
  host,
  port,
  user,
  database,
});

async function tlsOptions(mode: TlsMode, rootCertificate: string | undefined): Promise<ClientConfig["ssl"]> {
  if (mode === "disable") return false;
  const ca =
    rootCertificate === undefined
      ? undefined
      : await system("read", rootCertificate, readFile(rootCertificate));
  return {
    rejectUnauthorized: true,
    ...(ca === undefined ? {} : { ca }),
    ...(mode === "verify-ca" ? { checkServerIdentity: () => undefined } : {}),
  };
}

/** Asks one client; warnings during a write mean that it is less durable than it should be. */
async function ask(client: ClientBase, { action, kind, text, values = [] }: Statement): Promise<Answer> {
  const warnings: string[] = [];
  const onNotice = ({ code, message }: { code: string | undefined; message: string | undefined }): void => {
    if (code?.startsWith("01") === true) warnings.push(message ?? code);
  };
  client.on("notice", onNotice);
  try {
    const { rows, rowCount } = await client.query<Record<string, unknown>>(text, values.map(asDriverValue));
    // "canceling wait for synchronous replication" comes as one: committed here, and perhaps nowhere else.
    if (kind === "write" && warnings[0] !== undefined) throw unknownOutcome(action, warnings[0]);
    return { rows, count: rowCount ?? 0 };
  } catch (cause) {
    throw postgresError(action, kind, cause, stateOf(cause));
  } finally {
    client.off("notice", onNotice);
  }
}

const stateOf = (cause: unknown): string | undefined =>
  cause instanceof DatabaseError ? cause.code : undefined;

/** The driver takes Buffers for bytea, views of the same bytes. */
function asDriverValue(value: Parameter): unknown {
  if (value instanceof Uint8Array) return asBuffer(value);
  if (Array.isArray(value))
    return (value as readonly unknown[]).map((one) => (one instanceof Uint8Array ? asBuffer(one) : one));
  return typeof value === "bigint" ? value.toString() : value;
}

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** One connection of its own, for what belongs to a session: locks, listening, transactions. */
export class PostgresSession {
  readonly #client: Client;
  #turn: Promise<unknown> = Promise.resolve();
  /** Settles when the connection is gone, for whatever reason. */
  readonly ended: Promise<void>;

  private constructor(client: Client) {
    this.#client = client;
    this.ended = new Promise((resolve) => {
      client.once("end", resolve);
      client.on("error", () => resolve());
    });
  }

  /** Connects; throws StoreError. */
  static async open(settings: PostgresSettings): Promise<PostgresSession> {
    const client = new Client(await clientConfig(settings));
    const session = new PostgresSession(client);
    try {
      await client.connect();
    } catch (cause) {
      throw postgresError("connect to the database", "read", cause, stateOf(cause));
    }
    return session;
  }

  /** Asks one statement after the other; one without an answer ends the session. */
  async query(statement: Statement): Promise<Answer> {
    const answer = this.#turn.then(() => ask(this.#client, statement));
    this.#turn = answer.catch((error: unknown) => {
      if (!isServersAnswer(error)) void this.close();
    });
    return answer;
  }

  /** Calls `listener` with the channel of each notification. */
  onNotification(listener: (channel: string) => void): void {
    this.#client.on("notification", ({ channel }) => listener(channel));
  }

  /** Lets the process end although this session is open. */
  unref(): void {
    (this.#client as Referenced).unref();
  }

  /** Ends the session; the process does not end before. */
  async close(): Promise<void> {
    (this.#client as Referenced).ref();
    await this.#client.end().catch(() => undefined);
  }
}

/** What is missing in the types of pg. */
type Referenced = Client & { ref(): void; unref(): void };

/** Sessions that statements share, each checked once when it begins. */
export class PostgresPool {
  readonly #pool: Pool;

  private constructor(pool: Pool) {
    this.#pool = pool;
    // A connection that dies while nobody uses it is replaced by the next that is needed.
    pool.on("error", () => undefined);
  }

  /** A pool whose sessions have all passed `check`. */
  static async open(
    settings: PostgresSettings,
    check: (ask: (statement: Statement) => Promise<Answer>) => Promise<void>,
  ): Promise<PostgresPool> {
    const verify = (client: ClientBase, done: (error?: Error) => void): void => {
      // Whoever asks hears of it; without this a connection that dies meanwhile would end the process too.
      client.on("error", () => undefined);
      check((statement) => ask(client, statement)).then(() => done(), done);
    };
    const config = {
      ...(await clientConfig(settings)),
      max: settings.connections,
      allowExitOnIdle: true,
      verify,
    };
    return new PostgresPool(new Pool(config));
  }

  /** Asks one statement, a transaction of its own; throws StoreError. */
  async query(statement: Statement): Promise<Answer> {
    const client = await this.#pool.connect().catch((cause: unknown) => {
      // Nothing was sent, so nothing can have happened.
      throw postgresError(statement.action, "read", cause, stateOf(cause));
    });
    let broken = true;
    try {
      const answer = await ask(client, statement);
      broken = false;
      return answer;
    } catch (error) {
      broken = !isServersAnswer(error);
      throw error;
    } finally {
      client.release(broken);
    }
  }

  /** Ends all sessions. */
  async close(): Promise<void> {
    await this.#pool.end();
  }
}

/** Whether the server refused and the session is as good as before. */
function isServersAnswer(error: unknown): boolean {
  return (
    error instanceof Error &&
    error.cause instanceof DatabaseError &&
    !/^(08|57P)/.test(error.cause.code ?? "08")
  );
}
