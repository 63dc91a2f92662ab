/**
 * Requests to a bucket: signed, limited in time and size, many at once but not any number. It answers with what the
 * server said, or throws BP-STORE-022 when the server said nothing that can be believed.
 * @module
 */
import { parseUtf8 } from "@bootproof/bytes";
import { parseXml } from "@bootproof/bytes/xml";
import { bucketUrl, type S3Options } from "./s3-address.ts";
import { S3Signer } from "./s3-signature.ts";
import { StoreError } from "./store-error.ts";

/** A stage holds one batch of a log. */
export const MAX_OBJECT: number = 64 * 1024 * 1024;
/** Errors and pages of lists. */
const MAX_TEXT = 1024 * 1024;
const TIMEOUT = 15_000;
const BYTES_A_MILLISECOND = 500;
const AT_ONCE = 32;

/** One request. */
export interface S3Request {
  /** In words, for errors. */
  readonly action: string;
  readonly method: "GET" | "PUT" | "DELETE";
  /** The key in the bucket; absent for the bucket itself. */
  readonly key?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

/** What the server said. */
export interface S3Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Uint8Array;
}

/** Sends requests to one bucket. */
export class S3Client {
  readonly #base: URL;
  readonly #signer: S3Signer;
  readonly #options: S3Options;
  readonly #fetch: typeof fetch;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(options: S3Options, send: typeof fetch) {
    this.#base = bucketUrl(options);
    this.#options = options;
    this.#signer = new S3Signer(options.region);
    this.#fetch = send;
  }

  /** Sends a request and reads the answer to its end. */
  async send(request: S3Request): Promise<S3Answer> {
    if (this.#running < AT_ONCE) this.#running++;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await this.#send(request);
    } catch (cause) {
      throw cause instanceof StoreError ? cause : silence(request.action, cause);
    } finally {
      const next = this.#waiting.shift(); // takes our place
      if (next === undefined) this.#running--;
      else next();
    }
  }

  async #send({ action, method, key = "", query = {}, headers = {}, body }: S3Request): Promise<S3Answer> {
    // Encoded as the signature's canonical form has it, so that nobody on the way need change it.
    const url = new URL(key.split("/").map(encodeURIComponent).join("/"), this.#base);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    const { credentials } = this.#options;
    const keys = typeof credentials === "function" ? await credentials() : credentials;
    const signed = await this.#signer.sign({ method, url, headers, body }, keys);
    const allowed = (this.#options.timeout ?? TIMEOUT) + (body?.length ?? 0) / BYTES_A_MILLISECOND;
    const response = await this.#fetch(url, {
      method,
      headers: { ...signed, "accept-encoding": "identity" },
      redirect: "manual",
      signal: AbortSignal.timeout(Math.ceil(allowed)),
      // The types of fetch want bytes that are surely not shared between threads.
      ...(body === undefined ? {} : { body: body as Uint8Array<ArrayBuffer> }),
    });
    const isObject = method === "GET" && key !== "" && response.status === 200;
    const bytes = await readBody(response, isObject ? MAX_OBJECT : MAX_TEXT, action);
    return { status: response.status, headers: response.headers, bytes };
  }
}

async function readBody(response: Response, limit: number, action: string): Promise<Uint8Array> {
  const encoding = response.headers.get("content-encoding");
  if (encoding !== null && encoding !== "identity")
    throw badAnswer(action, "an encoding that was not asked for", "identity", encoding.slice(0, 40));
  const length = response.headers.get("content-length");
  if (length !== null && Number(length) > limit)
    throw badAnswer(action, "too long", `at most ${limit} bytes`, length);
  const chunks: Uint8Array[] = [];
  let total = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    total += chunk.length;
    if (total > limit) throw badAnswer(action, "too long", `at most ${limit} bytes`);
    chunks.push(chunk);
  }
  if (length !== null && String(total) !== length)
    throw badAnswer(action, "cut off", `${length} bytes`, `${total}`);
  return new Uint8Array(Buffer.concat(chunks));
}

/** The `Code` of an error answer, such as NoSuchKey; "" when there is none. */
export function errorCode({ bytes }: S3Answer): string {
  try {
    const { name, children } = parseXml(parseUtf8(bytes, "error"));
    const code = children.find((child) => child.name === "Code")?.text ?? "";
    return name === "Error" && /^[A-Za-z0-9]{1,64}$/.test(code) ? code : "";
  } catch {
    return "";
  }
}

/** Nobody answered, or not to the end. */
export function silence(action: string, cause: unknown): StoreError {
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
  const why = inner instanceof Error ? inner.message || inner.name : "no answer";
  return new StoreError("BP-STORE-022", `cannot ${action}: ${why.slice(0, 200)}`, {
    cause,
    hint: "check endpoint and network; nothing has to be undone",
  });
}

/** The server refused. */
export function refusal(action: string, answer: S3Answer): StoreError {
  const code = errorCode(answer);
  const moved = answer.status >= 300 && answer.status < 400;
  return new StoreError(
    "BP-STORE-023",
    `cannot ${action}: the store answers ${answer.status} ${code}`.trim(),
    {
      found: `${answer.status} ${code}`.trim(),
      hint: moved
        ? "check the region of the bucket"
        : "check credentials, rights and bucket, and the clock of this machine",
    },
  );
}

/** The server answered something that cannot be right. */
export function badAnswer(action: string, why: string, expected: string, found?: string): StoreError {
  return new StoreError("BP-STORE-025", `cannot ${action}: the answer of the store is wrong: ${why}`, {
    expected,
    ...(found === undefined ? {} : { found }),
  });
}
