/**
 * Reads files over HTTP from servers and proxies that may be slow, broken or hostile: what one answer may take is
 * bounded in bytes (after decompression, while it arrives) and in time; what may pass is tried again, with the pauses
 * the server asks for; redirects never lead from https to http. What the bytes mean is for whoever hashes them.
 * @module
 */
import type { FetchObject } from "@bootproof/log";

import type { Context } from "../frame/context.ts";
import { EXIT } from "../frame/exit-code.ts";
import { Failure } from "../frame/failure.ts";
import { sleep } from "../frame/sleep.ts";
import { readBody } from "./read-body.ts";

/** A note of the largest size, a key line, a tile of 256 hashes, a bundle of 256 entries of 64 KiB. */
const LIMITS = { checkpoint: 1_000_000, key: 8192, tile: 8192, bundle: 256 * (2 + 65_535) } as const;
/** How long one answer may take, unless BOOTPROOF_HTTP_TIMEOUT says otherwise; large files get ten times that. */
const ANSWER_MS = 10_000;
const LARGE = 2 ** 20;
/** Pauses before the second, third and fourth attempt. */
const PAUSES_MS = [250, 500, 1000] as const;
/** The longest pause that a server may ask for; one that asks for more is not asked again. */
const MAX_PAUSE_MS = 30_000;
const MAX_REDIRECTS = 5;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const PASSING = new Set([408, 425, 429]);

/** What may be asked of a server. */
export interface HttpQuestion {
  readonly url: string;
  /** Most bytes taken. */
  readonly limit: number;
  /** How often it is asked when it fails in a way that may pass; by default four times. */
  readonly attempts?: number;
  readonly env: Context["env"];
  readonly signal: AbortSignal;
}

/** Reads the files of a log below a URL. */
export function urlFetch({ options, signal, env }: Context, base: string): FetchObject {
  if (options.offline)
    throw new Failure("BP-NET-001", EXIT.unavailable, "a log at a URL cannot be read with --offline", {
      found: base,
    });
  const prefix = base.replace(/\/+$/, "");
  return (path) => fetchBytes({ url: `${prefix}/${path}`, limit: limitOf(path), env, signal });
}

/** The body at a URL; undefined when the server says that there is none (404, 410). Throws {@link Failure}. */
export async function fetchBytes(question: HttpQuestion): Promise<Uint8Array | undefined> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await fetchOnce(question);
    } catch (error) {
      if (question.signal.aborted || error instanceof Failure) throw error;
      const pause = attempt + 1 === question.attempts ? undefined : PAUSES_MS[attempt];
      const asked = error instanceof Passing ? error.retryAfter : undefined;
      if (asked !== undefined && asked > MAX_PAUSE_MS) throw askLater(question.url, asked);
      if (pause === undefined) throw cannotFetch(question.url, error);
      // Clients that failed together should not come back together.
      await sleep(asked ?? pause * (0.5 + Math.random()), question.signal);
      question.signal.throwIfAborted();
    }
  }
}

/** Something that may be gone the next time. */
class Passing extends Error {
  override readonly name = "Passing";
  /** Milliseconds that the server asked to wait. */
  readonly retryAfter: number | undefined;

  constructor(message: string, retryAfter?: number) {
    super(message);
    this.retryAfter = retryAfter;
  }
}

async function fetchOnce({ url, limit, env, signal }: HttpQuestion): Promise<Uint8Array | undefined> {
  const milliseconds = answerTime(env) * (limit > LARGE ? 10 : 1);
  const timeout = AbortSignal.timeout(milliseconds);
  const both = AbortSignal.any([signal, timeout]);
  try {
    const response = await follow(url, both);
    if (response.status === 404 || response.status === 410) {
      await response.body?.cancel();
      return undefined;
    }
    if (!response.ok) throw await refusal(url, response);
    return await readBody(response, limit, () => tooLarge(url, limit));
  } catch (error) {
    if (timeout.aborted) throw new Passing(`no whole answer within ${String(milliseconds / 1000)} s`);
    throw error;
  }
}

/** Follows redirects, but not from https to http, and not for ever. */
async function follow(url: string, signal: AbortSignal): Promise<Response> {
  let at = url;
  if (!URL.canParse(url)) throw fatal(url, "no URL");
  for (let count = 0; count <= MAX_REDIRECTS; count++) {
    const response = await fetch(at, { signal, redirect: "manual" });
    const location = response.headers.get("location");
    if (!REDIRECTS.has(response.status) || location === null) return response;
    await response.body?.cancel();
    const next = URL.canParse(location, at) ? new URL(location, at) : undefined;
    const isAllowed = next?.protocol === "https:" || (next?.protocol === "http:" && at.startsWith("http:"));
    if (next === undefined || !isAllowed || next.username !== "" || next.password !== "")
      throw fatal(url, `it redirects to ${location.slice(0, 200)}`);
    at = next.href;
  }
  throw fatal(url, `more than ${String(MAX_REDIRECTS)} redirects`);
}

async function refusal(url: string, response: Response): Promise<Error> {
  const { status, headers } = response;
  await response.body?.cancel();
  const text = `status ${String(status)}`;
  return PASSING.has(status) || status >= 500
    ? new Passing(text, retryAfter(headers.get("retry-after")))
    : fatal(url, text);
}

/** Retry-After in milliseconds: seconds, or a date (RFC 9110 section 10.2.3). */
function retryAfter(header: string | null): number | undefined {
  if (header === null) return undefined;
  if (/^[0-9]{1,9}$/.test(header)) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}

function answerTime(env: Context["env"]): number {
  const seconds = env["BOOTPROOF_HTTP_TIMEOUT"] ?? "";
  return /^[0-9]{1,4}(\.[0-9]{1,3})?$/.test(seconds) && Number(seconds) > 0
    ? Number(seconds) * 1000
    : ANSWER_MS;
}

function limitOf(path: string): number {
  if (path === "checkpoint" || path.endsWith("/checkpoint")) return LIMITS.checkpoint;
  if (path.includes("tile/entries/")) return LIMITS.bundle;
  return path.includes("tile/") ? LIMITS.tile : LIMITS.key;
}

function cannotFetch(url: string, error: unknown): Failure {
  return new Failure("BP-NET-002", EXIT.unavailable, `cannot fetch ${url}`, {
    found: errorText(error),
    cause: error,
  });
}

const fatal = (url: string, found: string): Failure =>
  new Failure("BP-NET-002", EXIT.unavailable, `cannot fetch ${url}`, { found });

function tooLarge(url: string, limit: number): Failure {
  return new Failure("BP-LOG-034", EXIT.malformed, "the answer is larger than the file can be", {
    file: url,
    expected: `at most ${String(limit)} bytes`,
    found: "more",
  });
}

function askLater(url: string, milliseconds: number): Failure {
  return new Failure("BP-LOG-036", EXIT.tryAgain, "the server asks to be asked later", {
    file: url,
    found: `Retry-After: ${String(Math.ceil(milliseconds / 1000))} s`,
  });
}

/** What went wrong, with the cause that fetch hides behind "fetch failed". */
function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  return cause instanceof Error && cause.message !== ""
    ? `${error.message}: ${cause.message}`
    : error.message;
}
