/**
 * A log that somebody else serves: entries are sent to it, and what it answers is believed once its proof has been
 * verified here. Sending an entry twice does no harm, so what fails in passing is tried again.
 * @module
 */
import { equalBytes, formatHex, ParseError, parseStrictJson, parseVkey, utf8 } from "@bootproof/bytes";
import {
  leafHash,
  parseTlogProof,
  verifyTlogProof,
  type LogPolicy,
  type ProofVerdict,
  type TlogProof,
} from "@bootproof/log";
import * as v from "valibot";

import type { Context } from "../frame/context.ts";
import { EXIT } from "../frame/exit-code.ts";
import { Failure } from "../frame/failure.ts";
import { sleep } from "../frame/sleep.ts";
import { oneLine } from "../report/printable.ts";
import { readLog } from "./log-place.ts";
import { readBody } from "./read-body.ts";
import { rememberBundle } from "./remembered-bundle.ts";

/** An entry that a log has published. */
export interface RemoteEntry {
  readonly index: bigint;
  readonly duplicate: boolean;
  /** Size of the log that the proof is of. */
  readonly size: bigint;
  /** The `.tlog-proof` that proves it, verified. */
  readonly bundle: Uint8Array;
}

/** A proof has at most 64 hashes, the entry and a checkpoint; JSON makes it half as large again. */
const MAX_ANSWER = 2 ** 20;
/** The log waits for its checkpoint before it answers. */
const ANSWER_MS = 150_000;
/** How long an entry that was taken may wait for its checkpoint. */
const PATIENCE_MS = 120_000;
const ASK_EVERY_MS = 1_000;
/** Pauses before further attempts, unless the log asks for one; it may not ask for more than the longest. */
const PAUSES_MS = [500, 2_000, 5_000] as const;
const MAX_PAUSE_MS = 30_000;

/** The log knows no such entry. */
const LOST = "BP-SERVE-008";

const answer = v.object({
  status: v.optional(v.string()),
  index: v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(0))),
  duplicate: v.optional(v.boolean()),
  proof: v.optional(v.string()),
  error: v.optional(v.object({ code: v.string(), message: v.string() })),
});
type LogAnswer = v.InferOutput<typeof answer>;

/** A served log that takes entries. */
export class RemoteLog {
  readonly url: string;
  /** The log's public keys; while it changes its key, two. */
  readonly vkeys: readonly string[];
  readonly #context: Context;
  readonly #policy: LogPolicy;

  private constructor(context: Context, url: string, vkeys: readonly string[]) {
    this.#context = context;
    this.url = url;
    this.vkeys = vkeys;
    const logs = vkeys.map((vkey) => ({ vkey: parseVkey(vkey) }));
    this.#policy = { logs, witnesses: [], quorum: "none" };
  }

  /** Opens the log at a URL: its checkpoint is verified, by the key named or else by the one that it serves. */
  static async open(context: Context, url: string, vkey?: string): Promise<RemoteLog> {
    const { vkeys, selfReported } = await readLog(context, url, vkey);
    if (selfReported) context.note("the log's key was found beside it; --vkey names the one you expect");
    return new RemoteLog(context, url.replace(/\/+$/, ""), vkeys);
  }

