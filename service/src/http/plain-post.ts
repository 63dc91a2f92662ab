/**
 * A short way for one kind of request: a POST of a whole body with a length to one path, as load generators send it. The
 * connection is read here; the first request that is anything else, and all that follow on that connection, go to
 * `node:http` as if nothing had been read. There a request costs twice the processor time, and a load generator
 * shares the processor with what it measures.
 * @module
 */
import type { Server } from "node:http";
import type { Socket } from "node:net";

const MAX_HEAD = 4096;
const HEAD_END = Buffer.from("\r\n\r\n");
/** How long a request may take to arrive, and how often that is looked at. */
const REQUEST_MS = 15_000;
/** How long a connection may say nothing between requests, or leave answers unread. */
const IDLE_MS = 60_000;
const LOOK_MS = 1_000;

/** How to answer one path. */
export interface PlainPost {
  readonly path: string;
  /** Bytes of a body; larger ones go the long way, which refuses them. */
  readonly limit: number;
  /** Answers a body, once; it is called for one request of a connection at a time. */
  readonly answer: (body: Uint8Array, done: (answer: PlainAnswer) => void) => void;
}

/** An answer, ready to be written. */
export interface PlainAnswer {
  readonly status: number;
  readonly reason: string;
  readonly body: string;
  /** Further header lines, each with its line end. */
  readonly headers?: string;
}

/** The connections that ask in the short way. */
export class PlainPosts {
  readonly #post: PlainPost;
  readonly #connections = new Set<PlainConnection>();
  readonly #look: ReturnType<typeof setInterval>;
  #stopping = false;

