/**
 * A mirror on loopback for tests: serves files with ranges, and misbehaves where a test says so.
 * @module
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** How a mirror answers for one path, instead of as it should. */
export type Misbehaviour =
  /** Other bytes of the same length. */
  | "lie"
  /** The connection breaks after half of what is left. */
  | "break"
  /** No ranges: always the whole file. */
  | "whole"
  /** Answers 206 for another range than was asked. */
  | "other-range"
  /** Twice the bytes. */
  | "more"
  /** Headers, then nothing. */
  | "silent"
  | 403
  | 404
  | 416
  | 503;

/** A request that a mirror had. */
export interface SeenRequest {
  readonly path: string;
  readonly range: string | undefined;
}

/** A running mirror. */
export class TestMirror {
  readonly files: Map<string, Uint8Array>;
  readonly seen: SeenRequest[] = [];
  /** By path: what to do on the next requests, one entry a request; then it behaves. */
  readonly misbehave: Map<string, Misbehaviour[]> = new Map<string, Misbehaviour[]>();
  readonly #server = createServer((request, response) => this.#answer(request, response));

  constructor(files: ReadonlyMap<string, Uint8Array>) {
    this.files = new Map(files);
  }

  /** Starts the mirror; the result is its base URL. */
  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/debian`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Lets the mirror misbehave for ever at `path`. */
  always(path: string, how: Misbehaviour): void {
    this.misbehave.set(
      path,
      Array.from({ length: 100 }, () => how),
    );
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const path = decodeURIComponent((request.url ?? "").replace(/^\/debian\//, ""));
    const range = request.headers.range;
    this.seen.push({ path, range });
    const how = this.misbehave.get(path)?.shift();
    const bytes = this.files.get(path);
    if (typeof how === "number" || bytes === undefined) {
      response.writeHead(typeof how === "number" ? how : 404).end();
      return;
    }
    const from = how === "whole" ? 0 : Number(/^bytes=([0-9]+)-$/.exec(range ?? "")?.[1] ?? 0);
    if (from > 0) {
      const first = how === "other-range" ? from + 1 : from;
      response.setHeader("content-range", `bytes ${first}-${bytes.length - 1}/${bytes.length}`);
    }
    response.statusCode = from > 0 ? 206 : 200;
    send(response, bytes.slice(from), how);
  }
}

function send(response: ServerResponse, bytes: Uint8Array, how: Misbehaviour | undefined): void {
  if (how === "lie") response.end(bytes.map((byte) => byte ^ 1));
  else if (how === "more") response.end(Buffer.concat([bytes, bytes]));
  else if (how === "silent") response.flushHeaders();
  else {
    response.setHeader("content-length", bytes.length);
    if (how === "break")
      response.write(bytes.subarray(0, Math.ceil(bytes.length / 2)), () => response.destroy());
    else response.end(bytes);
  }
}
