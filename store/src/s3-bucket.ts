/**
 * A bucket of an S3-compatible store, as far as a log needs one: objects of bounded size, read back as they were written,
 * and writes that happen only when nobody else wrote. What S3 says is in the API reference of PutObject, "If-Match" and
 * "If-None-Match": 412 when the condition does not hold, 409 when another write was under way.
 * @module
 */
import { setTimeout as sleep } from "node:timers/promises";
import { formatHex, sha256 } from "@bootproof/bytes";
import { checkKey } from "./key.ts";
import type { S3Options } from "./s3-address.ts";
import {
  badAnswer,
  errorCode,
  MAX_OBJECT,
  refusal,
  S3Client,
  type S3Answer,
  type S3Request,
} from "./s3-client.ts";
import { listKeys } from "./s3-list.ts";
import { probe } from "./s3-probe.ts";
import { StoreError } from "./store-error.ts";

/** An object as it is stored. */
export interface S3Object {
  readonly bytes: Uint8Array;
  /** What a conditional write names; undefined when the store gave none that identifies the bytes. */
  readonly etag: string | undefined;
}

/** When a write may happen: always, when there is no object, or while the object is the one with this ETag. */
export type S3Condition = "any" | "new" | { readonly etag: string };

/** What became of a write. */
export type S3Put = { readonly is: "done"; readonly etag: string | undefined } | { readonly is: "overtaken" };

const TRIES = 5;
const PAUSE = 100;
/** A weak or a list-like ETag identifies nothing. */
const ETAG = /^"[\x21\x23-\x7e]{1,200}"$/;
/** Ours, and so verified by us alone: not every store keeps the checksums of S3. */
const DIGEST = "x-amz-meta-sha256";

/** An open bucket. */
export class S3Bucket {
  readonly #client: S3Client;
  readonly #prefix: string;
  /** For error messages. */
  readonly name: string;

  private constructor(options: S3Options, send: typeof fetch) {
    this.#client = new S3Client(options, send);
    this.#prefix = (options.prefix ?? "") === "" ? "" : `${options.prefix ?? ""}/`;
    this.name = `s3://${options.bucket}/${this.#prefix}`;
  }

  /** Opens a bucket, or a part of one, and sends nothing yet; throws {@link StoreError} for what cannot be one. */
  static async open(options: S3Options, send: typeof fetch = fetch): Promise<S3Bucket> {
    return Promise.resolve(new S3Bucket(options, send));
  }

  /**
   * Writes, reads and races a few objects of its own; throws {@link StoreError} BP-STORE-021 when the store does not
   * keep to the conditions of a write, for on such a store a log forks.
   */
  async probe(): Promise<void> {
    await probe(this);
  }

  /** An object, as it was written; undefined when there is none. */
  async get(key: string): Promise<S3Object | undefined> {
    const action = `read ${this.name}${key}`;
    const answer = await this.#retry({ action, method: "GET", key: this.#key(key) });
    if (answer.status === 404 && errorCode(answer) === "NoSuchKey") return undefined;
    if (answer.status !== 200) throw refusal(action, answer);
    const digest = answer.headers.get(DIGEST);
    const found = formatHex(sha256(answer.bytes));
    if (digest !== null && digest !== found) throw badAnswer(action, "not what was written", digest, found);
    return { bytes: answer.bytes, etag: etagOf(answer) };
  }

  /**
   * Writes an object under a condition. It is sent again only when the store said that it did nothing; without an
   * answer it throws BP-STORE-024: it was written, or will be, or not.
   */
  async put(
    key: string,
    bytes: Uint8Array,
    condition: S3Condition,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<S3Put> {
    if (bytes.length > MAX_OBJECT)
      throw new StoreError("BP-STORE-006", `${key} is too large`, {
        expected: `at most ${MAX_OBJECT} bytes`,
        found: String(bytes.length),
      });
    const action = `write ${this.name}${key}`;
    const all = { ...headers, ...conditionHeaders(condition), [DIGEST]: formatHex(sha256(bytes)) };
    const request: S3Request = { action, method: "PUT", key: this.#key(key), headers: all, body: bytes };
    for (let tried = 1; ; tried++) {
      const answer = await this.#client.send(request).catch((cause: unknown) => {
        throw unknownOutcome(action, cause);
      });
      if (answer.status === 200) return { is: "done", etag: etagOf(answer) };
      if (answer.status === 412) return { is: "overtaken" };
      if (answer.status === 404 && typeof condition === "object" && errorCode(answer) === "NoSuchKey")
        return { is: "overtaken" };
      if (answer.status >= 500 || answer.status < 300) throw unknownOutcome(action, refusal(action, answer));
      // 409: another write of this object was under way, and this one was not done. 429: too many at once.
      if (![409, 429].includes(answer.status) || tried === TRIES) throw refusal(action, answer);
      await pause(tried);
    }
  }

  /** Deletes an object, if it is there. */
  async delete(key: string): Promise<void> {
    const action = `delete ${this.name}${key}`;
    const answer = await this.#retry({ action, method: "DELETE", key: this.#key(key) });
    if (answer.status === 404 && errorCode(answer) === "NoSuchKey") return;
    if (answer.status !== 204 && answer.status !== 200) throw refusal(action, answer);
  }

  /** Keys that start with `prefix`, in order. */
  async list(prefix: string): Promise<string[]> {
    const action = `list ${this.name}${prefix}`;
    const keys = await listKeys(this.#prefix + prefix, action, async (query) => {
      const answer = await this.#retry({ action, method: "GET", query });
      if (answer.status !== 200) throw refusal(action, answer);
      return answer.bytes;
    });
    return keys.map((key) => key.slice(this.#prefix.length));
  }

  /** Sends what may be done twice, until the store answers with something else than its own trouble. */
  async #retry(request: S3Request): Promise<S3Answer> {
    for (let tried = 1; ; tried++) {
      try {
        const answer = await this.#client.send(request);
        if ((answer.status < 500 && answer.status !== 429) || tried === TRIES) return answer;
      } catch (error) {
        if (tried === TRIES || !(error instanceof StoreError) || error.code !== "BP-STORE-022") throw error;
      }
      await pause(tried);
    }
  }

  #key(key: string): string {
    checkKey(key);
    return this.#prefix + key;
  }
}

function conditionHeaders(condition: S3Condition): Readonly<Record<string, string>> {
  if (condition === "any") return {};
  return condition === "new" ? { "if-none-match": "*" } : { "if-match": condition.etag };
}

function etagOf({ headers }: S3Answer): string | undefined {
  const etag = headers.get("etag");
  return etag !== null && ETAG.test(etag) ? etag : undefined;
}

/** Longer each time, and not the same for all who wait. */
async function pause(tried: number): Promise<void> {
  await sleep(PAUSE * 2 ** (tried - 1) * (0.5 + Math.random()));
}

/** The answer to a write was lost, or says nothing. */
function unknownOutcome(action: string, cause: unknown): StoreError {
  const why = cause instanceof Error ? cause.message : "no answer";
  return new StoreError("BP-STORE-024", `cannot tell whether this happened: ${action}: ${why}`, {
    cause,
    hint: "open the log again: it reads what was committed and goes on from there",
  });
}
