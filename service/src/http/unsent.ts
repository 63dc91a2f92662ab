/**
 * Answers that whoever asked is slow to read. An entry bundle may be 16 MiB, so a crowd of readers that read nothing
 * could take all memory: an answer has a limited time to leave, and when too many bytes wait, the oldest goes.
 * @module
 */
import type { ServerResponse } from "node:http";

const MAX_UNSENT_BYTES = 256 * 2 ** 20;
const SEND_MS = 60_000;
/** What the kernel takes at once for most answers; less is not worth a timer. */
const SMALL = 16_384;

/** The answers under way to slow readers. */
export class UnsentBytes {
  readonly #waiting = new Map<ServerResponse, number>();
  readonly #limit: number;
  readonly #patience: number;
  #bytes = 0;

  constructor(limit: number = MAX_UNSENT_BYTES, patience: number = SEND_MS) {
    this.#limit = limit;
    this.#patience = patience;
  }

  /** Watches an answer of `length` bytes until it has left. */
  watch(response: ServerResponse, length: number): void {
    const unsent = response.socket?.writableLength ?? 0;
    if (length <= SMALL || unsent === 0) return;
    const late = setTimeout(() => response.destroy(), this.#patience);
    late.unref();
    this.#waiting.set(response, length);
    this.#bytes += length;
    response.once("close", () => {
      clearTimeout(late);
      this.#forget(response);
    });
    for (const oldest of this.#waiting.keys()) {
      if (this.#bytes <= this.#limit) break;
      this.#forget(oldest);
      oldest.destroy();
    }
  }

  #forget(response: ServerResponse): void {
    this.#bytes -= this.#waiting.get(response) ?? 0;
    this.#waiting.delete(response);
  }
}
