/**
 * What a service says while it runs: one line of JSON for each request and each event. Lines of requests are written a
 * few at a time, since a write for each costs more than many a request. Bodies, keys and addresses are never in it.
 * @module
 */
import type { Answered } from "../http/frame.ts";
import { messageOf } from "../http/answer.ts";

/** How bad a line is. */
export type Level = "info" | "warn" | "error";

const WRITE_AFTER_MS = 100;
const WRITE_AFTER_CHARACTERS = 32_768;

/** Writes lines. */
export class Journal {
  readonly #write: (text: string) => void;
  #text = "";
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  /** Says how a request was answered. */
  answered({ method, route, status, ms, bytes, about, error }: Answered): void {
    const level = status >= 500 ? "error" : status >= 400 ? "warn" : "info";
    const line = {
      method,
      route,
      status,
      ms: Math.round(ms * 1000) / 1000,
      bytes,
      ...(about?.publisher === undefined ? {} : { publisher: about.publisher }),
      ...(about?.code === undefined ? {} : { code: about.code }),
      ...(error === undefined ? {} : { error: messageOf(error) }),
    };
    this.#add(level, line);
    if (level === "error") this.flush();
  }

  /** Says that something happened that no request asked for. */
  event(level: Level, event: string, detail: Readonly<Record<string, unknown>> = {}): void {
    this.#add(level, { event, ...detail });
    this.flush();
  }

  /** Writes what waits. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const text = this.#text;
    this.#text = "";
    if (text !== "") this.#write(text);
  }

  #add(level: Level, line: object): void {
    this.#text += `${JSON.stringify({ time: new Date().toISOString(), level, ...line })}\n`;
    if (this.#text.length >= WRITE_AFTER_CHARACTERS) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), WRITE_AFTER_MS);
  }
}
