/**
 * The store a verb works on: where it is, and what in it is still referred to.
 * @module
 */
import { resolve } from "node:path";

import { defaultStorePath, DirectoryBlobs, Refs } from "@bootproof/store";

import type { Context } from "../frame/context.ts";

/** An open store. */
export interface OpenStore {
  readonly path: string;
  readonly blobs: DirectoryBlobs;
  readonly refs: Refs;
}

/** Where the store lies: `--store`, else BOOTPROOF_STORE, else the user's cache. */
export function storePath(context: Pick<Context, "options" | "env" | "cwd">): string {
  const { store } = context.options;
  return store === undefined ? defaultStorePath(context.env) : resolve(context.cwd, store);
}

/** Opens the store, making its folders as needed. */
export async function openStore(context: Context): Promise<OpenStore> {
  const path = storePath(context);
  return { path, blobs: await DirectoryBlobs.open(path), refs: await Refs.open(path) };
}

const DIGEST = /\b[0-9a-f]{64}\b/g;
// Locks, action results and manifests are text of at most this size; anything larger refers to nothing.
const MAX_REFERRING = 4 * 1024 * 1024;

/** Every blob that a name refers to, directly or through the text of another blob. */
export async function reachable(store: OpenStore): Promise<Set<string>> {
  const found = new Set<string>();
  const open: string[] = [];
  const see = (text: string): void => {
    for (const [digest] of text.matchAll(DIGEST))
      if (!found.has(digest)) {
        found.add(digest);
        open.push(digest);
      }
  };
  for (const name of await store.refs.list()) see(`${name}\n${(await store.refs.get(name)) ?? ""}`);
  const sizes = new Map<string, number>();
  for await (const { sha256, size } of store.blobs.list()) sizes.set(sha256, size);
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const size = sizes.get(next);
    if (size === undefined || size > MAX_REFERRING) continue;
    const bytes = await store.blobs.get(next).catch(() => undefined);
    if (bytes !== undefined) see(Buffer.from(bytes).toString("latin1"));
  }
  return found;
}
