/**
 * Parts of a log in S3-compatible buckets. Apart, so that only logs that are there load what signs its requests.
 * @module
 */
import type { ObjectStore } from "@bootproof/log";
import { S3Bucket, S3Head, S3Objects } from "@bootproof/store/s3";

import { EXIT } from "../frame/exit-code.ts";
import { Failure } from "../frame/failure.ts";
import type { PrivateStores } from "./log-stores.ts";
import { formatStoreUrl, type S3Url } from "./store-url.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** Opens what everyone may read. */
export async function openS3Objects(url: S3Url, use: "read" | "write", env: Env): Promise<ObjectStore> {
  const bucket = await openBucket(url, env);
  // On a store that does not keep to the conditions of writes, a log forks.
  if (use === "write") await bucket.probe();
  return new S3Objects(bucket);
}

/** Opens head and stages. */
export async function openS3Private(url: S3Url, env: Env): Promise<PrivateStores> {
  const bucket = await openBucket(url, env);
  await bucket.probe();
  return {
    staging: new S3Objects(bucket, "staging", { headers: () => ({}) }),
    head: new S3Head(bucket, "head"),
    close: () => Promise.resolve(),
  };
}

function openBucket(url: S3Url, env: Env): Promise<S3Bucket> {
  const { endpoint, region, bucket, prefix, pathStyle } = url;
  const [accessKeyId, secretAccessKey] = [env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"]];
  if (accessKeyId === undefined || secretAccessKey === undefined)
    throw new Failure("BP-LOG-042", EXIT.notAuthorised, "no credentials for the log's bucket", {
      file: formatStoreUrl(url),
      expected: "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment",
    });
  const sessionToken = env["AWS_SESSION_TOKEN"];
  const credentials = {
    accessKeyId,
    secretAccessKey,
    ...(sessionToken === undefined ? {} : { sessionToken }),
  };
  return S3Bucket.open({ endpoint, region, bucket, prefix, pathStyle, credentials });
}