  /** Puts the short way before a server, which must not listen yet. */
  constructor(server: Server, post: PlainPost) {
    this.#post = post;
    const listeners = server.listeners("connection") as ((socket: Socket) => void)[];
    server.removeAllListeners("connection");
    server.on("connection", (socket: Socket) => {
      const connection = new PlainConnection(socket, this.#post, () => {
        this.#connections.delete(connection);
        for (const listener of listeners) listener.call(server, socket);
      });
      this.#connections.add(connection);
      socket.once("close", () => this.#connections.delete(connection));
      connection.stopping = this.#stopping;
    });
    this.#look = setInterval(() => {
      for (const connection of this.#connections) connection.endIfSlow();
    }, LOOK_MS);
    this.#look.unref();
  }

  /** Ends connections on which nothing is under way, and the others after their answer. */
  stop(): void {
    this.#stopping = true;
    clearInterval(this.#look);
    for (const connection of this.#connections) connection.stop();
  }

  /** Ends all that is left. */
  close(): void {
    for (const connection of this.#connections) connection.close();
  }
}

class PlainConnection {
  stopping = false;
  readonly #socket: Socket;
  readonly #post: PlainPost;
  readonly #start: Buffer;
  readonly #handOver: () => void;
  #unread: Buffer | undefined;
  #since = 0;
  #wanted = 0;
  /** Whether an answer is awaited, or has not left yet. */
  #busy = false;
  #answering = false;
  /** Whether the other side sends nothing more. */
  #ended = false;

  constructor(socket: Socket, post: PlainPost, handOver: () => void) {
    this.#socket = socket;
    this.#post = post;
    this.#handOver = handOver;
    this.#start = Buffer.from(`POST ${post.path} HTTP/1.1\r\n`);
    socket.setNoDelay(true);
    this.#since = performance.now();
    socket.on("data", this.#read);
    socket.on("end", this.#end);
    socket.on("error", this.#failed);
  }

  stop(): void {
    this.stopping = true;
    if (!this.#busy) this.#socket.destroy();
  }

  close(): void {
    this.#socket.destroy();
  }

  /** Lets go of whoever does not finish asking or does not read, and of connections that say nothing at all. */
  endIfSlow(): void {
    if (this.#answering) return;
    const patience = this.#busy || this.#unread === undefined ? IDLE_MS : REQUEST_MS;
    if (performance.now() - this.#since > patience) this.#socket.destroy();
  }

  readonly #failed = (): void => {
    this.#socket.destroy();
  };

  /** Sockets of an HTTP server stay half open until somebody ends them. */
  readonly #end = (): void => {
    this.#ended = true;
    this.#endIfDone();
  };

  readonly #read = (chunk: Buffer): void => {
    if (this.#unread === undefined) {
      this.#unread = chunk;
      this.#since = performance.now();
    } else this.#unread = Buffer.concat([this.#unread, chunk]);
    // Whoever sends the next request before the answer may wait with the rest of it.
    if (this.#busy) this.#socket.pause();
    else if (this.#unread.length >= this.#wanted) this.#next();
  };

  #next(): void {
    const unread = this.#unread;
    if (unread === undefined) return;
    const begun = unread.subarray(0, this.#start.length);
    const end = unread.indexOf(HEAD_END);
    if (!begun.equals(this.#start.subarray(0, begun.length)) || end > MAX_HEAD) this.#giveAway();
    else if (end >= 0) this.#take(unread, end);
    else if (unread.length > MAX_HEAD) this.#giveAway();
  }

  #take(unread: Buffer, end: number): void {
    const length = lengthOf(unread.toString("latin1", this.#start.length - 2, end + 2));
    if (length === undefined || length > this.#post.limit) {
      this.#giveAway();
      return;
    }
    const from = end + HEAD_END.length;
    this.#wanted = from + length;
    if (unread.length < this.#wanted) return;
    const body = new Uint8Array(unread.buffer, unread.byteOffset + from, length);
    this.#unread = unread.length === this.#wanted ? undefined : unread.subarray(this.#wanted);
    this.#wanted = 0;
    this.#busy = true;
    this.#answering = true;
    this.#post.answer(body, this.#reply);
  }

  readonly #reply = ({ status, reason, body, headers = "" }: PlainAnswer): void => {
    this.#answering = false;
    this.#since = performance.now();
    const more = this.stopping ? `${headers}connection: close\r\n` : headers;
    const about = `content-type: text/plain; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(body)}\r\n${more}`;
    // Whoever reads no answers is read no further.
    if (this.#socket.write(`HTTP/1.1 ${status} ${reason}\r\n${about}\r\n${body}`)) this.#goOn();
    else this.#socket.once("drain", this.#goOn);
  };

  readonly #goOn = (): void => {
    this.#busy = false;
    if (this.#unread !== undefined && !this.stopping) {
      this.#since = performance.now();
      this.#socket.resume();
      this.#next();
    }
    this.#endIfDone();
  };

  #endIfDone(): void {
    if (!this.#busy && (this.#ended || this.stopping)) this.#socket.end();
  }

  #giveAway(): void {
    const socket = this.#socket;
    // Nothing can be put back once the end was read.
    if (this.#ended) return;
    socket.off("data", this.#read);
    socket.off("end", this.#end);
    socket.off("error", this.#failed);
    socket.pause();
    if (this.#unread !== undefined) socket.unshift(this.#unread);
    this.#unread = undefined;
    this.#handOver();
    socket.resume();
  }
}

/** Whole lines of a name and visible text: what else there is, such as folded lines or bare line ends, `node:http` judges. */
const LINES = /^\r\n(?:[!#$%&'*+.^_`|~0-9a-z-]+:[ -~]*\r\n)+$/;
const UNUSUAL =
  /\r\n(?:transfer-encoding|expect|upgrade|connection|proxy-connection|keep-alive|content-encoding):/;

/** The length of a body that is sent whole and without asking first; undefined when the head says anything unusual. */
function lengthOf(head: string): number | undefined {
  const lower = head.toLowerCase();
  if (!LINES.test(lower) || UNUSUAL.test(lower)) return undefined;
  const host = lower.indexOf("\r\nhost:");
  if (host < 0 || lower.includes("\r\nhost:", host + 1)) return undefined;
  const found = /\r\ncontent-length: *([0-9]{1,6}) *\r\n/.exec(lower);
  if (found === null || lower.indexOf("content-length") !== lower.lastIndexOf("content-length"))
    return undefined;
  return Number(found[1]);
}
