/**
 * A small S3 in this process that does what it is told to: it checks each signature by its own arithmetic, keeps to the
 * conditions of writes, and lies, loses answers or comes late when a test asks for it.
 * @module
 */
import { createHash, createHmac } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { onTestFinished } from "vitest";
import type { S3Options } from "./s3-address.ts";
import { S3Bucket } from "./s3-bucket.ts";

export const CREDENTIALS = { accessKeyId: "AKID", secretAccessKey: "secret/+=key" };
const BUCKET = "bucket";

/** A request as the server understands it. */
export interface Asked {
  readonly method: string;
  readonly key: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
}

/** What goes wrong with one request. */
export type Fault =
  /** Answers so, and does nothing. */
  | { readonly status: number; readonly code?: string; readonly headers?: Record<string, string> }
  /** Does nothing and breaks the connection; does it and breaks; does it only when told to, and breaks now. */
  | "drop"
  | "lose"
  | "late"
  /** Does it, and never answers. */
  | "hang"
  /** Answers with these bytes and headers. */
  | { readonly bytes: Buffer; readonly headers?: Record<string, string>; readonly cutAt?: number };

/** How the server lies, always. */
export type Lie =
  | "ignores If-None-Match"
  | "ignores If-Match"
  | "checks first and writes later"
  | "shows old bytes"
  | "gives weak ETags"
  | "gives one ETag to all"
  | "lists nothing"
  | "refuses every condition";

interface Stored {
  readonly bytes: Buffer;
  readonly etag: string;
  readonly headers: Record<string, string>;
}

/** A running server. */
export class TestS3 {
  readonly objects: Map<string, Stored> = new Map<string, Stored>();
  readonly asked: Asked[] = [];
  /** Asked for each request; undefined: nothing goes wrong. */
  fault: (asked: Asked) => Fault | undefined = () => undefined;
  lie: Lie | undefined;
  /** Keys of a page of a list. */
  page = 1000;
  readonly #late: (() => void)[] = [];
  readonly #older = new Map<string, Stored>();
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  static async start(): Promise<TestS3> {
    const server = new TestS3();
    server.#server.listen(0, "127.0.0.1");
    await once(server.#server, "listening");
    onTestFinished(() => {
      server.#server.closeAllConnections();
      server.#server.close();
    });
    return server;
  }

  get options(): S3Options {
    const { port } = this.#server.address() as AddressInfo;
    const endpoint = `http://127.0.0.1:${port}`;
    return {
      endpoint,
      region: "test-1",
      bucket: BUCKET,
      prefix: "log",
      credentials: CREDENTIALS,
      timeout: 20_000,
    };
  }

  async open(options: Partial<S3Options> = {}): Promise<S3Bucket> {
    return S3Bucket.open({ ...this.options, ...options });
  }

  /** Writes that were under way when their connection broke happen now. */
  landLate(): void {
    for (const land of this.#late.splice(0)) land();
  }

  /** Lets `fault` happen to the next request that `when` describes, once. */
  once(when: Partial<Pick<Asked, "method" | "key">>, fault: Fault, times = 1): void {
    let left = times;
    this.fault = (asked) => {
      if (left === 0 || (when.method ?? asked.method) !== asked.method) return undefined;
      if ((when.key ?? asked.key) !== asked.key) return undefined;
      left--;
      return fault;
    };
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const url = new URL(request.url ?? "/", "http://x");
    const asked: Asked = {
      method: request.method ?? "",
      key: decodeURIComponent(url.pathname).replace(`/${BUCKET}/`, ""),
      query: url.searchParams,
      headers: request.headers as Record<string, string | undefined>,
      body: Buffer.concat(chunks),
    };
    this.asked.push(asked);
    if (!isSigned(asked, url)) {
      refuse(response, 403, "SignatureDoesNotMatch");
      return;
    }
    const fault = this.fault(asked);
    if (fault === "drop") return void request.socket.destroy();
    if (fault === "late") {
      this.#late.push(() => void this.#act(asked, sink()));
      return void request.socket.destroy();
    }
    if (fault === "lose" || fault === "hang") {
      await this.#act(asked, sink());
      if (fault === "lose") request.socket.destroy();
      return;
    }
    if (fault === undefined) return this.#act(asked, response);
    if ("bytes" in fault) {
      response.writeHead(200, { "content-length": String(fault.bytes.length), ...fault.headers });
      if (fault.cutAt === undefined) return void response.end(fault.bytes);
      response.write(fault.bytes.subarray(0, fault.cutAt));
      await sleep(20);
      return void request.socket.destroy();
    }
    for (const [name, value] of Object.entries(fault.headers ?? {})) response.setHeader(name, value);
    refuse(response, fault.status, fault.code ?? "Trouble");
  }

  async #act(asked: Asked, response: Pick<ServerResponse, "writeHead" | "end">): Promise<void> {
    const { method, key } = asked;
    if (key === "" && method === "GET") {
      this.#list(asked, response);
      return;
    }
    const old = this.lie === "shows old bytes" ? this.#older.get(key) : undefined;
    const stored = this.objects.get(key);
    if (method === "GET") {
      const shown = old ?? stored;
      if (shown === undefined) {
        refuse(response, 404, "NoSuchKey");
        return;
      }
      response.writeHead(200, {
        ...shown.headers,
        etag: shown.etag,
        "content-length": String(shown.bytes.length),
      });
      return void response.end(shown.bytes);
    }
    if (method === "DELETE") {
      this.objects.delete(key);
      response.writeHead(204);
      return void response.end();
    }
    const refused = this.#refusal(asked, stored);
    if (refused !== undefined) {
      refuse(response, ...refused);
      return;
    }
    if (this.lie === "checks first and writes later") await sleep(5);
    const now = this.#store(asked);
    response.writeHead(200, { etag: now.etag });
    response.end();
  }

  #refusal({ headers }: Asked, stored: Stored | undefined): [number, string] | undefined {
    const ifNone = this.lie === "ignores If-None-Match" ? undefined : headers["if-none-match"];
    const ifMatch = this.lie === "ignores If-Match" ? undefined : headers["if-match"];
    if (this.lie === "refuses every condition" && (ifNone ?? ifMatch) !== undefined)
      return [412, "PreconditionFailed"];
    if (ifNone === "*" && stored !== undefined) return [412, "PreconditionFailed"];
    if (ifMatch !== undefined && stored === undefined) return [404, "NoSuchKey"];
    if (ifMatch !== undefined && stored?.etag !== ifMatch) return [412, "PreconditionFailed"];
    return undefined;
  }

