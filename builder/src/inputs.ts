/**
 * The inputs of a lock, brought into the store: several at once, each by hash, from the first place
 * that has it. Nothing is fetched that the lock does not name.
 * @module
 */
import { BuildError } from "./build-error.ts";
import { copyVerified, fetchBlob, openInputStore, type InputStore, type WantedFile } from "./fetch-blob.ts";
import { fetchGitCommit } from "./git-source.ts";
import type { BuildingLock, LockedSource } from "./lock.ts";
import { findLocalSource } from "./local-source.ts";
import { findMirrors, type Mirror, type MirrorOptions } from "./mirrors.ts";
import { snapshotMirrors } from "./snapshot.ts";

/** How inputs are fetched. */
export interface FetchOptions extends MirrorOptions {
  /** Root of the store. */
  readonly store: string;
  /** Folder of the recipe: where its `file:` sources are. Without it they must be in the store or vendored. */
  readonly recipeFolder?: string | undefined;
  /** Largest `file:` source, in bytes, where it may be larger than a file that people keep beside a recipe. */
  readonly maxFileSize?: number | undefined;
  /** Base URL of an archive of old states of Debian, asked last. */
  readonly snapshot?: string | undefined;
  /** Open no socket. */
  readonly offline?: boolean | undefined;
  /** Downloads at once. */
  readonly connections?: number | undefined;
  /** Give a server up when nothing comes for this long, in milliseconds. */
  readonly idleMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: FetchProgress) => void) | undefined;
}

/** The part of a lock that names inputs. */
export type LockedInputs = Pick<BuildingLock, "releases" | "packages" | "sources">;

/** How far fetching has come. */
export interface FetchProgress {
  /** The input this is about. */
  readonly input: string;
  readonly state: "present" | "fetching" | "fetched";
  readonly inputs: { readonly done: number; readonly total: number };
  readonly bytes: { readonly done: number; readonly total: number };
}

/** What was done. */
export interface FetchSummary {
  readonly inputs: number;
  readonly bytes: number;
  /** Inputs that were not in the store before. */
  readonly fetched: number;
}

const CONNECTIONS = 6;

interface Input extends WantedFile {
  readonly size: number;
  readonly bring: (bring: BringOptions) => Promise<void>;
}

interface BringOptions {
  readonly signal: AbortSignal;
  readonly onBytes: (bytes: number) => void;
}

/**
 * Brings every input of `lock` into the store. Throws {@link BuildError} BP-INPUT-001 to 005 or 008, the first
 * that happens; what has come by then is kept.
 */
export async function fetchInputs(lock: LockedInputs, options: FetchOptions): Promise<FetchSummary> {
  const store = await openInputStore(options.store);
  const mirrors = [...(await findMirrors(options)), ...snapshotMirrors(options.snapshot, lock.releases)];
  const inputs = [...inputsOf(lock, store, mirrors, options)];
  const progress = new Progress(inputs, options.onProgress);
  const stop = new AbortController();
  const signal = options.signal === undefined ? stop.signal : AbortSignal.any([options.signal, stop.signal]);
  const queue = inputs.values();
  let fetched = 0;
  const work = async (): Promise<void> => {
    for (const input of queue) {
      signal.throwIfAborted();
      if (await bringOne(input, store, signal, progress)) fetched++;
    }
  };
  const workers = Array.from({ length: options.connections ?? CONNECTIONS }, () =>
    work().catch((error: unknown) => {
      // The first failure ends the others; its own reason is the one that is thrown.
      if (!stop.signal.aborted) stop.abort(error);
      throw error;
    }),
  );
  const results = await Promise.allSettled(workers);
  if (results.some(({ status }) => status === "rejected")) throw signal.reason;
  return { inputs: inputs.length, bytes: progress.total, fetched };
}

async function bringOne(
  input: Input,
  store: InputStore,
  signal: AbortSignal,
  progress: Progress,
): Promise<boolean> {
  const present = await store.blobs.has(input.sha256);
  await input.bring({ signal, onBytes: (bytes) => progress.bytes(input, bytes) });
  progress.done(input, present);
  return !present;
}

