/**
 * The compare-and-swap head of a log as one object: a line with the generation, then the bytes. It is created if nobody
 * did and replaced while it is the object that was read; without an answer nobody can tell, and it fails with
 * BP-STORE-024. Keep it apart from the public objects, with credentials of its own, versioned and never expired.
 * @module
 */
import { concatBytes, parseDecimal, ParseError, parseUtf8, utf8 } from "@bootproof/bytes";
import type { Head } from "./directory-head.ts";
import { checkKey } from "./key.ts";
import type { S3Bucket } from "./s3-bucket.ts";
import { badAnswer } from "./s3-client.ts";
import { StoreError } from "./store-error.ts";

const FIRST = "bootproof.store/head@v1 ";
const LF = 0x0a;
/** The first line, at most. */
const MAX_LINE = FIRST.length + 17;
const HEADERS = { "content-type": "application/octet-stream", "cache-control": "no-store" };

interface Seen {
  readonly generation: number;
  readonly etag: string;
}

/** A value in a bucket that only moves from the generation its writer has seen. */
export class S3Head {
  readonly #bucket: S3Bucket;
  readonly #key: string;
  #seen: Seen | undefined;

  constructor(bucket: S3Bucket, key = "head") {
    checkKey(key);
    this.#bucket = bucket;
    this.#key = key;
  }

  /** The newest generation, or undefined when nothing was committed yet. */
  async read(): Promise<Head | undefined> {
    const object = await this.#bucket.get(this.#key);
    this.#seen = undefined;
    if (object === undefined) return undefined;
    const head = parse(object.bytes, this.#action("read"));
    this.#see(head.generation, object.etag);
    return head;
  }

  /** Commits `bytes` as generation `expected` + 1; "conflict" means that somebody else committed. */
  async compareAndSwap(expected: number, bytes: Uint8Array): Promise<"committed" | "conflict"> {
    if (!Number.isSafeInteger(expected) || expected < 0)
      throw new StoreError("BP-STORE-008", `not a generation: ${expected}`);
    if (expected > 0 && this.#seen?.generation !== expected) await this.read();
    const seen = this.#seen;
    if (expected > 0 && seen?.generation !== expected) return "conflict";
    const next = expected + 1;
    const content = concatBytes(utf8(`${FIRST}${next}\n`), bytes);
    const condition = expected === 0 || seen === undefined ? "new" : { etag: seen.etag };
    this.#seen = undefined;
    const put = await this.#bucket.put(this.#key, content, condition, HEADERS);
    if (put.is === "overtaken") return "conflict";
    if (put.etag !== undefined) this.#see(next, put.etag);
    return "committed";
  }

  #see(generation: number, etag: string | undefined): void {
    if (etag === undefined)
      throw badAnswer(this.#action("use"), "an object without a strong ETag", "a strong ETag");
    this.#seen = { generation, etag };
  }

  #action(verb: string): string {
    return `${verb} the head ${this.#bucket.name}${this.#key}`;
  }
}

function parse(bytes: Uint8Array, action: string): Head {
  const end = bytes.subarray(0, MAX_LINE).indexOf(LF);
  try {
    const line = parseUtf8(bytes.subarray(0, Math.max(end, 0)), "head");
    if (!line.startsWith(FIRST)) throw badAnswer(action, "not a head", FIRST.trim());
    const generation = Number(parseDecimal(line.slice(FIRST.length), "generation"));
    if (!Number.isSafeInteger(generation) || generation === 0)
      throw badAnswer(action, "not a generation", "1 to 2^53 - 1", String(generation));
    return { generation, bytes: bytes.slice(end + 1) };
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    throw badAnswer(action, error.message, "a generation");
  }
}
