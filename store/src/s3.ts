/**
 * @bootproof/store/s3: a log's objects and head in a bucket of an S3-compatible store.
 * @module
 */
export type { S3Credentials, S3Options } from "./s3-address.ts";
export { S3Bucket, type S3Condition, type S3Object, type S3Put } from "./s3-bucket.ts";
export { S3Head } from "./s3-head.ts";
export { logHeaders, S3Objects, type ObjectHeaders } from "./s3-objects.ts";
