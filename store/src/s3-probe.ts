/**
 * Finds out whether a store keeps to the conditions of a write. Some ignore them and overwrite, some check first and
 * write later, some show old bytes; on any of these two writers could both believe that they moved a log's head.
 * @module
 */
import { randomUUID } from "node:crypto";
import { equalBytes, utf8 } from "@bootproof/bytes";
import type { S3Bucket, S3Condition } from "./s3-bucket.ts";
import { StoreError } from "./store-error.ts";

const RACERS = 8;
const ROUNDS = 3;
/** An ETag that no object has. */
const STALE = '"00000000000000000000000000000000"';

/** Throws {@link StoreError} BP-STORE-021 when the store lies. */
export async function probe(bucket: S3Bucket): Promise<void> {
  const name = `probe-${randomUUID()}`;
  const used: string[] = [];
  const fresh = (): string => {
    const key = `${name}-${used.length}`;
    used.push(key);
    return key;
  };
  try {
    await probeConditions(bucket, fresh());
    for (let round = 0; round < ROUNDS; round++) {
      const key = fresh();
      await race(bucket, key, "new");
      const { etag } = await read(bucket, key);
      await race(bucket, key, { etag });
    }
  } finally {
    for (const key of used) await bucket.delete(key).catch(() => undefined);
  }
  if ((await bucket.get(fresh())) !== undefined)
    throw lie(bucket, "it shows an object that was never written");
}

async function probeConditions(bucket: S3Bucket, key: string): Promise<void> {
  const [first, second, third] = [utf8("first"), utf8("second"), utf8("third")];
  await must(bucket, key, first, "new", true, "it refuses to create an object that is not there");
  await must(
    bucket,
    key,
    second,
    "new",
    false,
    "it overwrites an object that was to be created (If-None-Match)",
  );
  const created = await read(bucket, key);
  if (!equalBytes(created.bytes, first)) throw lie(bucket, "it does not show what was just written");
  await must(
    bucket,
    key,
    second,
    { etag: STALE },
    false,
    "it overwrites another object than was named (If-Match)",
  );
  await must(
    bucket,
    key,
    second,
    created,
    true,
    "it refuses to replace the object that was named (If-Match)",
  );
  await must(bucket, key, third, created, false, "it overwrites an object that changed meanwhile (If-Match)");
  const replaced = await read(bucket, key);
  if (!equalBytes(replaced.bytes, second))
    throw lie(bucket, "it shows old bytes after new ones were written");
  if (replaced.etag === created.etag) throw lie(bucket, "it gives different bytes the same ETag");
  if (!(await bucket.list(key)).includes(key)) throw lie(bucket, "it does not list what was written");
}

async function must(
  bucket: S3Bucket,
  key: string,
  bytes: Uint8Array,
  condition: S3Condition,
  done: boolean,
  otherwise: string,
): Promise<void> {
  const { is } = await bucket.put(
    key,
    bytes,
    typeof condition === "object" ? { etag: condition.etag } : condition,
  );
  if ((is === "done") !== done) throw lie(bucket, otherwise);
}

/** Several writes under one condition at once: one happens, and what it wrote is there. */
async function race(bucket: S3Bucket, key: string, condition: S3Condition): Promise<void> {
  const offers = Array.from({ length: RACERS }, () => utf8(randomUUID()));
  const results = await Promise.allSettled(offers.map((bytes) => bucket.put(key, bytes, condition)));
  const winners = offers.filter((_, at) => {
    const result = results[at];
    return result?.status === "fulfilled" && result.value.is === "done";
  });
  const [winner] = winners;
  if (winners.length > 1) throw lie(bucket, "it lets several writers win one race");
  if (winner === undefined) {
    const failed = results.find((result) => result.status === "rejected");
    throw failed?.reason instanceof Error ? failed.reason : lie(bucket, "it lets no writer win a race");
  }
  if (!equalBytes((await read(bucket, key)).bytes, winner))
    throw lie(bucket, "it shows what a refused writer wrote");
}

async function read(bucket: S3Bucket, key: string): Promise<{ bytes: Uint8Array; etag: string }> {
  const object = await bucket.get(key);
  if (object === undefined) throw lie(bucket, "it does not show what was just written");
  const { bytes, etag } = object;
  if (etag === undefined) throw lie(bucket, "it gives no strong ETag");
  return { bytes, etag };
}

function lie(bucket: S3Bucket, why: string): StoreError {
  return new StoreError("BP-STORE-021", `${bucket.name} cannot hold a log: ${why}`, {
    expected: "conditional writes as Amazon S3 has them",
    hint: "use a store, or a version of it, that supports If-None-Match and If-Match on PutObject",
  });
}
