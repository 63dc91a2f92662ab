/**
 * The HTTP server under every service: bounds in size, time and number, one answer a request, and an end that
 * completes what is under way. It is `node:http` and nothing above it (docs/adr/0012).
 * @module
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import { Refused, refuseAsText, type Answer, type Refusal } from "./answer.ts";
import { PlainPosts, type PlainPost } from "./plain-post.ts";
import { Asked, Gone } from "./request.ts";
import { UnsentBytes } from "./unsent.ts";

const HEADERS_MS = 10_000;
const REQUEST_MS = 15_000;
/** How often connections are looked at that take too long to ask. */
const CHECK_MS = 1_000;
const KEEP_ALIVE_MS = 60_000;
/** A connection on which nothing moves: longer than anybody waits for an answer. */
const SILENT_MS = 150_000;
const MAX_CONNECTIONS = 2048;
const MAX_HEADER_BYTES = 8192;
const MAX_HEADERS = 64;

/** A page or an action of a service. */
export interface Route {
  /** Its name in journal and metrics: one of few. */
  readonly name: string;
  /** A page that is got may be asked for with HEAD too. */
  readonly method: "GET" | "POST";
  readonly answer: (asked: Asked) => Answer | Promise<Answer>;
}

/** How one request was answered. */
export interface Answered {
  readonly method: string;
  readonly route: string;
  readonly status: number;
  readonly ms: number;
  /** Length of the answer's body. */
  readonly bytes: number;
  readonly about?: Answer["about"];
  /** What went wrong, when nobody foresaw it. */
  readonly error?: unknown;
}

/** What a server serves. */
export interface Service {
  /** The route of a path, which is as it was sent. */
  readonly route: (path: string) => Route | undefined;
  /** A path that is answered in a short way, when it is asked as load generators do. */
  readonly plainPost?: PlainPost | undefined;
  /** How refusals look; as text by default. */
  readonly refuse?: (refusal: Refusal, path: string) => Answer;
  /** Hears of each answer. */
  readonly answered?: (answered: Answered) => void;
}

/** Where to listen. */
export interface Address {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
}

/** A server that listens. */
export interface RunningServer {
  readonly url: string;
  /** Takes no more requests, completes those under way, and ends; after `grace` milliseconds it does not wait. */
  stop(grace?: number): Promise<void>;
}

const GRACE_MS = 3_000;

/** Starts to listen; rejects when the address cannot be had. */
export async function startServer(service: Service, { host, port }: Address): Promise<RunningServer> {
  const frame = new Frame(service);
  const server = createServer(
    {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: HEADERS_MS,
      requestTimeout: REQUEST_MS,
      connectionsCheckingInterval: CHECK_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
    },
    (message, response) => void frame.handle(message, response),
  );
  server.maxConnections = MAX_CONNECTIONS;
  server.maxHeadersCount = MAX_HEADERS;
  server.timeout = SILENT_MS;
  const plain = service.plainPost === undefined ? undefined : new PlainPosts(server, service.plainPost);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  const { port: given } = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${given}/`,
    stop: (grace = GRACE_MS) => {
      frame.stopping = true;
      return stopServer(server, plain, grace);
    },
  };
}

async function stopServer(server: Server, plain: PlainPosts | undefined, grace: number): Promise<void> {
  const ended = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  plain?.stop();
  const late = setTimeout(() => {
    server.closeAllConnections();
    plain?.close();
  }, grace);
  await ended;
  clearTimeout(late);
}

class Frame {
  stopping = false;
  readonly #service: Service;
  readonly #refuse: (refusal: Refusal, path: string) => Answer;
  readonly #unsent = new UnsentBytes();

  constructor(service: Service) {
    this.#service = service;
    this.#refuse = service.refuse ?? refuseAsText;
  }

  async handle(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const start = performance.now();
    const url = message.url ?? "";
    const mark = url.indexOf("?");
    const path = mark < 0 ? url : url.slice(0, mark);
    const method = message.method ?? "";
    const route = this.#service.route(path);
    const asked = new Asked(message, path, mark < 0 ? "" : url.slice(mark + 1));
    let answer: Answer | undefined;
    let error: unknown;
    try {
      const refusal = this.#refusalOf(route, method);
      if (refusal !== undefined || route === undefined) answer = this.#refuse(refusal ?? NO_PAGE, path);
      else answer = await route.answer(asked);
    } catch (thrown) {
      if (!(thrown instanceof Refused || thrown instanceof Gone)) error = thrown;
      answer = this.#refuse(refusalFor(thrown), path);
    }
    // A body that was not read would be taken for the next request.
    const close = answer.close === true || this.stopping || asked.unread;
    const gone = response.destroyed;
    this.#send(response, answer, { close, headersOnly: method === "HEAD" });
    this.#service.answered?.({
      method,
      route: route?.name ?? "none",
      status: answer.status,
      ms: performance.now() - start,
      bytes: gone ? 0 : answer.body.length,
      ...(answer.about === undefined ? {} : { about: answer.about }),
      ...(error === undefined ? {} : { error }),
    });
  }

  #refusalOf(route: Route | undefined, method: string): Refusal | undefined {
    if (route === undefined) return NO_PAGE;
    if (this.stopping) return STOPPING;
    if (method === route.method || (method === "HEAD" && route.method === "GET")) return undefined;
    const allow = route.method === "GET" ? "GET, HEAD" : "POST";
    return { status: 405, code: "BP-SERVE-002", message: `${allow} only`, headers: ["allow", allow] };
  }

  #send(
    response: ServerResponse,
    { body, status, type, headers = [] }: Answer,
    { close, headersOnly }: { readonly close: boolean; readonly headersOnly: boolean },
  ): void {
    if (response.destroyed) return;
    const length = typeof body === "string" ? Buffer.byteLength(body) : body.length;
    const about = status === 304 ? [] : ["content-type", type, "content-length", String(length)];
    const all = [...about, ...headers];
    if (close) all.push("connection", "close");
    response.writeHead(status, all);
    if (headersOnly) response.end();
    else response.end(body);
    this.#unsent.watch(response, length);
  }
}

function refusalFor(thrown: unknown): Refusal {
  if (thrown instanceof Refused) return thrown.refusal;
  return thrown instanceof Gone ? GONE : UNFORESEEN;
}

const NO_PAGE: Refusal = { status: 404, code: "BP-SERVE-001", message: "no such page" };
const STOPPING: Refusal = {
  status: 503,
  code: "BP-SERVE-006",
  message: "this server is stopping",
  retryAfter: 5,
  close: true,
};
/** For the journal only: nobody hears it. */
const GONE: Refusal = { status: 499, code: "BP-SERVE-013", message: "the client hung up", close: true };
const UNFORESEEN: Refusal = {
  status: 500,
  code: "BP-SERVE-009",
  message: "the server cannot answer now",
};
