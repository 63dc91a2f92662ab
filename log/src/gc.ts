/**
 * Removes partial tiles and bundles that a full one has replaced. Only those that no checkpoint of the last hour (or as
 * long as the caller says) implies: readers of older ones take the full tile. Before the partial ones go, the full one
 * is read and hashed into the public checkpoint, for they might be the last good copy.
 *
 * It needs no lock: a writer never touches partial tiles of a tile that is full. Killed, it goes on where it was.
 * @module
 */
import { corruptObject } from "./authenticated-tiles.ts";
import {
  formatGcMarker,
  NOTHING_COLLECTED,
  noteSize,
  parseGcMarker,
  sizeOlderThan,
  type GcMarker,
} from "./gc-marker.ts";
import type { LogReader } from "./log-reader.ts";
import type { ObjectStore } from "./storage.ts";
import { formatTilePath, TILE_WIDTH, type TilePath } from "./tile-path.ts";

const MARKER = "gc";
const WIDTH = BigInt(TILE_WIDTH);
/** Bundles between two times of saving the marker. */
const SAVE_EVERY = 64n;

/** What to collect, and from where. */
export interface GcOptions {
  readonly objects: ObjectStore;
  /** Where the marker is. */
  readonly staging: ObjectStore;
  /** A reader of the public checkpoint. */
  readonly reader: LogReader;
  /** Seconds since 1970. */
  readonly now: number;
  /** Seconds for which the partial tiles of a checkpoint stay. */
  readonly keep: number;
}

/** What a collection did. */
export interface GcReport {
  /** Files removed. */
  readonly removed: number;
  /** Tiles that were full at this size have no partial ones any more. */
  readonly collected: bigint;
  /** The public size, for which the next runs will collect. */
  readonly size: bigint;
}

/** Removes what may go; throws LogError, having removed nothing of it, at a full tile that is missing or wrong. */
export async function collectPartials(options: GcOptions): Promise<GcReport> {
  const { staging, reader, now, keep } = options;
  const { size } = reader.head;
  let marker = noteSize(await readMarker(staging), size, now, keep);
  await writeMarker(staging, marker);
  const horizon = sizeOlderThan(marker, now, keep);
  // A log restored from a copy may be smaller than what the marker saw.
  const end = (horizon < size ? horizon : size) / WIDTH;
  let removed = 0;
  for (let bundle = marker.collected / WIDTH; bundle < end; bundle++) {
    removed += await collectBundle(options, bundle);
    marker = { ...marker, collected: (bundle + 1n) * WIDTH };
    if (bundle + 1n === end || bundle % SAVE_EVERY === 0n) await writeMarker(staging, marker);
  }
  return { removed, collected: marker.collected, size };
}

/** The partial files of a bundle, of the tile above it, and of every tile further up that it was the last child of. */
async function collectBundle({ objects, reader }: GcOptions, bundle: bigint): Promise<number> {
  await reader.bundle(bundle);
  let removed = await removePartials(objects, { level: "entries", index: bundle, width: TILE_WIDTH });
  let index = bundle;
  for (let level = 0; ; level++) {
    await reader.tiles.tile(level, index);
    removed += await removePartials(objects, { level, index, width: TILE_WIDTH });
    if ((index + 1n) % WIDTH !== 0n) return removed;
    index /= WIDTH;
  }
}

async function removePartials(objects: ObjectStore, full: TilePath): Promise<number> {
  const folder = `${formatTilePath(full)}.p`;
  const partials = await objects.list(`${folder}/`);
  for (const partial of partials) await objects.delete(partial);
  await objects.removeEmptyFolder?.(folder);
  return partials.length;
}

async function readMarker(staging: ObjectStore): Promise<GcMarker> {
  const bytes = await staging.get(MARKER);
  if (bytes === undefined) return NOTHING_COLLECTED;
  try {
    return parseGcMarker(bytes);
  } catch (error) {
    throw corruptObject(error, MARKER);
  }
}

async function writeMarker(staging: ObjectStore, marker: GcMarker): Promise<void> {
  await staging.putMutable(MARKER, formatGcMarker(marker));
}
