/**
 * Alerts that wait to be sent to one receiver, one file each, so that they survive restarts. What cannot be delivered is
 * tried again, ever more seldom and never at the same time as everyone else; nothing is given up. A full outbox takes no
 * more: whoever fills it has to stop and wait, or alerts would be lost.
 * @module
 */
import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";

import { makeDirectory, writeFileAtomic } from "@bootproof/store";

import { sleep } from "../frame/sleep.ts";
import type { AlertDocument } from "./alert-text.ts";

/** Alerts that may wait for one receiver. */
const MAX_WAITING = 10_000;
/** The wait after the first failure, twice as long after each further one. */
const FIRST_WAIT_MS = 5_000;
const MAX_WAIT_MS = 3_600_000;
const NAME = /^([0-9]{12})-([0-9a-f]{64})\.json$/;

/** Sends one alert; returns why it could not be delivered, or undefined when it was. */
export type Send = (alert: AlertDocument, signal: AbortSignal) => Promise<string | undefined>;

/** How an outbox works. */
export interface OutboxOptions {
  readonly folder: string;
  /** The receiver, as people know it. */
  readonly name: string;
  readonly send: Send;
  /** Says why something could not be delivered. */
  readonly note: (line: string) => void;
  readonly limit?: number;
  readonly firstWait?: number;
}

interface Waiting {
  readonly id: string;
  readonly file: string;
  readonly attempts: number;
  /** When it is to be tried next, in milliseconds since 1970. */
  readonly due: number;
}

/** The outbox of one receiver. */
export class Outbox {
  readonly #options: OutboxOptions;
  /** Oldest first. */
  readonly #waiting: Map<string, Waiting>;
  #last: number;
  /** Failures in a row of this receiver, and until when it is left alone. */
  #failures = 0;
  #pausedUntil = 0;
  #wake = (): void => undefined;

  private constructor(options: OutboxOptions, waiting: Map<string, Waiting>, last: number) {
    this.#options = options;
    this.#waiting = waiting;
    this.#last = last;
  }

  /** Opens an outbox with what an earlier run left in it. */
  static async open(options: OutboxOptions): Promise<Outbox> {
    await makeDirectory(options.folder);
    const waiting = new Map<string, Waiting>();
    let last = 0;
    for (const file of (await readdir(options.folder)).sort()) {
      const [, number = "", id = ""] = NAME.exec(file) ?? [];
      if (id === "") continue;
      const { attempts, due } = await readItem(join(options.folder, file));
      waiting.set(id, { id, file: join(options.folder, file), attempts, due });
      last = Number(number);
    }
    return new Outbox(options, waiting, last);
  }

  /** The receiver, as people know it. */
  get name(): string {
    return this.#options.name;
  }

  /** Alerts that wait. */
  get size(): number {
    return this.#waiting.size;
  }

  /** Whether it takes no more. */
  get isFull(): boolean {
    return this.size >= (this.#options.limit ?? MAX_WAITING);
  }

  /** Takes an alert; one that waits already waits on. On return it is on disk. */
  async put(alert: AlertDocument): Promise<void> {
    const { id } = alert;
    if (this.#waiting.has(id)) return;
    this.#last++;
    const file = join(this.#options.folder, `${String(this.#last).padStart(12, "0")}-${id}.json`);
    const item = { id, file, attempts: 0, due: 0 };
    await writeItem(item, alert);
    this.#waiting.set(id, item);
    this.#wake();
  }

  /** Sends what is due, oldest first, until something fails or nothing is left. */
  async flush(signal: AbortSignal): Promise<void> {
    for (const item of [...this.#waiting.values()]) {
      if (signal.aborted || Date.now() < this.#pausedUntil) return;
      if (item.due <= Date.now()) await this.#try(item, signal);
    }
  }

  /** Sends, until `signal` is aborted, whatever comes. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.flush(signal);
      const woken = new Promise<void>((resolve) => (this.#wake = resolve));
      await Promise.race([woken, sleep(this.#untilDue(), signal)]);
    }
  }

  #untilDue(): number {
    const due = Math.min(...[...this.#waiting.values()].map((item) => item.due));
    return Math.min(60_000, Math.max(10, Math.max(due, this.#pausedUntil) - Date.now()));
  }

  async #try(item: Waiting, signal: AbortSignal): Promise<void> {
    const { alert } = await readItem(item.file);
    const reason = await this.#options.send(alert, signal);
    if (reason === undefined) {
      await rm(item.file);
      this.#waiting.delete(item.id);
      this.#failures = 0;
      return;
    }
    if (signal.aborted) return;
    this.#failures++;
    this.#pausedUntil = Date.now() + this.#wait(this.#failures);
    const next = { ...item, attempts: item.attempts + 1, due: Date.now() + this.#wait(item.attempts + 1) };
    this.#waiting.set(item.id, next);
    await writeItem(next, alert);
    this.#options.note(`${this.name}: ${reason}; ${this.size} waiting, next attempt in ${seconds(next.due)}`);
  }

  #wait(failures: number): number {
    const whole = Math.min(MAX_WAIT_MS, (this.#options.firstWait ?? FIRST_WAIT_MS) * 2 ** (failures - 1));
    return whole * (0.5 + Math.random() / 2);
  }
}

const seconds = (due: number): string => `${Math.max(0, Math.ceil((due - Date.now()) / 1000))} s`;

interface Item {
  readonly attempts: number;
  readonly due: number;
  readonly alert: AlertDocument;
}

/** Our own files, written whole or not at all. */
async function readItem(file: string): Promise<Item> {
  return JSON.parse(await readFile(file, "utf8")) as Item;
}

async function writeItem({ file, attempts, due }: Waiting, alert: AlertDocument): Promise<void> {
  const item: Item = { attempts, due, alert };
  await writeFileAtomic(file, new TextEncoder().encode(`${JSON.stringify(item)}\n`), 0o600);
}
