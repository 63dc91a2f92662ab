/**
 * What was assembled before: key -> blob and what is to be said about it. An entry counts only while its blob is in
 * the store and hashes to its name.
 * @module
 */
import type { Blob, Refs } from "@bootproof/store";
import * as v from "valibot";
import { hashFile } from "../hash-stream.ts";
import type { BuildStore } from "../toolchain-root.ts";

/** Something that the user of an image should know; it stops nothing. */
export interface AssemblyFinding {
  readonly code: string;
  readonly message: string;
}

/** A ramdisk or an enclave image in the store. */
export interface MadeBlob {
  readonly blob: Blob;
  readonly findings: readonly AssemblyFinding[];
}

const PREFIX = "made/";
const schema = v.strictObject({
  blob: v.strictObject({
    sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
    size: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  }),
  findings: v.array(v.strictObject({ code: v.string(), message: v.string() })),
});

/** What is remembered under `key`, or undefined when that is nothing or its blob is not intact. */
export async function recallMade(store: BuildStore, key: string): Promise<MadeBlob | undefined> {
  const made = parse(await store.refs.get(PREFIX + key));
  if (made === undefined || !(await store.blobs.touch(made.blob.sha256))) return undefined;
  const found = await hashFile(store.blobs.path(made.blob.sha256)).catch(() => undefined);
  return found?.sha256 === made.blob.sha256 ? made : undefined;
}

/** Remembers what `key` gave. */
export async function rememberMade(refs: Refs, key: string, { blob, findings }: MadeBlob): Promise<void> {
  const { sha256, size } = blob;
  // A ref is small: findings beyond that would only repeat themselves.
  const told = findings.slice(0, 100).map(({ code, message }) => ({ code, message: message.slice(0, 300) }));
  await refs.set(PREFIX + key, JSON.stringify({ blob: { sha256, size }, findings: told }));
}

/** Blobs that a collection must keep so that nothing known has to be assembled again. */
export async function listMadeBlobs(refs: Refs): Promise<string[]> {
  const keep: string[] = [];
  for (const name of await refs.list(PREFIX)) {
    const made = parse(await refs.get(name));
    if (made !== undefined) keep.push(made.blob.sha256);
  }
  return keep;
}

function parse(text: string | undefined): MadeBlob | undefined {
  try {
    const parsed = v.safeParse(schema, JSON.parse(text ?? ""));
    return parsed.success ? parsed.output : undefined;
  } catch {
    return undefined;
  }
}
