/**
 * The stores that a log is on: its folders, or what `place.json` names instead.
 * @module
 */
import { mkdir, stat } from "node:fs/promises";
import { join } from "node:path";

import type { HeadStore, ObjectStore } from "@bootproof/log";
import { DirectoryHead, DirectoryObjects } from "@bootproof/store";
import type { PostgresQueue } from "@bootproof/store/postgres";

import { EXIT } from "../frame/exit-code.ts";
import { Failure } from "../frame/failure.ts";
import { outputFailure } from "../frame/files.ts";
import { usage } from "../frame/given.ts";
import type { PlaceFile } from "./place-file.ts";
import { formatStoreUrl, overlap, parseStoreUrl, type S3Url } from "./store-url.ts";

/** The folder with a log's private state. */
export function privateFolder(folder: string): string {
  return `${folder.replace(/\/+$/, "")}.private`;
}

/** What a store needs of the world around it. */
export interface StoreSurroundings {
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Opens no socket. */
  readonly offline?: boolean;
}

/** Where the head and the stages of a log are, and entries that wait, in stores that many processes share. */
export interface PrivateStores {
  readonly staging: ObjectStore;
  readonly head: HeadStore;
  readonly queue?: PostgresQueue;
  readonly close: () => Promise<void>;
}

/** The store URLs of `log init`, as they are remembered: complete, and such that the private part stays private. */
export function checkStoreUrls(
  {
    objects,
    privateStore,
  }: { readonly objects?: string | undefined; readonly privateStore?: string | undefined },
  env: StoreSurroundings["env"] = {},
): Pick<PlaceFile, "objects" | "privateStore"> {
  const shown = objects === undefined ? undefined : parseStoreUrl(objects, "--objects", env);
  const hidden = privateStore === undefined ? undefined : parseStoreUrl(privateStore, "--private-store", env);
  if (shown?.kind === "postgres")
    throw usage("what everyone reads belongs on a folder or on S3", "--objects s3://BUCKET/PREFIX");
  if (shown !== undefined && hidden !== undefined && overlap(shown, hidden))
    throw usage(
      "the private store lies within what everyone may read, or around it",
      "name another bucket, better with credentials of its own, or another prefix",
    );
  return {
    ...(shown === undefined ? {} : { objects: formatStoreUrl(shown) }),
    ...(hidden === undefined ? {} : { privateStore: formatStoreUrl(hidden) }),
  };
}

/** Opens what everyone may read; a store that is written to is first asked whether it keeps its word. */
export async function openObjects(
  folder: string,
  { objects }: Partial<PlaceFile>,
  use: "read" | "write",
  surroundings: StoreSurroundings,
): Promise<ObjectStore> {
  if (objects === undefined) return DirectoryObjects.open(folder);
  const url = s3Url(objects, surroundings);
  return (await import("./s3-stores.ts")).openS3Objects(url, use, surroundings.env ?? {});
}

/** Opens head and stages of the log of this name. */
export async function openPrivateStores(
  folder: string,
  { privateStore }: Partial<PlaceFile>,
  origin: string,
  surroundings: StoreSurroundings,
): Promise<PrivateStores> {
  const { env = {} } = surroundings;
  if (privateStore === undefined) return openPrivateFolder(privateFolder(folder));
  const url = parseStoreUrl(privateStore, "the private store");
  refuseOffline(privateStore, surroundings);
  if (url.kind === "s3") return (await import("./s3-stores.ts")).openS3Private(url, env);
  return (await import("./postgres-stores.ts")).openPostgresPrivate(url.url, origin, env);
}

/** Makes the private folder; both folders must be on one file system, so that one snapshot can hold both. */
export async function makePrivateFolder(folder: string, place: Partial<PlaceFile>): Promise<string> {
  const hidden = privateFolder(folder);
  try {
    await mkdir(hidden, { recursive: true, mode: 0o700 });
    if (place.objects !== undefined || place.privateStore !== undefined) return hidden;
    await mkdir(folder, { recursive: true });
  } catch (error) {
    throw outputFailure(hidden, error);
  }
  if ((await stat(hidden)).dev !== (await stat(folder)).dev)
    throw new Failure(
      "BP-LOG-041",
      EXIT.badConfig,
      "the two folders of the log are on different file systems",
      {
        file: folder,
        found: hidden,
        hint: "put both on one: a snapshot or a restored copy must hold both or neither",
      },
    );
  return hidden;
}

async function openPrivateFolder(hidden: string): Promise<PrivateStores> {
  const staging = await DirectoryObjects.open(join(hidden, "staging"));
  const head = await DirectoryHead.open(join(hidden, "head"));
  return { staging, head, close: () => Promise.resolve() };
}

function s3Url(text: string, surroundings: StoreSurroundings): S3Url {
  const url = parseStoreUrl(text, "the log's objects");
  if (url.kind !== "s3") throw usage("what everyone reads belongs on a folder or on S3");
  refuseOffline(text, surroundings);
  return url;
}

function refuseOffline(url: string, { offline }: StoreSurroundings): void {
  if (offline === true)
    throw new Failure(
      "BP-NET-001",
      EXIT.unavailable,
      "this log is on a store that --offline does not reach",
      {
        found: url,
      },
    );
}
