/**
 * A proxy between a client and a log that does to answers what broken networks, caches and liars do: it truncates,
 * delays, reorders, replays, forks, redirects, floods and talks nonsense. What it does can be changed at any time.
 * @module
 */
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { afterAll } from "vitest";

/** An answer as it came from the log. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** A request that the proxy has to answer somehow. */
export interface Exchange {
  readonly method: string;
  /** With its leading slash. */
  readonly path: string;
  /** How many requests for this path came before. */
  readonly nth: number;
  /** Asks the log, or another one, for the same. */
  readonly ask: (upstream?: string) => Promise<Answer>;
  /** Sends an answer, with a length that is right. */
  readonly send: (answer: Answer) => Promise<void>;
  /** For what only a raw connection can do. */
  readonly response: ServerResponse;
}

/** What a proxy does with a request. */
export type Trouble = (exchange: Exchange) => Promise<void>;

const isTile = (path: string): boolean => path.includes("/tile/");
const isCheckpoint = (path: string): boolean => path.endsWith("/checkpoint");

/** Passes everything on. */
export const honest: Trouble = async ({ ask, send }) => send(await ask());

/** Does something else with the requests that `concerns` names. */
export const only =
  (concerns: (path: string) => boolean, trouble: Trouble): Trouble =>
  (exchange) =>
    (concerns(exchange.path) ? trouble : honest)(exchange);

/** Does something else with the first requests for each path. */
export const first =
  (times: number, trouble: Trouble): Trouble =>
  (exchange) =>
    (exchange.nth < times ? trouble : honest)(exchange);

/** Changes bodies. */
export const changed =
  (change: (body: Buffer) => Buffer): Trouble =>
  async ({ ask, send }) => {
    const answer = await ask();
    await send(answer.status === 200 ? { ...answer, body: change(answer.body) } : answer);
  };

/** Answers with a status of its own. */
export const refuses =
  (status: number, headers: Record<string, string> = {}): Trouble =>
  ({ send }) =>
    send({ status, headers, body: Buffer.from("no\n") });

/** Each trouble under a name that says what is wrong. */
export const TROUBLES: Readonly<Record<string, Trouble>> = {
  "cuts bodies short, with the length of what is left": changed((body) => body.subarray(0, body.length >> 1)),
  "sends empty bodies": changed(() => Buffer.alloc(0)),
  "adds to bodies": changed((body) => Buffer.concat([body, Buffer.from("more")])),
  "flips a bit of tiles": only(
    isTile,
    changed((body) => {
      const flipped = Buffer.from(body);
      flipped[flipped.length >> 1]! ^= 4;
      return flipped;
    }),
  ),
  "answers with a page of HTML": ({ send }) =>
    send({
      status: 200,
      headers: { "content-type": "text/html" },
      body: Buffer.from("<html>Sign in</html>\n"),
    }),
  "drops the connection": ({ response }) => Promise.resolve(void response.destroy()),
  "drops the connection in the body": async ({ ask, response }) => {
    const { body } = await ask();
    response.writeHead(200, { "content-length": body.length });
    response.write(body.subarray(0, body.length >> 1), () => response.destroy());
  },
  "announces more than it sends, and waits": async ({ ask, response }) => {
    const { body } = await ask();
    response.writeHead(200, { "content-length": body.length + 1 });
    response.write(body);
  },
  "announces less than it sends": async ({ ask, response }) => {
    const { body } = await ask();
    const head = `HTTP/1.1 200 OK\r\nContent-Length: ${body.length >> 1}\r\n\r\n`;
    response.socket?.end(Buffer.concat([Buffer.from(head), body]));
  },
  "sends two lengths": async ({ ask, response }) => {
    const { body } = await ask();
    const head = `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\nContent-Length: 3\r\n\r\n`;
    response.socket?.end(Buffer.concat([Buffer.from(head), body]));
  },
  "never answers": () => Promise.resolve(),
  "sends a byte a second": async ({ ask, response }) => {
    const { body } = await ask();
    response.writeHead(200, { "content-length": body.length });
    for (const byte of body) {
      if (response.destroyed) return;
      response.write(Uint8Array.of(byte));
      await sleep(1000, undefined, { ref: false });
    }
    response.end();
  },
  "sends no end": async ({ response }) => {
    response.writeHead(200, { "content-type": "application/octet-stream" });
    const block = Buffer.alloc(65_536, "A");
    const closed = new Promise((resolve) => response.once("close", resolve));
    while (!response.destroyed)
      if (!response.write(block))
        await Promise.race([closed, new Promise((resolve) => response.once("drain", resolve))]);
  },
  "sends a gzip bomb": ({ send }) =>
    send({ status: 200, headers: { "content-encoding": "gzip" }, body: BOMB }),
  "calls plain bytes gzip": async ({ ask, send }) => {
    const answer = await ask();
    await send({ ...answer, headers: { ...answer.headers, "content-encoding": "gzip" } });
  },
  "is always busy": refuses(503),
  "asks to be asked in an hour": refuses(429, { "retry-after": "3600" }),
  "says forbidden": refuses(403),
  "has nothing": refuses(404),
  "redirects in a circle": ({ path, send }) =>
    send({ status: 302, headers: { location: path }, body: Buffer.alloc(0) }),
  "redirects to a file": ({ send }) =>
    send({ status: 302, headers: { location: "file:///etc/passwd" }, body: Buffer.alloc(0) }),
  "speaks no HTTP": ({ response }) => Promise.resolve(void response.socket?.end("SSH-2.0-nonsense\r\n")),
  "sends headers without end": async ({ response }) => {
    const { socket } = response;
    socket?.write("HTTP/1.1 200 OK\r\n");
    for (let at = 0; at < 10_000 && socket?.destroyed === false; at++) {
      socket.write(`X-${at}: ${"y".repeat(1000)}\r\n`);
      if (at % 64 === 0) await sleep(1);
    }
  },
};

