/**
 * The tree of an image or folder, and the open files that its contents lie in.
 * @module
 */
import { statSync } from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";
import { ParseError } from "@bootproof/bytes";
import { BuildError } from "../build-error.ts";
import { type LayerContext, LayerApplier, TreeBudget } from "./apply-layer.ts";
import { type DirectoryNode, implicitDirectory } from "./file-tree.ts";
import { FindingList } from "./finding-list.ts";
import { type Folder, type Image, IMAGE_LIMITS, type RamdiskOptions } from "./image.ts";
import { spoolLayers } from "./layer-spool.ts";
import { readFolder } from "./read-folder.ts";
import { SliceReader } from "./slice-reader.ts";
import { readTarEntries } from "./tar-entries.ts";

/** A tree with what its contents lie in. */
export interface ImageTree {
  readonly root: DirectoryNode;
  /** Uncompressed layers, by number; empty for a directory. */
  readonly layers: readonly SliceReader[];
  readonly findings: FindingList;
}

/** Entries between two looks at what else there is to do. */
const BATCH = 5000;

/** Unpacks `source`; the caller closes the layers. Throws {@link BuildError} BP-IMAGE-003 to 020. */
export async function openTree(source: Image | Folder, options: RamdiskOptions): Promise<ImageTree> {
  const limits = options.limits ?? IMAGE_LIMITS;
  const findings = new FindingList();
  const budget = new TreeBudget(limits);
  const { signal } = options;
  const context = { budget, findings, ...(signal === undefined ? {} : { signal }) };
  if (source.kind === "directory")
    return { root: await readFolder(source.path, context), layers: [], findings };
  const layers =
    source.kind === "image"
      ? await spoolLayers(source.layers, { ...options, limits })
      : [openTar(source.path)];
  try {
    const root = implicitDirectory();
    for (const [layer, reader] of layers.entries()) {
      const where = source.kind === "image" ? `layer ${layer + 1} of ${layers.length}` : source.path;
      // What a layer was unpacked to has no name any more; the blob that it came from has.
      const file = source.kind === "image" ? source.layers[layer]?.place.path : undefined;
      await apply(
        root,
        reader,
        { layer, where, whiteouts: source.kind === "image", budget, findings },
        file ?? reader.path,
        signal,
      );
    }
    return { root, layers, findings };
  } catch (cause) {
    for (const reader of layers) reader.close();
    throw cause;
  }
}

function openTar(path: string): SliceReader {
  try {
    return SliceReader.open({ path, offset: 0, size: statSync(path).size });
  } catch (cause) {
    throw new BuildError("BP-IMAGE-001", `${path} cannot be read`, { file: path, cause });
  }
}

async function apply(
  root: DirectoryNode,
  reader: SliceReader,
  context: LayerContext,
  file: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const applier = new LayerApplier(root, context);
  let count = 0;
  try {
    for (const entry of readTarEntries(reader)) {
      applier.take(entry);
      if (++count % BATCH !== 0) continue;
      signal?.throwIfAborted();
      await nextTurn();
    }
  } catch (cause) {
    if (!(cause instanceof ParseError)) throw cause;
    throw new BuildError("BP-IMAGE-010", `${context.where}: ${cause.message}`, {
      file,
      ...(cause.offset === undefined ? {} : { offset: cause.offset }),
      cause,
    });
  }
}
