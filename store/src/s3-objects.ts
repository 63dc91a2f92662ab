/**
 * Named objects of a log in a bucket. Immutable ones are created if nobody did; a mutable one with `confirm` replaces
 * the object that was there before the confirmation, or nothing, so that a request which lands late does no harm.
 * @module
 */
import { equalBytes, firstDifference } from "@bootproof/bytes";
import { checkKey } from "./key.ts";
import type { S3Bucket, S3Put } from "./s3-bucket.ts";
import { badAnswer } from "./s3-client.ts";
import { StoreError } from "./store-error.ts";

/** Headers that readers get with an object, by its key. */
export type ObjectHeaders = (key: string) => Readonly<Record<string, string>>;

const TRIES = 5;
const FOR_EVER = "public, max-age=31536000, immutable";
/** Readers must not take an old checkpoint for a log that stands still. */
const NOT_AT_ALL = "no-cache";

/** Headers for the public files of a log: tiles never change, the checkpoint is asked for each time. */
export const logHeaders: ObjectHeaders = (key) => {
  if (key === "checkpoint")
    return { "content-type": "text/plain; charset=utf-8", "cache-control": NOT_AT_ALL };
  const cache = key.startsWith("tile/") ? FOR_EVER : NOT_AT_ALL;
  return { "content-type": "application/octet-stream", "cache-control": cache };
};

/** Objects by key, a relative path, in a bucket. */
export class S3Objects {
  readonly #bucket: S3Bucket;
  readonly #prefix: string;
  readonly #headers: ObjectHeaders;

  constructor(
    bucket: S3Bucket,
    prefix = "",
    { headers = logHeaders }: { readonly headers?: ObjectHeaders } = {},
  ) {
    if (prefix !== "") checkKey(prefix);
    this.#bucket = bucket;
    this.#prefix = prefix === "" ? "" : `${prefix}/`;
    this.#headers = headers;
  }

  /** Creates an object; the same bytes again are fine, other bytes throw {@link StoreError}. */
  async putImmutable(key: string, bytes: Uint8Array): Promise<void> {
    if ((await this.#create(key, bytes)).is === "done") return;
    const stored = await this.get(key);
    if (stored === undefined)
      throw new StoreError("BP-STORE-009", `${this.#name(key)} was deleted while it was created`, {
        file: this.#name(key),
      });
    if (equalBytes(stored, bytes)) return;
    throw new StoreError("BP-STORE-007", `${this.#name(key)} exists with other bytes and must never change`, {
      file: this.#name(key),
      expected: `the ${stored.length} bytes stored`,
      found: `${bytes.length} bytes that differ at offset ${firstDifference(stored, bytes) ?? 0}`,
    });
  }

  /** Creates several objects, at the same time. */
  async putImmutables(
    objects: readonly { readonly key: string; readonly bytes: Uint8Array }[],
  ): Promise<void> {
    await Promise.all(objects.map(({ key, bytes }) => this.putImmutable(key, bytes)));
  }

  /**
   * Creates or replaces an object as one step. With `confirm` it replaces what was there before that call and nothing
   * else: it fails when another replacement came in between, and so does the request when it arrives late.
   */
  async putMutable(key: string, bytes: Uint8Array, confirm?: () => Promise<void>): Promise<void> {
    const path = this.#key(key);
    if (confirm === undefined) {
      await this.#bucket.put(path, bytes, "any", this.#headers(key));
      return;
    }
    const stored = await this.#bucket.get(path);
    if (stored !== undefined && stored.etag === undefined)
      throw badAnswer(`replace ${this.#name(key)}`, "an object without a strong ETag", "a strong ETag");
    await confirm();
    const condition = stored?.etag === undefined ? "new" : { etag: stored.etag };
    const { is } = await this.#bucket.put(path, bytes, condition, this.#headers(key));
    if (is === "overtaken")
      throw new StoreError("BP-STORE-020", `${this.#name(key)} was replaced by another writer first`, {
        file: this.#name(key),
      });
  }

  /** The object's bytes, or undefined when there is none. */
  async get(key: string): Promise<Uint8Array | undefined> {
    return (await this.#bucket.get(this.#key(key)))?.bytes;
  }

  /** Deletes the object, if it is there. */
  async delete(key: string): Promise<void> {
    await this.#bucket.delete(this.#key(key));
  }

  /** Keys that start with `prefix`, in order. */
  async list(prefix = ""): Promise<string[]> {
    const keys = await this.#bucket.list(this.#prefix + prefix);
    return keys.map((key) => key.slice(this.#prefix.length));
  }

  /** Its content follows from its name, so it may be sent again while nobody knows what became of it. */
  async #create(key: string, bytes: Uint8Array): Promise<S3Put> {
    for (let tried = 1; ; tried++)
      try {
        return await this.#bucket.put(this.#key(key), bytes, "new", this.#headers(key));
      } catch (error) {
        if (tried === TRIES || !(error instanceof StoreError) || error.code !== "BP-STORE-024") throw error;
      }
  }

  #key(key: string): string {
    checkKey(key);
    return this.#prefix + key;
  }

  #name(key: string): string {
    return this.#bucket.name + this.#prefix + key;
  }
}
