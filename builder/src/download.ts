/**
 * One file from one URL, known by size and sha256: hashed while it comes, continued where an earlier
 * try stopped, given up when it is not the file that was asked for.
 * @module
 */
import { createReadStream } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { formatHex, startHash, type HashState } from "@bootproof/bytes";

/** A file known by its bytes. */
export interface Wanted {
  readonly sha256: string;
  /** Undefined only when a lock is being made and nobody has said the size yet. */
  readonly size: number | undefined;
}

/** How a download is made. */
export interface DownloadOptions {
  readonly signal?: AbortSignal | undefined;
  /** Give a server up when nothing comes for this long, in milliseconds. */
  readonly idleMs?: number | undefined;
  /** Called with the number of bytes that are there, also when it shrinks. */
  readonly onBytes?: ((bytes: number) => void) | undefined;
}

/** What came of a download: the file, or the server's answer in a few words. */
export type DownloadResult =
  | { readonly kind: "complete" }
  | { readonly kind: "absent"; readonly answer: string }
  /** The server did not answer, or not in a way that says whether it has the file. */
  | { readonly kind: "unreachable"; readonly answer: string }
  | { readonly kind: "different"; readonly answer: string; readonly found: string };

const ATTEMPTS = 4;
const IDLE_MS = 30_000;
const BACK_OFF_MS = 250;
/** What a file of unknown size may have. */
const MAX_UNSIZED = 4 * 2 ** 30;

/** A try that may go better the next time. */
class Interrupted extends Error {}

/** A server that is not there; asking again at once would not help. */
class Unreachable extends Error {}

const NOT_THERE: ReadonlySet<string> = new Set(["ECONNREFUSED", "ENOTFOUND", "EHOSTUNREACH", "ENETUNREACH"]);

/** Fetches `url` into the file `partial`, which may hold its beginning; keeps there what may be continued. */
export async function download(
  url: string,
  wanted: Wanted,
  partial: string,
  options: DownloadOptions = {},
): Promise<DownloadResult> {
  const file = await open(partial, "a+");
  try {
    let answer = "";
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      options.signal?.throwIfAborted();
      try {
        return await attemptDownload(url, wanted, { file, path: partial }, options);
      } catch (error) {
        if (error instanceof Unreachable) return { kind: "unreachable", answer: error.message };
        if (!(error instanceof Interrupted)) throw error;
        answer = error.message;
        if (attempt < ATTEMPTS) await sleep(BACK_OFF_MS * attempt, undefined, { signal: options.signal });
      }
    }
    return { kind: "unreachable", answer: `${answer} (${ATTEMPTS} tries)` };
  } finally {
    await file.close();
  }
}

/** The file a download is written to, with the hash of what it holds. */
interface PartialFile {
  readonly file: FileHandle;
  readonly path: string;
}

async function attemptDownload(
  url: string,
  wanted: Wanted,
  partial: PartialFile,
  options: DownloadOptions,
): Promise<DownloadResult> {
  const begun = await hashBeginning(partial, wanted);
  if (begun.size === wanted.size) {
    const result = await judge(begun.hash, wanted, partial);
    if (result.kind === "complete" || wanted.size === 0) return result;
    // The beginning came from elsewhere, perhaps from a server that lied: this one starts afresh.
    return attemptDownload(url, wanted, partial, options);
  }
  const idle = new IdleLimit(options.idleMs ?? IDLE_MS, options.signal);
  try {
    const response = await request(url, begun.size, idle);
    if (response.status === 416) await partial.file.truncate(0);
    if (response.status === 416 || response.status === 429 || response.status >= 500)
      throw new Interrupted(`answered ${response.status}`);
    if (response.status !== 200 && response.status !== 206)
      return { kind: "absent", answer: `answered ${response.status}` };
    const resumed = continuesAt(response, begun.size);
    if (!resumed) await partial.file.truncate(0);
    const start = resumed ? begun : { size: 0, hash: startHash("sha256") };
    const result = await receive(response, start, wanted, partial, idle, options);
    if (result.kind === "different" && resumed && begun.size > 0)
      return await attemptDownload(url, wanted, partial, options);
    return result;
  } finally {
    idle.stop();
  }
}

