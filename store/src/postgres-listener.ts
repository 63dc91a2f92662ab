/**
 * Hears notifications on a connection of its own, which is made again whenever it is lost. Notifications are hints:
 * after each new connection all listeners are called, for some may have been missed.
 * @module
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { PostgresSession } from "./postgres-driver.ts";

const CHANNEL = /^[a-z][a-z0-9_]{0,62}$/;
/** How often the connection is asked whether it still is one. */
const BEAT = 5_000;
const FIRST_PAUSE = 100;
const LONGEST_PAUSE = 5_000;

/** All who wait for notifications from one database. */
export class PostgresListener {
  readonly #connect: () => Promise<PostgresSession>;
  readonly #listeners = new Map<string, Set<() => void>>();
  readonly #closing = new AbortController();
  #session: PostgresSession | undefined;
  #running: Promise<void> | undefined;

  constructor(connect: () => Promise<PostgresSession>) {
    this.#connect = connect;
  }

  /** Calls `listener` after each notification on `channel`. Returns how to stop. */
  listen(channel: string, listener: () => void): () => void {
    if (!CHANNEL.test(channel)) throw new TypeError(`not a channel: ${channel}`);
    const own = (): void => listener(); // the same function may listen twice
    const known = this.#listeners.get(channel);
    if (known === undefined) {
      this.#listeners.set(channel, new Set([own]));
      if (this.#session !== undefined) this.#subscribe(this.#session, channel).catch(() => undefined);
    } else known.add(own);
    this.#running ??= this.#run();
    return () => void this.#listeners.get(channel)?.delete(own);
  }

  /** Stops listening. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#session?.close();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    let pause = FIRST_PAUSE;
    while (!signal.aborted) {
      try {
        await this.#hear(() => (pause = FIRST_PAUSE));
      } catch {
        // Whoever needs the database hears of it from a query; here it is tried again.
      }
      this.#session = undefined;
      await sleep(pause, undefined, { signal, ref: false }).catch(() => undefined);
      pause = Math.min(pause * 2, LONGEST_PAUSE);
    }
  }

  /** One connection, until it is lost. */
  async #hear(onConnected: () => void): Promise<void> {
    const session = await this.#connect();
    try {
      session.onNotification((channel) => this.#call(channel));
      this.#session = session;
      for (const channel of this.#listeners.keys()) await this.#subscribe(session, channel);
      session.unref();
      onConnected();
      await this.#beat(session);
    } finally {
      await session.close();
    }
  }

  async #subscribe(session: PostgresSession, channel: string): Promise<void> {
    // A channel is a name and cannot be a parameter; CHANNEL lets nothing through that needs quotes.
    await session.query({ action: "listen", kind: "read", text: `LISTEN ${channel}` });
    this.#call(channel);
  }

  async #beat(session: PostgresSession): Promise<void> {
    const { signal } = this.#closing;
    const ended = session.ended.then(() => true);
    while (!signal.aborted) {
      const pause = sleep(BEAT, false, { signal, ref: false }).catch(() => true);
      if (await Promise.race([ended, pause])) return;
      await session.query({ action: "listen", kind: "read", text: "SELECT" });
    }
  }

  #call(channel: string): void {
    for (const listener of this.#listeners.get(channel) ?? []) listener();
  }
}
