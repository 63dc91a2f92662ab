/**
 * Reads the contents of a tree's files, wherever they lie, in pieces.
 * @module
 */
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { bytesOf } from "./byte-text.ts";
import type { FileContent, Inode, TreeNode } from "./file-tree.ts";
import { fileState } from "./read-folder.ts";
import { changed, type SliceReader } from "./slice-reader.ts";

const PIECE = 256 * 1024;

type FileInode = Inode & { readonly type: "file" };

/** Reads contents; a piece is overwritten by the next one. */
export class ContentReader {
  readonly #layers: readonly SliceReader[];
  readonly #buffer = new Uint8Array(PIECE);

  /** Takes over the open layers. */
  constructor(layers: readonly SliceReader[]) {
    this.#layers = layers;
  }

  /** What stands behind a node's header: a file's bytes or a link's target. Throws {@link BuildError} BP-IMAGE-019. */
  pieces(node: TreeNode): Iterable<Uint8Array> {
    if (node.type === "symlink") return [bytesOf(node.target)];
    return node.type === "file" ? this.#contentOf(node.content, node.size) : [];
  }

  /** A file's bytes as text, for small ones. */
  text(node: FileInode): string {
    return Buffer.concat([...this.pieces(node)].map((piece) => Buffer.from(piece))).toString("utf8");
  }

  /** Throws {@link BuildError} BP-IMAGE-019 when a layer's file was written to since it was opened. */
  checkUnchanged(): void {
    for (const layer of this.#layers) layer.checkUnchanged();
  }

  /** Closes the layers. */
  close(): void {
    for (const layer of this.#layers) layer.close();
  }

  #contentOf(content: FileContent, size: number): Iterable<Uint8Array> {
    switch (content.from) {
      case "bytes":
        return [content.bytes];
      case "path":
        return this.#ofPath(content, size);
      case "layer":
        return this.#ofLayer(content, size);
    }
  }

  *#ofLayer(
    { layer, position, extents }: FileContent & { readonly from: "layer" },
    size: number,
  ): Generator<Uint8Array> {
    const reader = this.#layers[layer];
    if (reader === undefined) throw new RangeError(`no layer ${layer}`);
    let at = 0;
    for (const extent of extents ?? [{ offset: 0, length: size, position }]) {
      yield* this.#zeros(extent.offset - at);
      for (let done = 0; done < extent.length;) {
        const piece = this.#buffer.subarray(0, Math.min(PIECE, extent.length - done));
        reader.readInto(piece, extent.position + done);
        yield piece;
        done += piece.length;
      }
      at = extent.offset + extent.length;
    }
    yield* this.#zeros(size - at);
  }

  *#zeros(length: number): Generator<Uint8Array> {
    for (let left = length; left > 0; left -= PIECE)
      yield this.#buffer.subarray(0, Math.min(PIECE, left)).fill(0);
  }

  *#ofPath({ path, state }: FileContent & { readonly from: "path" }, size: number): Generator<Uint8Array> {
    const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const check = (): void => {
      if (fileState(fstatSync(file, { bigint: true })) !== state) throw changed(path.toString("utf8"));
    };
    try {
      check();
      for (let done = 0; done < size;) {
        const length = readSync(file, this.#buffer, 0, Math.min(PIECE, size - done), done);
        if (length === 0) throw changed(path.toString("utf8"));
        yield this.#buffer.subarray(0, length);
        done += length;
      }
      check();
    } finally {
      closeSync(file);
    }
  }
}