function* inputsOf(
  lock: LockedInputs,
  store: InputStore,
  mirrors: readonly Mirror[],
  options: FetchOptions,
): Generator<Input> {
  const download = (file: WantedFile) => (bring: BringOptions) =>
    fetchBlob(store, file, mirrors, { ...bring, offline: options.offline, idleMs: options.idleMs });
  const seen = new Set<string>();
  for (const { path, size, sha256 } of lock.packages) {
    if (seen.has(sha256)) continue;
    seen.add(sha256);
    const file = { name: path.split("/").at(-1) ?? path, size, sha256, paths: [path] };
    yield { ...file, bring: download(file) };
  }
  for (const source of lock.sources) {
    const { name, size, sha256, origin } = source;
    const file: WantedFile & { size: number } = {
      name,
      size,
      sha256,
      ...(origin.kind === "pool" ? { paths: [origin.path] } : {}),
      ...(origin.kind === "url" ? { url: origin.url } : {}),
    };
    // A file beside the recipe is looked at each time: the store must not hide that it was edited.
    if (origin.kind === "file")
      yield {
        ...file,
        bring: (bring) => bringFile(store, source, origin.path, options, () => download(file)(bring)),
      };
    else if (origin.kind === "git")
      yield { ...file, bring: (bring) => bringCommit(store, source, origin, mirrors, options, bring) };
    else if (!seen.has(sha256)) yield { ...file, bring: download(file) };
    seen.add(sha256);
  }
}

async function bringFile(
  store: InputStore,
  source: LockedSource,
  path: string,
  options: FetchOptions,
  elsewhere: () => Promise<void>,
): Promise<void> {
  const local =
    options.recipeFolder === undefined
      ? undefined
      : await findLocalSource(options.recipeFolder, path, options.maxFileSize);
  if (local === undefined) {
    await elsewhere();
    return;
  }
  const different = await copyVerified(store, local, source.sha256);
  if (different !== undefined) throw changedSinceLock(local, source.sha256, different);
}

/** What lies beside a recipe is not what its lock names. */
export function changedSinceLock(file: string, expected: string, found: string): BuildError {
  return new BuildError("BP-INPUT-002", `${file}: has changed since it was locked`, {
    file,
    expected,
    found,
    hint: "lock again if the change is meant: bootproof lock RECIPE",
  });
}

async function bringCommit(
  store: InputStore,
  source: LockedSource,
  origin: { readonly url: string; readonly commit: string },
  mirrors: readonly Mirror[],
  options: FetchOptions,
  bring: BringOptions,
): Promise<void> {
  if (await store.blobs.touch(source.sha256)) return;
  const vendored = mirrors.filter((mirror) => mirror.kind !== "archive");
  try {
    await fetchBlob(store, source, vendored, { ...bring, offline: options.offline });
    return;
  } catch (error) {
    const elsewhere = error instanceof BuildError && ["BP-INPUT-001", "BP-INPUT-008"].includes(error.code);
    if (options.offline === true || !elsewhere) throw error;
  }
  const made = await fetchGitCommit(store, { ...origin, name: source.name }, bring.signal);
  if (made.sha256 === source.sha256) return;
  throw new BuildError(
    "BP-INPUT-002",
    `${source.name}: the tar of commit ${origin.commit} is not the locked one`,
    {
      expected: source.sha256,
      found: made.sha256,
      hint: "this machine's git archives otherwise than the one that made the lock; vendor the tar with --from DIR",
    },
  );
}

/** Counts what is there; each input's bytes only grow in the total it reports. */
class Progress {
  readonly total: number;
  readonly #count: number;
  readonly #received = new Map<string, number>();
  readonly #report: FetchOptions["onProgress"];
  #done = 0;
  #sum = 0;

  constructor(inputs: readonly Input[], report: FetchOptions["onProgress"]) {
    this.#count = inputs.length;
    this.total = inputs.reduce((sum, input) => sum + input.size, 0);
    this.#report = report;
  }

  bytes(input: Input, bytes: number): void {
    this.#set(input, bytes);
    this.#tell(input, "fetching");
  }

  done(input: Input, present: boolean): void {
    this.#done++;
    this.#set(input, input.size);
    this.#tell(input, present ? "present" : "fetched");
  }

  #set(input: Input, bytes: number): void {
    this.#sum += bytes - (this.#received.get(input.name) ?? 0);
    this.#received.set(input.name, bytes);
  }

  #tell(input: Input, state: FetchProgress["state"]): void {
    this.#report?.({
      input: input.name,
      state,
      inputs: { done: this.#done, total: this.#count },
      bytes: { done: this.#sum, total: this.total },
    });
  }
}
