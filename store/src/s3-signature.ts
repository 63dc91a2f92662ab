/**
 * The one door to aws4fetch: signs a request with AWS Signature Version 4, its body included.
 * @module
 */
import { formatHex, sha256 } from "@bootproof/bytes";
import { AwsV4Signer } from "aws4fetch";
import type { S3Credentials } from "./s3-address.ts";

/** A request before it is signed. */
export interface UnsignedRequest {
  readonly method: "GET" | "PUT" | "DELETE";
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | undefined;
}

/** Signs requests to one region. */
export class S3Signer {
  readonly #region: string;
  /** Keys derived from the secret for a day; the library fills it and never empties it. */
  #derived = new Map<string, ArrayBuffer>();

  constructor(region: string) {
    this.#region = region;
  }

  /** The headers to send with a request, its signature among them. */
  async sign(request: UnsignedRequest, credentials: S3Credentials): Promise<Record<string, string>> {
    if (this.#derived.size > 2) this.#derived = new Map();
    const signer = new AwsV4Signer({
      method: request.method,
      url: request.url.href,
      headers: {
        ...request.headers,
        "x-amz-content-sha256": formatHex(sha256(request.body ?? new Uint8Array())),
      },
      service: "s3",
      region: this.#region,
      cache: this.#derived,
      accessKeyId: credentials.accessKeyId,
      secretAccessKey: credentials.secretAccessKey,
      ...(credentials.sessionToken === undefined ? {} : { sessionToken: credentials.sessionToken }),
    });
    const { headers } = await signer.sign();
    return Object.fromEntries(headers);
  }
}
