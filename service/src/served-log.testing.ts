/**
 * A log on a folder of its own, served over a real socket.
 * @module
 */
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { sha256 } from "@bootproof/bytes";
import type { Signer } from "@bootproof/bytes/signing";
import { ed25519Signer, Log, singleLogPolicy, type LogOptions } from "@bootproof/log";
import { DirectoryHead, DirectoryObjects } from "@bootproof/store";

import type { EntryAdmission } from "./front/entries.ts";
import type { Sequencer } from "./sequencing/sequencer.ts";
import { LocalSequencer, serveLog, type LogService, type RunningServer } from "./log.ts";
import { scratchFolder } from "./scratch.testing.ts";

export const SIGNER: Signer = ed25519Signer("log.test", new Uint8Array(32).fill(7));

/** Takes everything but what begins with "no". */
export const everyone: EntryAdmission = {
  admit: (body) =>
    Promise.resolve(
      body[0] === 0x6e
        ? { status: 403, code: "BP-ADMIT-010", message: "not yours" }
        : { entry: body, identity: sha256(body), publisher: "Acme", giveBack: () => undefined },
    ),
};

/** Opens what a log needs, in a folder of its own. */
export async function newPlace(): Promise<LogOptions & { readonly folder: string }> {
  const folder = await scratchFolder();
  const place = await placeAt(folder);
  await (await Log.create(place)).close();
  return { ...place, folder };
}

/** Opens what a log in a folder needs. */
async function placeAt(folder: string): Promise<LogOptions> {
  return {
    origin: SIGNER.name,
    signer: SIGNER,
    objects: await DirectoryObjects.open(join(folder, "public")),
    staging: await DirectoryObjects.open(join(folder, "private")),
    head: await DirectoryHead.open(join(folder, "head")),
  };
}

/** A sequencer with usual settings; `failures` hears what it reports. */
export async function startSequencer(
  place: LogOptions,
  settings: { maxPending?: number; batchAge?: number; failures?: string[] } = {},
): Promise<LocalSequencer> {
  const { maxPending = 1000, batchAge = 0, failures = [] } = settings;
  return LocalSequencer.start({
    open: async () => {
      const log = await Log.open(place);
      return { log, close: () => log.close() };
    },
    maxPending,
    batchAge,
    refreshEvery: 600_000,
    report: (what) => failures.push(what),
  });
}

/** Serves a place on a free port. */
export async function serve(
  { objects }: LogOptions,
  sequencer: Sequencer,
  more: Partial<LogService> = {},
): Promise<RunningServer> {
  const service = {
    sequencer,
    fetch: (path: string) => objects.get(path),
    origin: SIGNER.name,
    policy: singleLogPolicy(SIGNER.vkey),
    wait: 10,
    identityOf: sha256,
    hammer: true,
    ...more,
  };
  return serveLog(service, { host: "127.0.0.1", port: 0 });
}

/** A connection on which any bytes can be sent, and what came back. */
export class Wire {
  answer = "";
  closed = false;
  readonly #socket: Socket;

  constructor(url: string) {
    this.#socket = connect(Number(new URL(url).port), "127.0.0.1");
    this.#socket
      .on("data", (bytes: Buffer) => (this.answer += bytes.toString("latin1")))
      .on("error", () => undefined)
      .on("close", () => (this.closed = true));
  }

  send(text: string): this {
    this.#socket.write(text, "latin1");
    return this;
  }

  /** Waits until what came back is as said, or fails. */
  async until(holds: (wire: this) => boolean, milliseconds = 20_000): Promise<string> {
    for (const end = Date.now() + milliseconds; !holds(this);) {
      if (Date.now() > end) throw new Error(`not within ${String(milliseconds)} ms: ${this.answer}`);
      await sleep(5);
    }
    return this.answer;
  }

  /** Reads nothing until it is told to go on. */
  pause(): this {
    this.#socket.pause();
    return this;
  }

  resume(): this {
    this.#socket.resume();
    return this;
  }

  /** Waits until what was given to send has left. */
  async sent(): Promise<void> {
    await new Promise<void>((resolve) => this.#socket.write("", () => resolve()));
    await sleep(50);
  }

  hangUp(): void {
    this.#socket.destroy();
  }
}

/** What a raw request is answered, headers and all. */
export async function ask(url: string, request: string): Promise<string> {
  const wire = new Wire(url);
  const answer = await wire
    .send(`${request}\r\nHost: x\r\nConnection: close\r\n\r\n`)
    .until(({ closed }) => closed);
  return answer;
}
