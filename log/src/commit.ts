/**
 * One commit, in the order that makes a crash at any point harmless: stage, sign, compare-and-swap of the head,
 * tiles and bundles, checkpoint, stage removed. The swap is the commit point: before it nothing has happened, after
 * it everything follows from head and stage. The checkpoint is the publication point.
 * @module
 */
import type { Signer } from "@bootproof/bytes/signing";
import type { Sha256 } from "@bootproof/bytes";
import { formatCheckpoint } from "./checkpoint.ts";
import type { TreeHead } from "./consistency.ts";
import { LogError } from "./log-error.ts";
import { formatLogHead, headDigest } from "./log-head.ts";
import { leafHash } from "./merkle.ts";
import { signNote } from "./note.ts";
import type { RightEdge, TileObject } from "./right-edge.ts";
import { encodeStage, stageName, type StagedFile } from "./stage.ts";
import type { HeadStore, ObjectStore } from "./storage.ts";
import { encodeEntryBundle } from "./tile.ts";
import { CHECKPOINT_PATH, formatTilePath, TILE_WIDTH } from "./tile-path.ts";
import type { WitnessPanel } from "./witness-panel.ts";

/** Where a log lives and who signs for it. */
export interface LogPlace {
  /** First line of its checkpoints. */
  readonly origin: string;
  readonly signer: Signer;
  /** What everyone may read: checkpoint and tiles. */
  readonly objects: ObjectStore;
  /** What only the log reads: stages and the index of identities. */
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
  /** The signed checkpoint as published. */
  readonly note: Uint8Array;
  readonly tree: TreeHead;
  readonly edge: RightEdge;
  /** Entries of the last bundle while it is partial. */
  readonly partialBundle: readonly Uint8Array[];
}

/** Appends `entries` durably and publishes; any error means that this writer must stop. */
export async function commit(
  place: LogPlace,
  state: LogState,
  entries: readonly Uint8Array[],
): Promise<LogState> {
  const { files, edge, partialBundle } = grow(state, entries);
  const tree = { size: edge.size, root: edge.root() };
  const stage = encodeStage(files);
  const stageKey = stageName(tree.size, stage);
  await place.staging.putImmutable(stageKey, stage);

  const note = await signNote(formatCheckpoint({ origin: place.origin, ...tree }), [place.signer]);
  const head = formatLogHead({ stage: stageKey, previous: state.headDigest, note });
  await swapHead(place.head, state.generation, head);

  const generation = state.generation + 1;
  await putFiles(place.objects, files);
  const published = await publish(place, fenced(place, generation), note);
  await place.staging.delete(stageKey);
  return { generation, headDigest: headDigest(head), note: published, tree, edge, partialBundle };
}

/** Signs and publishes the empty tree; throws {@link LogError} when there is a log already. */
export async function commitEmptyLog(place: LogPlace, root: Sha256): Promise<void> {
  const text = formatCheckpoint({ origin: place.origin, size: 0n, root });
  const note = await signNote(text, [place.signer]);
  await swapHead(place.head, 0, formatLogHead({ stage: undefined, previous: undefined, note }));
  await publish(place, fenced(place, 1), note);
}

/** Writes tiles and bundles; those that exist with these bytes are left alone. */
export async function putFiles(objects: ObjectStore, files: readonly StagedFile[]): Promise<void> {
  const writes = await Promise.allSettled(files.map(({ path, bytes }) => objects.putImmutable(path, bytes)));
  // Only now: who hears of the failure may give the lock up, so nothing must be in flight any more.
  for (const write of writes) if (write.status === "rejected") throw write.reason;
}

/**
 * The public files as the writer of one generation may change them: what it replaces is replaced only while the head
 * is still of its generation, so a writer that slept through another one's commit cannot publish its older checkpoint.
 */
export function fenced({ objects, head }: LogPlace, generation: number): ObjectStore {
  const isStillOurs = async (): Promise<void> => {
    if ((await head.read())?.generation !== generation) throw conflict(generation);
  };
  return {
    putImmutable: (key, bytes) => objects.putImmutable(key, bytes),
    putMutable: async (key, bytes) => {
      try {
        await objects.putMutable(key, bytes, isStillOurs);
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

/**
 * Makes a committed checkpoint public. Commit and recovery both end here, so whoever must see a checkpoint before the
 * world does (witnesses, whose lines join the note) is asked here. Returns the note as it was published.
 */
export async function publish(
  { witnesses }: Pick<LogPlace, "witnesses">,
  objects: ObjectStore,
  note: Uint8Array,
): Promise<Uint8Array> {
  if (witnesses !== undefined) return witnesses.publish(note, objects);
  await objects.putMutable(CHECKPOINT_PATH, note);
  return note;
}

async function swapHead(head: HeadStore, generation: number, bytes: Uint8Array): Promise<void> {
  if ((await head.compareAndSwap(generation, bytes)) === "conflict") throw conflict(generation);
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