async function hashBeginning(
  partial: PartialFile,
  wanted: Wanted,
): Promise<{ size: number; hash: HashState }> {
  const hash = startHash("sha256");
  const { size } = await partial.file.stat();
  const usable = wanted.size !== undefined && size <= wanted.size;
  if (!usable) await partial.file.truncate(0);
  if (!usable || size === 0) return { size: 0, hash };
  for await (const chunk of createReadStream(partial.path) as AsyncIterable<Uint8Array>) hash.update(chunk);
  return { size, hash };
}

async function request(url: string, from: number, idle: IdleLimit): Promise<Response> {
  // Identity: a server that compresses would make Content-Range mean something else.
  const headers: Record<string, string> = { "accept-encoding": "identity" };
  if (from > 0) headers["range"] = `bytes=${from}-`;
  try {
    return await fetch(url, { headers, signal: idle.signal, redirect: "follow" });
  } catch (error) {
    throw idle.explain(error);
  }
}

function continuesAt(response: Response, from: number): boolean {
  if (response.status !== 206) return false;
  if (response.headers.get("content-range")?.startsWith(`bytes ${from}-`) === true) return true;
  throw new Interrupted("answered 206 with another range");
}

async function receive(
  response: Response,
  start: { size: number; hash: HashState },
  wanted: Wanted,
  partial: PartialFile,
  idle: IdleLimit,
  options: DownloadOptions,
): Promise<DownloadResult> {
  const limit = wanted.size ?? MAX_UNSIZED;
  let size = start.size;
  for await (const chunk of bodyOf(response, idle)) {
    size += chunk.length;
    if (size > limit) {
      await partial.file.truncate(0);
      return {
        kind: "different",
        answer: `sent more than ${limit} bytes`,
        found: `more than ${limit} bytes`,
      };
    }
    start.hash.update(chunk);
    await partial.file.appendFile(chunk);
    options.onBytes?.(size);
  }
  if (wanted.size !== undefined && size < wanted.size)
    throw new Interrupted(`stopped after ${size} of ${wanted.size} bytes`);
  return judge(start.hash, wanted, partial);
}

async function judge(hash: HashState, wanted: Wanted, partial: PartialFile): Promise<DownloadResult> {
  const found = formatHex(hash.digest());
  if (found === wanted.sha256) return { kind: "complete" };
  await partial.file.truncate(0);
  return { kind: "different", answer: `sent other bytes, sha256 ${found}`, found };
}

async function* bodyOf(response: Response, idle: IdleLimit): AsyncGenerator<Uint8Array> {
  if (response.body === null) return;
  try {
    for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
      idle.restart();
      yield chunk;
    }
  } catch (error) {
    throw idle.explain(error);
  }
}

/** Ends a request when nothing comes for too long, or when the caller's signal says so. */
class IdleLimit {
  readonly signal: AbortSignal;
  readonly #controller = new AbortController();
  readonly #outer: AbortSignal | undefined;
  readonly #idleMs: number;
  #timer: NodeJS.Timeout;

  constructor(idleMs: number, outer: AbortSignal | undefined) {
    this.#idleMs = idleMs;
    this.#outer = outer;
    this.signal =
      outer === undefined ? this.#controller.signal : AbortSignal.any([outer, this.#controller.signal]);
    this.#timer = this.#start();
  }

  restart(): void {
    clearTimeout(this.#timer);
    this.#timer = this.#start();
  }

  /** Also drops a body that nobody reads, so that its connection does not stay open. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#controller.abort();
  }

  /** The caller's own reason when they ended it; else what went wrong on the network. */
  explain(error: unknown): unknown {
    if (this.#outer?.aborted === true) return this.#outer.reason;
    if (this.#controller.signal.aborted) return new Interrupted(`sent nothing for ${this.#idleMs / 1000} s`);
    return networkError(error);
  }

  #start(): NodeJS.Timeout {
    return setTimeout(() => {
      this.#controller.abort();
    }, this.#idleMs);
  }
}

function networkError(error: unknown): Error {
  const code = networkCode(error);
  return new (code !== undefined && NOT_THERE.has(code) ? Unreachable : Interrupted)(networkReason(error));
}

/** Why a request failed, in a few words. */
export function networkReason(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return `unreachable (${networkCode(error) ?? (cause instanceof Error ? cause.message : String(cause))})`;
}

function networkCode(error: unknown): string | undefined {
  const cause = error instanceof Error ? (error.cause ?? error) : undefined;
  return cause instanceof Error && "code" in cause && typeof cause.code === "string" ? cause.code : undefined;
}
