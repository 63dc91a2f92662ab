/**
 * `bootproof log serve` as a process of its own, and writers that keep it busy whatever happens to it.
 * @module
 */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { Agent, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { utf8 } from "@bootproof/bytes";
import type { Random } from "../fuzz/random.ts";
import { BOOTPROOF, ROOT } from "./command.ts";

const LISTENING = /listening on\s+(http:\/\/\S+?)\/?\s/;
/** How much of what it says is kept: characters. */
const MEMORY = 4000;

/** A served log: a process, and where it listens. */
export class ServedLog {
  readonly process: ChildProcess;
  /** Without a slash at its end. */
  readonly url: Promise<string>;
  #said = "";

  /** Starts `log serve` with these options; `url` is there when it listens. */
  constructor(options: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const args = ["log", "serve", "--port", "0", ...options];
    this.process = spawn(BOOTPROOF, args, {
      cwd: ROOT,
      env: { ...process.env, CI: "true", ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let listening = false;
    this.url = new Promise((resolve, reject) => {
      const hear = (bytes: Buffer): void => {
        this.#said = (this.#said + bytes.toString()).slice(-MEMORY);
        const found = listening ? undefined : LISTENING.exec(this.#said)?.[1];
        if (found === undefined) return;
        listening = true;
        resolve(found);
      };
      this.process.stdout?.on("data", hear);
      this.process.stderr?.on("data", hear);
      this.process.once("error", reject);
      this.process.once("exit", () => reject(new Error(`log serve ended: ${this.#said}`)));
    });
    this.url.catch(() => undefined); // whoever kills it at its start does not ask
  }

  /** What it said last, on both streams. */
  get said(): string {
    return this.#said;
  }

  get running(): boolean {
    return this.process.exitCode === null && this.process.signalCode === null;
  }

  /** Ends it, and waits until it has ended; its exit status, or the signal. */
  async end(signal: "SIGKILL" | "SIGTERM"): Promise<number | string | undefined> {
    if (this.running) {
      this.process.kill(signal);
      await once(this.process, "exit");
    }
    return this.process.exitCode ?? this.process.signalCode ?? undefined;
  }
}

/** The entry of a number: its own bytes, some longer than a socket takes at once. */
export function numberedEntry(number: number): Uint8Array {
  const length = number % 97 === 0 ? 60_000 : 20 + ((number * 7919) % 1500);
  return utf8(`entry ${number} `.padEnd(length, "."));
}

/** What a log says of entries and checkpoints. */
export interface Witnessed {
  /** The log answered that entry `number` is at `index`. */
  acknowledge(number: number, index: bigint): void;
  /** A reader was shown this. */
  show(checkpoint: Uint8Array): void;
}

/** Handing in entries and reading checkpoints without end; requests that fail are forgotten, as clients forget. */
export class Load {
  /** Where to send the next request; writers wait while there is no place. */
  urls: readonly string[] = [];
  readonly #witnessed: Witnessed;
  readonly #random: Random;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #work: Promise<void>[] = [];
  #stopped = false;
  #next = 0;
  #answers = 0;

  constructor(witnessed: Witnessed, random: Random, writers: number) {
    this.#witnessed = witnessed;
    this.#random = random;
    for (let count = 0; count < writers; count++) this.#work.push(this.#write());
    this.#work.push(this.#read());
  }

  /** How many numbers have been handed in at least once. */
  get numbers(): number {
    return this.#next;
  }

  /** How many times an entry was acknowledged. */
  get answers(): number {
    return this.#answers;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#work);
    this.#agent.destroy();
  }

  /** Hands in one entry; whether the log acknowledged it. */
  async add(url: string, number: number): Promise<boolean> {
    const { status, body } = await this.#send(`${url}/add`, numberedEntry(number));
    if (status !== 200) return false;
    const text = Buffer.from(body).toString().trim();
    if (!/^[0-9]+$/.test(text)) throw new Error(`no index: ${text}`);
    this.#answers++;
    this.#witnessed.acknowledge(number, BigInt(text));
    return true;
  }

  async #write(): Promise<void> {
    while (!this.#stopped) {
      const url = this.urls.length === 0 ? undefined : this.#random.pick(this.urls);
      if (url === undefined) await sleep(5);
      else {
        // Now and then one that was handed in before, answered or not.
        const again = this.#next > 0 && this.#random.oneIn(8);
        const number = again ? this.#random.below(this.#next) : this.#next++;
        if (!(await this.add(url, number))) await sleep(5);
      }
    }
  }

  async #read(): Promise<void> {
    while (!this.#stopped) {
      for (const url of this.urls) {
        const { status, body } = await this.#send(`${url}/checkpoint`);
        if (status === 200) this.#witnessed.show(body);
      }
      await sleep(10);
    }
  }

  /** Status 0 stands for no whole answer. */
  #send(url: string, bytes?: Uint8Array): Promise<{ status: number; body: Uint8Array }> {
    return new Promise((resolve) => {
      const none = (): void => resolve({ status: 0, body: new Uint8Array() });
      const method = bytes === undefined ? "GET" : "POST";
      const sent = request(url, { method, agent: this.#agent, timeout: 20_000 }, (response) => {
        const parts: Buffer[] = [];
        response.on("data", (part: Buffer) => parts.push(part));
        response.on("error", none);
        response.on("close", () => {
          if (!response.complete) none();
          else resolve({ status: response.statusCode ?? 0, body: new Uint8Array(Buffer.concat(parts)) });
        });
      });
      sent.on("timeout", () => sent.destroy());
      sent.on("error", none);
      sent.end(bytes);
    });
  }
}
