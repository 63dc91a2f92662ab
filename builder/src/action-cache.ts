/**
 * What was built before: action digest -> outputs. An entry counts only while every output is in the store and hashes
 * to its name.
 * @module
 */
import type { Blob, DirectoryBlobs, Refs } from "@bootproof/store";
import * as v from "valibot";
import { listMadeBlobs } from "./enclave/remembered.ts";
import { hashFile } from "./hash-stream.ts";

/** What a run of an action left. */
export interface ActionResult {
  readonly outputs: Readonly<Record<string, Blob>>;
  /** The log of all steps, in the store. */
  readonly log: Blob;
  /** How long each step took when it ran, by name. */
  readonly seconds: Readonly<Record<string, number>>;
  /** Bytes in the build folder at the end. */
  readonly buildSize: number;
}

const blobSchema = v.strictObject({
  sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
  size: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
});

const resultSchema = v.strictObject({
  outputs: v.record(v.string(), blobSchema),
  log: blobSchema,
  seconds: v.record(v.string(), v.pipe(v.number(), v.minValue(0))),
  buildSize: blobSchema.entries.size,
});

const refOf = (action: string): string => `action/${action}`;

/** The remembered result of an action, or undefined when there is none or its outputs are not all intact. */
export async function findActionResult(
  store: { readonly blobs: DirectoryBlobs; readonly refs: Refs },
  action: string,
  outputs: readonly string[],
): Promise<ActionResult | undefined> {
  const text = await store.refs.get(refOf(action));
  if (text === undefined) return undefined;
  const parsed = v.safeParse(resultSchema, parseJson(text));
  if (!parsed.success) return undefined;
  const result = parsed.output;
  if (outputs.some((name) => result.outputs[name] === undefined)) return undefined;
  for (const blob of [...Object.values(result.outputs), result.log])
    if (!(await isIntact(store.blobs, blob))) return undefined;
  return result;
}

/** Remembers a result. */
export async function rememberActionResult(
  refs: Refs,
  action: string,
  { outputs, log, seconds, buildSize }: ActionResult,
): Promise<void> {
  await refs.set(refOf(action), JSON.stringify({ outputs, log, seconds, buildSize }));
}

/** Blobs that a collection must keep so that nothing known has to be built or unpacked again. */
export async function listRememberedBlobs(refs: Refs): Promise<Set<string>> {
  const keep = new Set<string>();
  for (const name of await refs.list("root/")) keep.add((await refs.get(name)) ?? "");
  for (const name of await refs.list("action/")) {
    const parsed = v.safeParse(resultSchema, parseJson((await refs.get(name)) ?? ""));
    if (!parsed.success) continue;
    for (const blob of [...Object.values(parsed.output.outputs), parsed.output.log]) keep.add(blob.sha256);
  }
  for (const blob of await listMadeBlobs(refs)) keep.add(blob);
  keep.delete("");
  return keep;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Whether a blob's file is there and hashes to its name. */
async function isIntact(blobs: DirectoryBlobs, { sha256, size }: Blob): Promise<boolean> {
  const found = await hashFile(blobs.path(sha256)).catch(() => undefined);
  return found?.size === size && found.sha256 === sha256;
}
