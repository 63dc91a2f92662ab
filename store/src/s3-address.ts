/**
 * Which bucket, where, and in whose name; checked before anything is sent.
 * @module
 */
import { quote } from "@bootproof/bytes";
import { checkKey } from "./key.ts";
import { StoreError } from "./store-error.ts";

/** The keys of an account. */
export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** How to reach a bucket. */
export interface S3Options {
  /** `https://s3.eu-central-1.amazonaws.com`; `http:` only on this machine, unless `plainHttp` allows it. */
  readonly endpoint: string;
  readonly region: string;
  readonly bucket: string;
  /** Where in the bucket everything is, without slashes at its ends; "" for the whole bucket. */
  readonly prefix?: string;
  /** Names the bucket in the path (the default) and not in the host. */
  readonly pathStyle?: boolean;
  /** Or a function that gives the ones of now, when they change. */
  readonly credentials: S3Credentials | (() => Promise<S3Credentials>);
  /** Milliseconds for one request, besides one for each 500 bytes it carries. */
  readonly timeout?: number;
  /** Allows `http:` beyond this machine: whoever is on the way can then answer what he likes. */
  readonly plainHttp?: boolean;
}

const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const REGION = /^[A-Za-z0-9-]{1,64}$/;
const LOOPBACK = /^(localhost|127(\.[0-9]{1,3}){3}|\[::1\])$/;

/** The URL under which the keys of a bucket are; throws {@link StoreError}. */
export function bucketUrl(options: S3Options): URL {
  const { endpoint, region, bucket, prefix = "", pathStyle = true, plainHttp = false } = options;
  const url = URL.parse(endpoint);
  if (url === null || !["https:", "http:"].includes(url.protocol))
    throw refused("the endpoint is no https: URL", endpoint);
  if (url.username !== "" || url.password !== "")
    throw refused("the endpoint has credentials in it", url.host);
  if (url.pathname !== "/" || url.search !== "" || url.hash !== "")
    throw refused("the endpoint has more than a host", endpoint);
  if (url.protocol === "http:" && !plainHttp && !LOOPBACK.test(url.hostname))
    throw refused("the endpoint is not protected: http: lets anyone on the way answer", endpoint);
  if (!BUCKET.test(bucket) || bucket.includes("..")) throw refused("not the name of a bucket", bucket);
  if (!REGION.test(region)) throw refused("not a region", region);
  if (prefix !== "") checkKey(prefix);
  if (pathStyle) url.pathname = `/${bucket}/`;
  else url.hostname = `${bucket}.${url.hostname}`;
  return url;
}

function refused(why: string, found: string): StoreError {
  return new StoreError("BP-STORE-026", `cannot use this bucket: ${why}`, {
    found: quote(found.slice(0, 200)),
  });
}
