/**
 * URLs of the stores that a log may be on: `s3://BUCKET/PREFIX?endpoint=URL&region=NAME&path-style=true` and
 * `postgres://USER@HOST/DATABASE`. Secrets come from the environment; a URL that holds one is refused unread.
 * @module
 */
import { badValue } from "../frame/given.ts";
import type { Failure } from "../frame/failure.ts";

/** A bucket, or a part of it. */
export interface S3Url {
  readonly kind: "s3";
  readonly endpoint: string;
  readonly region: string;
  readonly bucket: string;
  /** Without slashes at its ends; empty for the whole bucket. */
  readonly prefix: string;
  readonly pathStyle: boolean;
}

/** Any store. */
export type StoreUrl = S3Url | { readonly kind: "postgres"; readonly url: string };

type Env = Readonly<Record<string, string | undefined>>;

const MAX_URL = 2048;
const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const PREFIX = /^(?:[A-Za-z0-9_][A-Za-z0-9._-]*(?:\/[A-Za-z0-9_][A-Za-z0-9._-]*)*)?$/;
const S3_PARAMETERS = ["endpoint", "path-style", "region"];

/** Reads a URL given to `flag`; what it leaves out is taken from the environment as the AWS tools take it. */
export function parseStoreUrl(text: string, flag: string, env: Env = {}): StoreUrl {
  const url = text.length > MAX_URL ? null : URL.parse(text);
  if (url === null) throw badValue(flag, "s3://BUCKET/PREFIX or postgres://USER@HOST/DATABASE", "no URL");
  // A parser of URLs resolves these without a word.
  if (/^[^?#]*\/\.{1,2}(?:[/?#]|$)/.test(text)) throw badValue(flag, "a prefix of plain names", ". or ..");
  if (url.password !== "" || url.searchParams.has("password")) throw secret(flag);
  switch (url.protocol) {
    case "postgres:":
    case "postgresql:":
      return { kind: "postgres", url: text };
    case "s3:":
      return parseS3(url, flag, env);
    default:
      throw badValue(flag, "s3://BUCKET/PREFIX or postgres://USER@HOST/DATABASE", url.protocol);
  }
}

/** The text of a URL with nothing left to the environment. */
export function formatStoreUrl(store: StoreUrl): string {
  if (store.kind === "postgres") return store.url;
  const { bucket, prefix, endpoint, pathStyle, region } = store;
  const parameters = new URLSearchParams({ endpoint, "path-style": String(pathStyle), region });
  return `s3://${bucket}/${prefix}?${parameters.toString()}`;
}

/** Whether two places overlap, so that the one shows or overwrites what is in the other. */
export function overlap(a: StoreUrl, b: StoreUrl): boolean {
  if (a.kind !== "s3" || b.kind !== "s3" || a.bucket !== b.bucket || a.endpoint !== b.endpoint) return false;
  const [one, other] = [folderOf(a), folderOf(b)];
  return one.startsWith(other) || other.startsWith(one);
}

const folderOf = ({ prefix }: S3Url): string => (prefix === "" ? "" : `${prefix}/`);

function parseS3(url: URL, flag: string, env: Env): S3Url {
  for (const [name] of url.searchParams)
    if (!S3_PARAMETERS.includes(name) || url.searchParams.getAll(name).length > 1)
      throw badValue(flag, `only the parameters ${S3_PARAMETERS.join(", ")}, each once`, name);
  if (url.username !== "" || url.hash !== "" || url.port !== "")
    throw badValue(flag, "s3://BUCKET/PREFIX", "more than that");
  if (!BUCKET.test(url.hostname)) throw badValue(flag, "the name of a bucket", url.hostname);
  const prefix = url.pathname.replace(/^\/|\/$/g, "");
  if (!PREFIX.test(prefix)) throw badValue(flag, "a prefix of plain names", prefix);
  const region =
    url.searchParams.get("region") ?? env["AWS_REGION"] ?? env["AWS_DEFAULT_REGION"] ?? "us-east-1";
  if (!/^[a-z0-9-]{1,64}$/.test(region)) throw badValue(flag, "the name of a region", region);
  const given = url.searchParams.get("endpoint") ?? env["AWS_ENDPOINT_URL_S3"] ?? env["AWS_ENDPOINT_URL"];
  const endpoint = parseEndpoint(given ?? `https://s3.${region}.amazonaws.com`, flag);
  return {
    kind: "s3",
    endpoint,
    region,
    bucket: url.hostname,
    prefix,
    // Servers of one's own rarely have a host name for each bucket.
    pathStyle: parseFlag(url.searchParams.get("path-style"), given !== undefined, flag),
  };
}

function parseEndpoint(text: string, flag: string): string {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol) || url.search !== "" || url.hash !== "")
    throw badValue(flag, "an endpoint such as https://s3.example.org", "another URL");
  if (url.username !== "" || url.password !== "") throw secret(flag);
  return url.href.replace(/\/+$/, "");
}

function parseFlag(text: string | null, otherwise: boolean, flag: string): boolean {
  if (text === null) return otherwise;
  if (text === "true" || text === "false") return text === "true";
  throw badValue(flag, "path-style=true or path-style=false", text);
}

function secret(flag: string): Failure {
  return badValue(
    flag,
    "a URL without a secret: passwords come from PGPASSWORD, PGPASSFILE or AWS_SECRET_ACCESS_KEY",
    "a URL with a secret in it, not shown",
  );
}
