/**
 * Makes a ramdisk of an image or folder: a newc archive of the files below `rootfs`, and beside them what init reads:
 * `cmd`, `env`, and `cwd` and `user` where they are not `/` and root. Its bytes depend on the files and the options
 * and on nothing else: sorted, inode numbers counted, one time.
 * @module
 */
import { open } from "node:fs/promises";
import { setImmediate as nextTurn } from "node:timers/promises";
import { CpioEncoder, FILE_TYPE, MAX_CPIO_NAME } from "@bootproof/boot";
import { formatHex, startHash } from "@bootproof/bytes";
import { BuildError } from "../build-error.ts";
import { type ByteText, bytesOf, byteTextOf, show } from "./byte-text.ts";
import { ContentReader } from "./content-reader.ts";
import { type DirectoryNode, implicitDirectory, type Inode, type TreeNode, walkTree } from "./file-tree.ts";
import { type ImageTree, openTree } from "./image-tree.ts";
import type { Folder, Image, Ramdisk, RamdiskOptions, WrittenRamdisk } from "./image.ts";
import { makeRunFiles, type RunFiles } from "./run-settings.ts";
import { findNode } from "./tree-place.ts";

/** Folders that init mounts on; made where the image lacks them, as nitro-cli does. */
const MOUNT_POINTS = ["dev", "proc", "run", "sys", "tmp", "var"];
/** What passwd and group files may be large. */
const MAX_TEXT = 16 * 2 ** 20;

/** Plans the ramdisk of `source`, whose files stay open until it is closed. Throws {@link BuildError} BP-IMAGE-003 to 020. */
export async function planRamdisk(source: Image | Folder, options: RamdiskOptions = {}): Promise<Ramdisk> {
  const tree = await openTree(source, options);
  const contents = new ContentReader(tree.layers);
  try {
    const top = arrange(source, tree, contents, options);
    const { size, entries, links } = plan(top);
    const { findings } = tree;
    if (source.kind === "image" && source.config.ignored.length > 0)
      findings.add("BP-IMAGE-109", `${source.config.ignored.join(", ")}: not for enclaves`);
    const before = source.kind === "image" ? source.findings : [];
    return {
      size,
      entries,
      findings: [...before, ...findings.all()],
      chunks: () => encode(top, links, contents, options),
      close: () => {
        contents.close();
        return Promise.resolve();
      },
    };
  } catch (cause) {
    contents.close();
    throw cause;
  }
}

/** Writes the ramdisk of `source` to a new file at `path`, over one that is there; throws {@link BuildError} BP-IMAGE-003 to 020. */
export async function imageRamdisk(
  source: Image | Folder,
  path: string,
  options: RamdiskOptions = {},
): Promise<WrittenRamdisk> {
  const ramdisk = await planRamdisk(source, options);
  try {
    const file = await open(path, "w");
    try {
      const hash = startHash("sha256");
      for await (const chunk of ramdisk.chunks()) {
        hash.update(chunk);
        await file.writeFile(chunk);
      }
      const { size, entries, findings } = ramdisk;
      return { size, sha256: formatHex(hash.digest()), entries, findings };
    } finally {
      await file.close();
    }
  } finally {
    await ramdisk.close();
  }
}

/** The tree of the whole archive. */
function arrange(
  source: Image | Folder,
  { root, findings }: ImageTree,
  contents: ContentReader,
  options: RamdiskOptions,
): DirectoryNode {
  const prefix = options.prefix ?? "rootfs";
  if (prefix === "") return root;
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(prefix) || ["cmd", "env", "cwd", "user"].includes(prefix))
    throw new RangeError(`not a name for the root folder of a ramdisk: ${prefix}`);
  const readFile = (path: string): string | undefined => {
    const node = findNode(root, byteTextOf(path));
    return node?.type === "file" && node.size <= MAX_TEXT ? contents.text(node) : undefined;
  };
  const config = source.kind === "image" ? source.config : undefined;
  const files = makeRunFiles(config, options, { root, readFile, findings, file: source.path });
  for (const name of MOUNT_POINTS) if (!root.children.has(name)) root.children.set(name, implicitDirectory());
  const top = implicitDirectory();
  top.children.set(prefix, root);
  for (const [name, text] of Object.entries(files as Required<RunFiles>))
    top.children.set(name, textFile(Buffer.from(text, "utf8")));
  return top;
}

const textFile = (bytes: Uint8Array): Inode => ({
  type: "file",
  mode: 0o644,
  uid: 0,
  gid: 0,
  size: bytes.length,
  content: { from: "bytes", bytes },
});