  /** Sends an entry and returns once the log has proved that it is public; throws {@link Failure}. */
  async submit(entry: Uint8Array): Promise<RemoteEntry> {
    const end = performance.now() + PATIENCE_MS;
    let given = await this.#ask("/v1/entries", entry);
    while (given.proof === undefined) {
      if (performance.now() > end) throw this.#pending();
      await sleep(ASK_EVERY_MS, this.#context.signal);
      this.#context.signal.throwIfAborted();
      given = (await this.#askAfter(entry)) ?? (await this.#ask("/v1/entries", entry));
    }
    const bundle = utf8(given.proof);
    const { index, checkpoint } = this.#verify(bundle, entry);
    await rememberBundle(
      this.#context,
      bundle,
      this.#policy.logs.map(({ vkey }) => vkey),
    );
    return { index, duplicate: given.duplicate === true, size: checkpoint.size, bundle };
  }

  /** What became of an entry that was taken; undefined when the log has lost it, for it was stopped meanwhile. */
  async #askAfter(entry: Uint8Array): Promise<LogAnswer | undefined> {
    try {
      return await this.#ask(`/v1/entries/${formatHex(leafHash(entry))}`);
    } catch (error) {
      if (error instanceof Failure && error.code === LOST) return undefined;
      throw error;
    }
  }

  /** Demands that the proof is of this entry, in this log. */
  #verify(bundle: Uint8Array, entry: Uint8Array): ProofVerdict {
    let proof: TlogProof;
    try {
      proof = parseTlogProof(bundle);
    } catch (error) {
      if (error instanceof ParseError) throw this.#unproven(error.message);
      throw error;
    }
    if (proof.extra === undefined || !equalBytes(proof.extra, entry))
      throw this.#unproven("it proves another entry");
    const verdict = verifyTlogProof({ proof, policy: this.#policy });
    const failed = verdict.checks.find((check) => check.answer !== "yes");
    if (verdict.answer !== "yes") throw this.#unproven(failed?.reason ?? "the proof does not hold");
    return verdict;
  }

  /** What the log answers, after as many attempts as it is worth. */
  async #ask(path: string, body?: Uint8Array): Promise<LogAnswer> {
    for (let attempt = 0; ; attempt++) {
      const pause = PAUSES_MS[attempt];
      try {
        return await this.#askOnce(path, body);
      } catch (error) {
        const wait = error instanceof Passing ? (error.retryAfter ?? pause) : undefined;
        if (!(error instanceof Passing)) throw error;
        if (pause === undefined || wait === undefined || wait > MAX_PAUSE_MS) throw error.failure;
        await sleep(wait * (1 + Math.random() / 4), this.#context.signal);
        this.#context.signal.throwIfAborted();
      }
    }
  }

  async #askOnce(path: string, body: Uint8Array | undefined): Promise<LogAnswer> {
    const { signal } = this.#context;
    const limit = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]);
    const sent =
      body === undefined
        ? {}
        : { method: "POST", body: body.slice(), headers: { "content-type": "application/json" } };
    let response: Response;
    let said: LogAnswer | undefined;
    try {
      response = await fetch(`${this.url}${path}`, { ...sent, signal: limit, redirect: "error" });
      said = readAnswer(await readBody(response, MAX_ANSWER, tooMuch));
    } catch (error) {
      signal.throwIfAborted();
      throw new Passing(this.#unreachable(error));
    }
    const isAnswer = said?.proof !== undefined || said?.status === "pending";
    if (response.ok && said !== undefined && isAnswer) return said;
    const failure = await this.#refusal(response.status, said);
    const passes = response.status === 429 || response.status === 503;
    if (!passes) throw failure;
    throw new Passing(failure, secondsOf(response.headers.get("retry-after")));
  }

  /** The log's refusal under its own code, when that is one that we have a page of. */
  async #refusal(status: number, said: LogAnswer | undefined): Promise<Failure> {
    const { code = "", message = `status ${String(status)}` } = said?.error ?? {};
    const { PAGES } = await import("../errors/pages.ts");
    const page = /^BP-(ADMIT|SERVE)-[0-9]{3}$/.test(code) ? PAGES[code] : undefined;
    const words = oneLine(message, 500);
    const found = page === undefined && code !== "" ? `${oneLine(code, 40)}: ${words}` : words;
    if (page === undefined)
      return new Failure("BP-ADMIT-016", EXIT.unavailable, "the log refuses the entry", {
        file: this.url,
        found,
      });
    return new Failure(code, page.exit, page.title, { file: this.url, found, hint: page.fix });
  }

  #unproven(found: string): Failure {
    const hint = "keep the answer and tell the log's operator";
    return new Failure("BP-ADMIT-014", EXIT.no, "the log did not prove the entry", {
      file: this.url,
      found,
      hint,
    });
  }

  #pending(): Failure {
    const hint = "run the command again: an entry that is there already is not added again";
    return new Failure("BP-ADMIT-015", EXIT.tryAgain, "the log has not published the entry yet", {
      file: this.url,
      hint,
    });
  }

  #unreachable(error: unknown): Failure {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    return new Failure("BP-NET-002", EXIT.unavailable, `cannot reach ${this.url}`, {
      found: cause instanceof Error ? cause.message : String(cause),
      cause: error,
    });
  }
}

/** Something that may be gone the next time, and what to say when it is not. */
class Passing extends Error {
  readonly failure: Failure;
  /** Milliseconds that the log asked to wait. */
  readonly retryAfter: number | undefined;

  constructor(failure: Failure, retryAfter?: number) {
    super(failure.message);
    this.failure = failure;
    this.retryAfter = retryAfter;
  }
}

const tooMuch = (): Error => new Error(`it answers more than ${String(MAX_ANSWER)} bytes`);

/** An answer of the API; undefined for anything else, such as a proxy's page. */
function readAnswer(body: Uint8Array): LogAnswer | undefined {
  try {
    const read = v.safeParse(answer, parseStrictJson(body, "answer", MAX_ANSWER));
    return read.success ? read.output : undefined;
  } catch (error) {
    if (error instanceof ParseError) return undefined;
    throw error;
  }
}

const secondsOf = (header: string | null): number | undefined =>
  header !== null && /^[0-9]{1,6}$/.test(header) ? Number(header) * 1000 : undefined;