/** Zeros that are a thousandth of their size on the wire. */
const BOMB = gzipSync(Buffer.alloc(64 * 2 ** 20));

/** Gives the checkpoint as it is now for ever, and the tiles as they come. */
export async function replaying(upstream: string): Promise<Trouble> {
  const old = await fetchAnswer(`${upstream}/checkpoint`);
  return only(isCheckpoint, ({ send }) => send(old));
}

/** Shows another log: its checkpoint and, when `tilesToo`, its tiles. */
export const forking = (other: string, tilesToo: boolean): Trouble =>
  only(
    (path) => isCheckpoint(path) || tilesToo,
    async ({ ask, send }) => send(await ask(other)),
  );

/** Holds each request back for a while. */
export const delaying =
  (milliseconds: () => number): Trouble =>
  async (exchange) => {
    await sleep(milliseconds());
    await honest(exchange);
  };

/** Gives the answer to one request to the one that came at the same time. */
export function mixing(): Trouble {
  let waiting: { readonly answer: Answer; readonly send: Exchange["send"] } | undefined;
  return async ({ ask, send }) => {
    const answer = await ask();
    if (waiting === undefined) {
      const own = { answer, send };
      waiting = own;
      await sleep(50);
      if (waiting !== own) return;
      waiting = undefined;
      await send(answer);
      return;
    }
    const other = waiting;
    waiting = undefined;
    await Promise.all([other.send(answer), send(other.answer)]);
  };
}

/** A proxy that runs until the file's tests are done. */
export class HostileProxy {
  readonly url: string;
  trouble: Trouble = honest;
  /** Paths that were asked for. */
  readonly asked: string[] = [];
  readonly #counts = new Map<string, number>();
  readonly #upstream: string;

  private constructor(url: string, upstream: string) {
    this.url = url;
    this.#upstream = upstream;
  }

  /** Starts a proxy to a log's URL. */
  static async start(upstream: string): Promise<HostileProxy> {
    const server = createServer((incoming, response) => {
      void proxy.#answer(incoming, response);
    });
    const proxy = new HostileProxy(await listen(server), upstream.replace(/\/+$/, ""));
    afterAll(() => {
      server.closeAllConnections();
      server.close();
    });
    return proxy;
  }

  /** Does something from now on; requests are counted anew. */
  turn(trouble: Trouble): void {
    this.trouble = trouble;
    this.asked.length = 0;
    this.#counts.clear();
  }

  async #answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = incoming.url ?? "/";
    const method = incoming.method ?? "GET";
    const nth = this.#counts.get(path) ?? 0;
    this.#counts.set(path, nth + 1);
    this.asked.push(path);
    const body = await readAll(incoming);
    const ask = (upstream = this.#upstream): Promise<Answer> =>
      fetchAnswer(`${upstream}${path}`, method, body);
    const send = (answer: Answer): Promise<void> =>
      new Promise((resolve) => {
        response.writeHead(answer.status, { ...answer.headers, "content-length": answer.body.length });
        response.end(answer.body, resolve);
      });
    await this.trouble({ method, path, nth, ask, send, response }).catch(() => response.destroy());
  }
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function fetchAnswer(url: string, method = "GET", body: Buffer = Buffer.alloc(0)): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { method, headers: { "content-length": body.length } }, (incoming) => {
      const type = incoming.headers["content-type"];
      readAll(incoming).then((bytes) => {
        const headers = type === undefined ? {} : { "content-type": type };
        resolve({ status: incoming.statusCode ?? 502, headers, body: bytes });
      }, reject);
    });
    asked.on("error", reject);
    asked.end(body);
  });
}

async function readAll(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
