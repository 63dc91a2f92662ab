/**
 * One commit, in the order that makes a crash at any point harmless: stage, sign, compare-and-swap of the head,
 * tiles and bundles, checkpoint, stage removed. The swap is the commit point: before it nothing has happened, after
 * it everything follows from head and stage. The checkpoint is the publication point.
 * @module
 */
import { allSettled } from "./all-settled.ts";
import type { TreeHead } from "./consistency.ts";
import { LogError } from "./log-error.ts";
import { formatLogHead, headDigest, type LogHead } from "./log-head.ts";
import { EMPTY_ROOT, leafHash } from "./merkle.ts";
import type { RightEdge, TileObject } from "./right-edge.ts";
import { checkSigners, signTree, withLinesOf, type LogSigners } from "./signed-tree.ts";
import { encodeStage, stageName, type StagedFile } from "./stage.ts";
import type { HeadStore, ObjectStore } from "./storage.ts";
import { encodeEntryBundle } from "./tile.ts";
import { CHECKPOINT_PATH, formatTilePath, TILE_WIDTH } from "./tile-path.ts";
import type { WitnessPanel } from "./witness-panel.ts";

/** Where a log lives and who signs for it. */
export interface LogPlace extends LogSigners {
  /** What everyone may read: checkpoint and tiles. */
  readonly objects: ObjectStore;
  /** What only the log reads: stages, and what it remembers of witnesses. */
  readonly staging: ObjectStore;
  readonly head: HeadStore;
  /** Who must have cosigned a checkpoint before it is published; without them nobody must. */
  readonly witnesses?: WitnessPanel;
}

/** What a writer holds in memory: the committed tree and its right edge. */
export interface LogState {
  readonly generation: number;
  /** Hex SHA-256 of the head's bytes. */
  readonly headDigest: string;
  /** The committed checkpoint with the log's own signatures. */
  readonly note: Uint8Array;
  readonly tree: TreeHead;
  readonly edge: RightEdge;
  /** Entries of the last bundle while it is partial. */
  readonly partialBundle: readonly Uint8Array[];
  /** Whether the log takes no more entries. */
  readonly frozen: boolean;
}

/** A commit whose files are still to be written. */
export interface Commit {
  readonly state: LogState;
  readonly stage: string;
  readonly files: readonly StagedFile[];
}

/** Appends `entries` durably, up to the commit point; any error means that this writer must stop. */
export async function commit(
  place: LogPlace,
  state: LogState,
  entries: readonly Uint8Array[],
): Promise<Commit> {
  const { files, edge, partialBundle } = grow(state, entries);
  const tree = { size: edge.size, root: edge.root() };
  const bytes = encodeStage(files);
  const stage = stageName(tree.size, bytes);
  await place.staging.putImmutable(stage, bytes);

  const note = await signTree(place, tree);
  const moved = await moveHead(place.head, state, { stage, note, frozen: false });
  return { state: { ...state, ...moved, note, tree, edge, partialBundle }, stage, files };
}

/** Commits that the log takes no more entries. Its files must be written by now: the head names no stage any more. */
export async function freeze(place: LogPlace, state: LogState): Promise<LogState> {
  const { note } = state;
  const moved = await moveHead(place.head, state, { stage: undefined, note, frozen: true });
  return { ...state, ...moved, frozen: true };
}

/** Signs and publishes the empty tree; throws {@link LogError} when there is a log already. */
export async function commitEmptyLog(place: LogPlace): Promise<void> {
  checkSigners(place);
  const note = await signTree(place, { size: 0n, root: EMPTY_ROOT });
  const before = { generation: 0, headDigest: undefined };
  const { generation } = await moveHead(place.head, before, { stage: undefined, note, frozen: false });
  await publish(place, { generation, note }, {});
}

/** Writes the files of a commit and publishes its checkpoint; returns that as {@link publish} does. */
export async function complete(place: LogPlace, { state, stage, files }: Commit): Promise<Uint8Array> {
  const written = putFiles(place.objects, files);
  const unstaged = written.then(() => place.staging.delete(stage));
  const [published] = await allSettled([publish(place, state, { written }), unstaged] as const);
  return published;
}

/** Writes tiles and bundles; those that exist with these bytes are left alone. */
export async function putFiles(objects: ObjectStore, files: readonly StagedFile[]): Promise<void> {
  if (objects.putImmutables !== undefined)
    return objects.putImmutables(files.map(({ path, bytes }) => ({ key: path, bytes })));
  await allSettled(files.map(({ path, bytes }) => objects.putImmutable(path, bytes)));
}