interface Plan {
  readonly size: number;
  readonly entries: number;
  /** How many names an inode has, where there are several. */
  readonly links: ReadonlyMap<Inode, number>;
}

const HEADER = 110;
const padded = (length: number): number => Math.ceil(length / 4) * 4;

/** Counts names and bytes; throws {@link BuildError} BP-IMAGE-015 for a path that the kernel does not read. */
function plan(top: DirectoryNode): Plan {
  const names = new Map<Inode, number>();
  let [size, entries] = [padded(HEADER + "TRAILER!!!".length + 1), 0];
  for (const { path, node } of walkTree(top)) {
    if (path.length >= MAX_CPIO_NAME)
      throw new BuildError("BP-IMAGE-015", `a path is too long for a ramdisk: ${show(path)}`, {
        expected: `at most ${MAX_CPIO_NAME - 1} bytes`,
        found: `${path.length}`,
      });
    entries++;
    size += padded(HEADER + path.length + 1);
    const known = isLinkable(node) ? (names.get(node) ?? 0) : 0;
    if (known === 0) size += padded(sizeOf(node));
    if (isLinkable(node)) names.set(node, known + 1);
  }
  for (const [node, count] of names) if (count === 1) names.delete(node);
  return { size, entries, links: names };
}

/** The kernel links files, devices and pipes to each other; of symbolic links it makes several. */
const isLinkable = (node: TreeNode): node is Inode => node.type !== "directory" && node.type !== "symlink";

function sizeOf(node: TreeNode): number {
  if (node.type === "file") return node.size;
  return node.type === "symlink" ? node.target.length : 0;
}

async function* encode(
  top: DirectoryNode,
  links: ReadonlyMap<Inode, number>,
  contents: ContentReader,
  { mtime = 0, signal }: RamdiskOptions,
): AsyncGenerator<Uint8Array> {
  const encoder = new CpioEncoder(mtime);
  const gathered = new Gathering();
  let count = 0;
  for (const { path, node } of walkTree(top)) {
    const member = encoder.member({ ...memberOf(path, node), ...sharedOf(node, links) });
    yield* gathered.add(member.header);
    if (member.size > 0)
      for (const piece of contents.pieces(node)) {
        signal?.throwIfAborted();
        yield* gathered.add(piece);
      }
    yield* gathered.add(ZEROS.subarray(0, member.padding));
    // Reading does not wait for anything; others get their turn here.
    if (++count % BATCH === 0) await nextTurn();
  }
  yield* gathered.add(encoder.end());
  yield* gathered.rest();
  contents.checkUnchanged();
}

function memberOf(path: ByteText, node: TreeNode): Parameters<CpioEncoder["member"]>[0] {
  const owned = { name: bytesOf(path), uid: node.uid, gid: node.gid };
  switch (node.type) {
    case "directory":
      return { ...owned, mode: FILE_TYPE.directory | node.mode };
    case "file":
      return { ...owned, mode: FILE_TYPE.file | node.mode, size: node.size };
    case "symlink":
      // Linux gives links no mode of their own; what a tar says differs from tool to tool.
      return { ...owned, mode: FILE_TYPE.symlink | 0o777, size: node.target.length };
    case "character-device":
      return { ...owned, mode: FILE_TYPE.characterDevice | node.mode, device: node.device };
    case "block-device":
      return { ...owned, mode: FILE_TYPE.blockDevice | node.mode, device: node.device };
    case "fifo":
      return { ...owned, mode: FILE_TYPE.fifo | node.mode };
  }
}

function sharedOf(
  node: TreeNode,
  links: ReadonlyMap<Inode, number>,
): { readonly shared?: { readonly file: object; readonly links: number } } {
  const count = isLinkable(node) ? links.get(node) : undefined;
  return count === undefined ? {} : { shared: { file: node, links: count } };
}

/** Members between two looks at what else there is to do. */
const BATCH = 1000;
const CHUNK = 256 * 1024;
const ZEROS = new Uint8Array(4);

/** Gathers small pieces, so that a header is not a write. */
class Gathering {
  #chunk = new Uint8Array(CHUNK);
  #length = 0;

  *add(bytes: Uint8Array): Generator<Uint8Array> {
    for (let done = 0; done < bytes.length;) {
      const part = bytes.subarray(done, done + CHUNK - this.#length);
      this.#chunk.set(part, this.#length);
      this.#length += part.length;
      done += part.length;
      if (this.#length < CHUNK) continue;
      yield this.#chunk;
      this.#chunk = new Uint8Array(CHUNK);
      this.#length = 0;
    }
  }

  *rest(): Generator<Uint8Array> {
    if (this.#length > 0) yield this.#chunk.subarray(0, this.#length);
  }
}
