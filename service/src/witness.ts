/**
 * A witness over HTTP: `POST /add-checkpoint`, and `GET /<hex SHA-256 of an origin>/checkpoint` for monitors (C2SP
 * tlog-witness). What a stranger sends is bounded in size and time before anything is done with it.
 * @module
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import { ADD_CHECKPOINT_PATH, MAX_ADD_CHECKPOINT_SIZE, type Witness } from "@bootproof/log";

const REQUEST_MS = 10_000;
const KEEP_ALIVE_MS = 60_000;
const GRACE_MS = 3_000;
const MAX_CONNECTIONS = 1024;
const MAX_HEADER_BYTES = 8192;
const TEXT = "text/plain; charset=utf-8";

/** What is served. */
export interface WitnessService {
  readonly witness: () => Promise<Witness>;
  /** The origin with that hex SHA-256, when it is known. */
  readonly originOf: (hash: string) => Promise<string | undefined>;
  /** Hears of each answer, and of what went wrong. */
  readonly report: (line: string) => void;
}

/** A server that listens. */
export interface RunningServer {
  readonly url: string;
  /** Takes no more requests, completes those under way, and ends. */
  stop(): Promise<void>;
}

/** Starts to listen; rejects when the address cannot be had. */
export async function serveWitness(
  service: WitnessService,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<RunningServer> {
  const server = createServer(
    { maxHeaderSize: MAX_HEADER_BYTES, requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS },
    (request, response) => void handle(service, request, response),
  );
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.maxConnections = MAX_CONNECTIONS;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  const { port: given } = server.address() as AddressInfo;
  return { url: `http://${host.includes(":") ? `[${host}]` : host}:${given}/`, stop: () => stop(server) };
}

async function stop(server: Server): Promise<void> {
  const ended = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const late = setTimeout(() => server.closeAllConnections(), GRACE_MS);
  await ended;
  clearTimeout(late);
}

async function handle(
  service: WitnessService,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = (request.url ?? "").split("?")[0] ?? "";
  try {
    const monitored = /^\/([0-9a-f]{64})\/checkpoint$/.exec(path)?.[1];
    if (path === `/${ADD_CHECKPOINT_PATH}`) await addCheckpoint(service, request, response);
    else if (monitored !== undefined) await showCheckpoint(service, monitored, request, response);
    else
      answer(
        response,
        path === "/healthz" ? 200 : 404,
        TEXT,
        path === "/healthz" ? "ok\n" : "no such page\n",
      );
  } catch (error) {
    service.report(`500 ${path}: ${error instanceof Error ? error.message : String(error)}`);
    if (!response.headersSent) answer(response, 500, TEXT, "the witness cannot answer now\n");
    else response.destroy();
  }
}

async function addCheckpoint(
  service: WitnessService,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (request.method !== "POST") {
    response.setHeader("allow", "POST");
    answer(response, 405, TEXT, "POST only\n");
    return;
  }
  const body = await readBody(request);
  if (body === undefined) {
    // What is still on its way is not read.
    response.setHeader("connection", "close");
    answer(response, 413, TEXT, `at most ${MAX_ADD_CHECKPOINT_SIZE} bytes\n`);
    service.report("413 add-checkpoint");
    return;
  }
  const { status, contentType, body: text, about } = await (await service.witness()).addCheckpoint(body);
  answer(response, status, contentType, text);
  const what = about === undefined ? "" : ` ${JSON.stringify(about.origin)} ${String(about.size)}`;
  const why = status === 200 ? "" : `: ${new TextDecoder().decode(text).trim()}`;
  service.report(`${status} add-checkpoint${what}${why}`);
}

async function showCheckpoint(
  { witness, originOf }: WitnessService,
  hash: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (request.method !== "GET" && request.method !== "HEAD") {
    response.setHeader("allow", "GET, HEAD");
    answer(response, 405, TEXT, "GET only\n");
    return;
  }
  const origin = await originOf(hash);
  const note = origin === undefined ? undefined : await (await witness()).latest(origin);
  if (note === undefined) {
    answer(response, 404, TEXT, "nothing cosigned\n");
    return;
  }
  response.setHeader("cache-control", "no-cache");
  response.setHeader("access-control-allow-origin", "*");
  answer(response, 200, TEXT, note);
}

function answer(response: ServerResponse, status: number, type: string, body: string | Uint8Array): void {
  response.writeHead(status, { "content-type": type, "content-length": Buffer.byteLength(body) });
  response.end(body);
}

/** The body, or undefined when it is too large. */
async function readBody(request: IncomingMessage): Promise<Uint8Array | undefined> {
  if (Number(request.headers["content-length"] ?? 0) > MAX_ADD_CHECKPOINT_SIZE) return undefined;
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_ADD_CHECKPOINT_SIZE) return undefined;
    chunks.push(chunk);
  }
  return new Uint8Array(Buffer.concat(chunks));
}