  #store({ key, body, headers }: Asked): Stored {
    const kept = Object.entries(headers).flatMap(([name, value]) =>
      /^(x-amz-meta-.*|content-type|cache-control)$/.test(name) && value !== undefined
        ? [[name, value] as const]
        : [],
    );
    const md5 = createHash("md5").update(body).digest("hex");
    const etag =
      this.lie === "gives one ETag to all"
        ? '"same"'
        : `${this.lie === "gives weak ETags" ? "W/" : ""}"${md5}"`;
    const before = this.objects.get(key);
    if (before !== undefined) this.#older.set(key, before);
    const stored = { bytes: body, etag, headers: Object.fromEntries(kept) };
    this.objects.set(key, stored);
    return stored;
  }

  #list({ query }: Asked, response: Pick<ServerResponse, "writeHead" | "end">): void {
    const after = Buffer.from(query.get("continuation-token") ?? "", "base64").toString();
    const all = [...this.objects.keys()]
      .filter((key) => key.startsWith(query.get("prefix") ?? "") && key > after)
      .sort();
    const keys =
      this.lie === "lists nothing" ? [] : all.slice(0, Math.min(this.page, Number(query.get("max-keys"))));
    const more = keys.length > 0 && keys.length < all.length;
    response.writeHead(200, { "content-type": "application/xml" });
    response.end(
      `<?xml version="1.0"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><IsTruncated>${more}</IsTruncated>` +
        keys.map((key) => `<Contents><Key>${key}</Key><Size>1</Size></Contents>`).join("") +
        (more
          ? `<NextContinuationToken>${Buffer.from(keys.at(-1)!).toString("base64")}</NextContinuationToken>`
          : "") +
        "</ListBucketResult>",
    );
  }
}

function refuse(response: Pick<ServerResponse, "writeHead" | "end">, status: number, code: string): void {
  response.writeHead(status, { "content-type": "application/xml" });
  response.end(
    `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>told to</Message></Error>`,
  );
}

/** An answer that nobody gets. */
function sink(): Pick<ServerResponse, "writeHead" | "end"> {
  return { writeHead: () => undefined, end: () => undefined } as unknown as ServerResponse;
}

const hmac = (key: string | Buffer, text: string): Buffer => createHmac("sha256", key).update(text).digest();
const hex = (bytes: string | Buffer): string => createHash("sha256").update(bytes).digest("hex");

/** AWS General Reference, "Create a signed AWS API request", from the other side. */
function isSigned({ method, headers, body, query }: Asked, url: URL): boolean {
  const authorization = headers["authorization"] ?? "";
  const [, day, region, names = "", signature] =
    /^AWS4-HMAC-SHA256 Credential=AKID\/(\d{8})\/([a-z0-9-]+)\/s3\/aws4_request, SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})$/.exec(
      authorization,
    ) ?? [];
  const time = headers["x-amz-date"] ?? "";
  if (day === undefined || region === undefined || !time.startsWith(day)) return false;
  if (headers["x-amz-content-sha256"] !== hex(body)) return false;
  const needed = ["host", "x-amz-date", "x-amz-content-sha256", "if-match", "if-none-match"];
  if (needed.some((name) => headers[name] !== undefined && !names.split(";").includes(name))) return false;
  const sorted = [...query].map((pair) => pair.map(encodeURIComponent).join("=")).sort();
  const lines = names.split(";").map((name) => `${name}:${headers[name] ?? ""}\n`);
  const canonical = [method, url.pathname, sorted.join("&"), lines.join(""), names, hex(body)].join("\n");
  const text = ["AWS4-HMAC-SHA256", time, `${day}/${region}/s3/aws4_request`, hex(canonical)].join("\n");
  const parts = [day, region, "s3", "aws4_request", text];
  return (
    parts.reduce<string | Buffer>(hmac, `AWS4${CREDENTIALS.secretAccessKey}`).toString("hex") === signature
  );
}
