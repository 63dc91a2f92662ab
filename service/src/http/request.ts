/**
 * A request as a route sees it. What a stranger sends is bounded before anything is done with it.
 * @module
 */
import type { IncomingMessage } from "node:http";

import { Refused } from "./answer.ts";

/** A request that a route answers. */
export class Asked {
  /** The path as it was sent: nothing is decoded, so nothing can be hidden in it. */
  readonly path: string;
  readonly #query: string;
  readonly #message: IncomingMessage;

  constructor(message: IncomingMessage, path: string, query: string) {
    this.path = path;
    this.#query = query;
    this.#message = message;
  }

  /** Whether there is a body that was not read to its end. */
  get unread(): boolean {
    const { headers, complete } = this.#message;
    return !complete && (headers["content-length"] ?? headers["transfer-encoding"] ?? "0") !== "0";
  }

  /** A header, by its name in lower case. */
  header(name: string): string | undefined {
    const value = this.#message.headers[name];
    return Array.isArray(value) ? value.join(", ") : value;
  }

  /** The parameters after `?`; refuses those that are not named here or come twice. */
  parameters(names: readonly string[]): ReadonlyMap<string, string> {
    const found = new Map<string, string>();
    if (this.#query === "") return found;
    for (const part of this.#query.split("&")) {
      const [name = "", value = ""] = part.split("=", 2);
      if (!names.includes(name)) throw badQuery(`there is no such parameter; this page takes ${list(names)}`);
      if (found.has(name)) throw badQuery(`the parameter ${name} is there twice`);
      found.set(name, value);
    }
    return found;
  }

  /** The body; refuses one of more than `limit` bytes as soon as that is known. */
  body(limit: number): Promise<Uint8Array> {
    const message = this.#message;
    if (Number(message.headers["content-length"] ?? 0) > limit) return Promise.reject(tooLarge(limit));
    return new Promise((resolve, reject) => {
      const chunks: Buffer[] = [];
      let size = 0;
      message.on("data", (chunk: Buffer) => {
        size += chunk.length;
        if (size > limit) {
          message.pause();
          reject(tooLarge(limit));
        } else chunks.push(chunk);
      });
      message.on("end", () => resolve(joined(chunks)));
      message.on("error", () => reject(new Gone()));
      message.on("close", () => {
        if (!message.complete) reject(new Gone());
      });
    });
  }
}

/** Whoever asked has hung up. */
export class Gone extends Error {
  override readonly name = "Gone";

  constructor() {
    super("the client hung up");
  }
}

function joined(chunks: readonly Buffer[]): Uint8Array {
  const [only] = chunks;
  const bytes = chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks);
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}

const list = (names: readonly string[]): string => (names.length === 0 ? "none" : names.join(", "));

function badQuery(message: string): Refused {
  return new Refused({ status: 400, code: "BP-SERVE-004", message });
}

function tooLarge(limit: number): Refused {
  // What is still on its way is not read.
  return new Refused({
    status: 413,
    code: "BP-SERVE-003",
    message: `at most ${limit} bytes`,
    close: true,
  });
}
