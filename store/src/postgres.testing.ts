/**
 * A PostgreSQL server for the tests of one file, databases opened on it, and what may stand between.
 * @module
 */
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { afterAll, beforeAll, onTestFinished } from "vitest";
import { PostgresDatabase, type PostgresOptions } from "./postgres-database.ts";
import { startPostgres, type PostgresServer, type PostgresServerOptions } from "./postgres-server.ts";

/** Making a cluster on a busy machine. */
const SLOW = 120_000;

/** Starts a server before the tests of this file; the returned function gives it. */
export function usePostgres(options: PostgresServerOptions = {}): () => PostgresServer {
  let server: PostgresServer | undefined;
  beforeAll(async () => {
    server = await startPostgres(options);
  }, SLOW);
  afterAll(() => server?.stop());
  return () => server!;
}

/** Opens the server's database for one test. */
export async function openDatabase(
  server: PostgresServer,
  options: Partial<PostgresOptions> = {},
): Promise<PostgresDatabase> {
  const database = await PostgresDatabase.open({ url: server.url, password: server.password, ...options });
  onTestFinished(() => database.close());
  return database;
}

/** Runs a statement as it is. */
export async function sql(
  database: PostgresDatabase,
  text: string,
): Promise<readonly Record<string, unknown>[]> {
  return (await database.query({ action: "test", kind: "read", text })).rows;
}

/** What a {@link Cable} does with what the server answers. */
export type CableMode = "whole" | "silent" | "cut";

/** A connection on which the server's answers can be lost. */
export class Cable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** From now on answers arrive, or never do, or the connection breaks instead. */
  mode: CableMode = "whole";
  /** So many answers still arrive; the next one breaks the connection. */
  left: number = Number.POSITIVE_INFINITY;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** Stands between a test and the server. */
  static async to(tcpUrl: string): Promise<{ cable: Cable; url: string }> {
    const { port } = new URL(tcpUrl);
    const server = createServer((near) => {
      const far = connect(Number(port), "127.0.0.1");
      cable.#sockets.add(near).add(far);
      near.pipe(far);
      far.on("data", (bytes: Buffer) => {
        if (cable.left-- <= 0) near.resetAndDestroy();
        else if (cable.mode === "whole") near.write(bytes);
        else if (cable.mode === "cut") near.destroy();
      });
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const) {
        one.on("error", () => other.destroy());
        one.on("close", () => other.destroy());
      }
    });
    const cable = new Cable(server);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => cable.close());
    const url = new URL(tcpUrl);
    url.port = String((server.address() as AddressInfo).port);
    return { cable, url: url.href };
  }

  /** Breaks all connections; new ones are let through. */
  breakAll(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets.clear();
  }

  close(): void {
    this.breakAll();
    this.#server.close();
  }
}