/** What a publication follows, and how it is done. */
export interface Publication {
  /** The files that the checkpoint implies. */
  readonly written?: Promise<void>;
  /** The public checkpoint, when it is of the same tree: its cosignatures stay. */
  readonly known?: Uint8Array | undefined;
  /** Whether to ask every witness again. */
  readonly fresh?: boolean;
}

/**
 * Makes a committed checkpoint public. Commit and recovery both end here, so whoever must see a checkpoint before the
 * world does (witnesses, whose lines join the note) is asked here. Returns the note as it was published.
 */
export async function publish(
  place: LogPlace,
  { generation, note }: Pick<LogState, "generation" | "note">,
  { written = Promise.resolve(), known, fresh = false }: Publication,
): Promise<Uint8Array> {
  const { witnesses } = place;
  const whole = known === undefined ? note : withLinesOf(note, known);
  if (witnesses !== undefined) {
    await written;
    return witnesses.publish(whole, fenced(place, generation), fresh);
  }
  // The checkpoint is made ready meanwhile, and takes its place once the files are there.
  await allSettled([written, fenced(place, generation, written).putMutable(CHECKPOINT_PATH, whole)]);
  return whole;
}

/**
 * The public files as the writer of one generation may change them: what it replaces is replaced only while the head
 * is still of its generation, so a writer that slept through another one's commit cannot publish its older checkpoint.
 */
function fenced({ objects, head }: LogPlace, generation: number, ready?: Promise<void>): ObjectStore {
  const isStillOurs = async (): Promise<void> => {
    const now = (await head.generation?.()) ?? (await head.read())?.generation;
    if (now !== generation) throw conflict(generation);
  };
  return {
    putImmutable: (key, bytes) => objects.putImmutable(key, bytes),
    putMutable: async (key, bytes) => {
      try {
        await objects.putMutable(key, bytes, async () => {
          await ready;
          await isStillOurs();
        });
      } catch (error) {
        await isStillOurs(); // says why, when it failed because another writer overtook it
        throw error;
      }
    },
    get: (key) => objects.get(key),
    delete: (key) => objects.delete(key),
    list: (prefix) => objects.list(prefix),
  };
}

/** Replaces the head by its successor. */
async function moveHead(
  head: HeadStore,
  { generation, headDigest: previous }: { generation: number; headDigest: string | undefined },
  next: Omit<LogHead, "previous">,
): Promise<Pick<LogState, "generation" | "headDigest">> {
  const bytes = formatLogHead({ ...next, previous });
  if ((await head.compareAndSwap(generation, bytes)) === "conflict") throw conflict(generation);
  return { generation: generation + 1, headDigest: headDigest(bytes) };
}

function conflict(generation: number): LogError {
  return new LogError("CONFLICT", "another writer has moved the head of this log", {
    expected: `generation ${generation}`,
    hint: "let one writer at a time use a log, then open it again",
  });
}

interface Growth {
  readonly files: readonly StagedFile[];
  readonly edge: RightEdge;
  readonly partialBundle: readonly Uint8Array[];
}

/** Computes the files and the edge of the grown tree, in memory. */
function grow(state: LogState, entries: readonly Uint8Array[]): Growth {
  const edge = state.edge.copy();
  const files: StagedFile[] = [];
  let bundle = [...state.partialBundle];
  for (const entry of entries) {
    bundle.push(entry);
    files.push(...edge.append(leafHash(entry)).map(stagedTile));
    if (bundle.length === TILE_WIDTH) {
      files.push(stagedBundle(edge.size, bundle));
      bundle = [];
    }
  }
  files.push(...edge.partials().map(stagedTile));
  if (bundle.length > 0) files.push(stagedBundle(edge.size, bundle));
  return { files, edge, partialBundle: bundle };
}

const stagedTile = ({ path, bytes }: TileObject): StagedFile => ({ path: formatTilePath(path), bytes });

function stagedBundle(size: bigint, entries: readonly Uint8Array[]): StagedFile {
  const index = (size - 1n) / BigInt(TILE_WIDTH);
  const path = formatTilePath({ level: "entries", index, width: entries.length });
  return { path, bytes: encodeEntryBundle(entries) };
}
