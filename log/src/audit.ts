/**
 * Reads every file that a checkpoint implies and hashes everything again: each bundle against the level-0 tile above
 * it, each tile against those below it, the root against the checkpoint. Reports the first fault by file and offset.
 *
 * An audit may go on where an earlier one stopped: it starts with that one's right edge, and on its way computes the
 * root of the checkpoint seen then, which proves that the log has only grown.
 * @module
 */
import { equalBytes, firstDifference, formatHex, type Sha256 } from "@bootproof/bytes";
import { AuthenticatedTiles, corruptObject, fetchTileObject } from "./authenticated-tiles.ts";
import type { TreeHead } from "./consistency.ts";
import { LogError } from "./log-error.ts";
import { LogReader } from "./log-reader.ts";
import { leafHash } from "./merkle.ts";
import { RightEdge, type TileObject } from "./right-edge.ts";
import type { FetchObject } from "./storage.ts";
import { HASH_LENGTH, parseEntryBundle, type BundledEntry } from "./tile.ts";
import { CHECKPOINT_PATH, formatTilePath, TILE_WIDTH, widthAt } from "./tile-path.ts";

/** Bundles hashed between two times of saving: 65,536 entries. */
const SAVE_EVERY = 256;

/** A file that is not what the checkpoint implies. */
export interface AuditFault {
  readonly file: string;
  /** Offset of the first wrong byte, or of the entry that does not hash to its leaf. */
  readonly offset?: number;
  readonly expected: string;
  readonly found: string;
  readonly reason: string;
}

/** What an earlier audit leaves to the next. */
export interface AuditedBefore {
  /** The newest checkpoint it saw. */
  readonly seen: TreeHead;
  /** The right edge after the whole bundles that it has hashed. */
  readonly edge: RightEdge;
}

/** How to audit. */
export interface AuditOptions {
  /** Where to go on; without it from the first entry. */
  readonly after?: AuditedBefore;
  /** Called now and then, and at the end, with the edge of what has been found right so far. */
  readonly save?: (edge: RightEdge) => Promise<void>;
}

/** What an audit read and found. */
export interface AuditReport {
  readonly size: bigint;
  /** Index of the first entry read. */
  readonly from: bigint;
  /** Entries read. */
  readonly entries: bigint;
  readonly tiles: number;
  readonly bundles: number;
  /** The first fault; none when every byte is accounted for. */
  readonly fault?: AuditFault;
}

/** Audits the tree that a verified checkpoint describes. */
export async function audit(
  fetch: FetchObject,
  head: TreeHead,
  options: AuditOptions = {},
): Promise<AuditReport> {
  const auditor = new Auditor(fetch, head, options);
  try {
    await auditor.run();
  } catch (error) {
    const fault = faultOf(error);
    if (fault === undefined) throw error;
    return { ...auditor.counts, fault };
  }
  return auditor.counts;
}

/** A tile that differs from what lies below it; whose fault that is shows when the whole tree is known. */
interface Suspect {
  readonly path: TileObject["path"];
  /** To be reported if the tile is wrong. */
  readonly tile: LogError;
  /** To be reported if what lies below it is wrong. */
  readonly below: LogError;
}

interface BundleFile {
  readonly file: string;
  readonly entries: readonly BundledEntry[];
}

class Auditor {
  readonly #fetch: FetchObject;
  readonly #head: TreeHead;
  readonly #edge: RightEdge;
  readonly #from: bigint;
  readonly #seen: TreeHead | undefined;
  readonly #save: NonNullable<AuditOptions["save"]>;
  /** The root that this tree has at the size of the checkpoint seen before, when it is another one. */
  #otherRoot: Sha256 | undefined;
  #suspect: Suspect | undefined;
  #tiles = 0;
  #bundles = 0;

  constructor(fetch: FetchObject, head: TreeHead, { after, save }: AuditOptions) {
    this.#fetch = fetch;
    this.#head = head;
    this.#seen = after?.seen;
    this.#edge = after?.edge.copy() ?? new RightEdge();
    this.#from = this.#edge.size;
    this.#save = save ?? (() => Promise.resolve());
  }

  get counts(): AuditReport {
    return {
      size: this.#head.size,
      from: this.#from,
      entries: this.#edge.size - this.#from,
      tiles: this.#tiles,
      bundles: this.#bundles,
    };
  }

  async run(): Promise<void> {
    if (this.#seen !== undefined) refuseShrinking(this.#seen, this.#head);
    this.#compareWithSeen();
    const whole = this.#head.size / BigInt(TILE_WIDTH);
    for (let number = this.#from / BigInt(TILE_WIDTH); number < whole; number++) {
      await this.#takeBundle(number);
      if (this.#bundles % SAVE_EVERY === 0) await this.#saveEdge();
    }
    const edge = this.#edge.copy();
    if (this.#head.size % BigInt(TILE_WIDTH) > 0n) await this.#takeBundle(whole);
    await this.#judge();
    await this.#save(edge);
  }

  /** Whether all that was read is right, now that the whole tree is known. */
  async #judge(): Promise<void> {
    const root = this.#edge.root();
    const entriesAreRight = equalBytes(root, this.#head.root);
    if (this.#seen !== undefined && !(entriesAreRight && this.#otherRoot === undefined))
      await this.#refuseFork(this.#seen, entriesAreRight ? this.#otherRoot : undefined);
    if (this.#suspect !== undefined)
      throw !entriesAreRight && (await this.#isAuthentic(this.#suspect))
        ? this.#suspect.below
        : this.#suspect.tile;
    if (!entriesAreRight)
      throw new LogError(
        "CORRUPT_OBJECT",
        "entries and tiles agree with each other but not with the checkpoint",
        {
          file: CHECKPOINT_PATH,
          expected: formatHex(root),
          found: formatHex(this.#head.root),
        },
      );
  }

  /** Tells a signed tree that does not begin with the one seen before from mere damage to files. */
  async #refuseFork(seen: TreeHead, computed: Sha256 | undefined): Promise<void> {
    const root = computed ?? (await this.#authenticRootAt(seen.size));
    if (root !== undefined && !equalBytes(root, seen.root)) throw forked(seen, root);
  }

  /** The root that the signed tree had at a size, if its tiles are whole enough to tell. */
  async #authenticRootAt(size: bigint): Promise<Sha256 | undefined> {
    try {
      return await (await LogReader.open(this.#fetch, this.#head)).rootAt(size);
    } catch (error) {
      if (!(error instanceof LogError)) throw error;
      return undefined;
    }
  }

  /** Whoever goes on from what is saved would not see a fault behind it. */
  async #saveEdge(): Promise<void> {
    if (this.#suspect === undefined && this.#otherRoot === undefined) await this.#save(this.#edge.copy());
  }

  #append(leaf: Sha256): TileObject[] {
    const tiles = this.#edge.append(leaf);
    this.#compareWithSeen();
    return tiles;
  }

  #compareWithSeen(): void {
    if (this.#edge.size !== this.#seen?.size) return;
    const root = this.#edge.root();
    if (!equalBytes(root, this.#seen.root)) this.#otherRoot = root;
  }

  async #takeBundle(number: bigint): Promise<void> {
    const width = widthAt(0, number, this.#head.size);
    const { bytes, path } = await fetchTileObject(this.#fetch, { level: "entries", index: number, width });
    const file = formatTilePath(path);
    const entries = readBundle(bytes, path.width, file).slice(0, width);
    this.#bundles++;
    const tiles = entries.flatMap(({ entry }) => this.#append(leafHash(entry)));
    if (this.#edge.size === this.#head.size) tiles.push(...this.#edge.partials());
    for (const tile of tiles) await this.#takeTile(tile, { file, entries });
  }

  async #takeTile(computed: TileObject, bundle: BundleFile): Promise<void> {
    const { bytes, path } = await fetchTileObject(this.#fetch, computed.path);
    this.#tiles++;
    const file = formatTilePath(path);
    const length = path.width * HASH_LENGTH;
    if (bytes.length !== length)
      throw new LogError("CORRUPT_OBJECT", "the tile has another length", {
        file,
        offset: Math.min(bytes.length, length),
        expected: `${length} bytes`,
        found: String(bytes.length),
      });
    const offset = firstDifference(bytes.subarray(0, computed.bytes.length), computed.bytes);
    if (offset === undefined) return;
    this.#suspect ??= {
      path: computed.path,
      tile: tileFault(file, offset, computed.bytes, bytes),
      below: belowFault(computed, bytes, Math.floor(offset / HASH_LENGTH), bundle),
    };
  }

  /** Whether the suspect tile, as it is stored, hashes into the checkpoint's root. */
  async #isAuthentic({ path: { level, index } }: Suspect): Promise<boolean> {
    try {
      const tiles = await AuthenticatedTiles.open(this.#fetch, this.#head);
      await tiles.tile(level, index);
      return true;
    } catch (error) {
      if (!(error instanceof LogError)) throw error;
      return false;
    }
  }
}

function refuseShrinking(seen: TreeHead, head: TreeHead): void {
  if (head.size < seen.size)
    throw new LogError("ROLLBACK", "the log shrank: its checkpoint is smaller than one seen before", {
      file: CHECKPOINT_PATH,
      expected: `a size of at least ${seen.size}`,
      found: String(head.size),
    });
  if (head.size === seen.size && !equalBytes(head.root, seen.root)) throw forked(seen, head.root);
}

function forked(seen: TreeHead, found: Sha256): LogError {
  const message = `the log forked: its first ${seen.size} entries are not those of the checkpoint seen before`;
  const [expected, other] = [formatHex(seen.root), formatHex(found)];
  return new LogError("FORK", message, { file: CHECKPOINT_PATH, expected, found: other });
}

function tileFault(file: string, offset: number, expected: Uint8Array, found: Uint8Array): LogError {
  const hash = (bytes: Uint8Array): string => {
    const start = offset - (offset % HASH_LENGTH);
    return formatHex(bytes.subarray(start, start + HASH_LENGTH));
  };
  return new LogError("CORRUPT_OBJECT", "a hash of the tile is not that of what lies below it", {
    file,
    offset,
    expected: hash(expected),
    found: hash(found),
  });
}

/** The fault of the `at`-th thing under a tile: an entry of its bundle, or a tile of the level below. */
function belowFault(
  { path, bytes }: TileObject,
  stored: Uint8Array,
  at: number,
  bundle: BundleFile,
): LogError {
  const hash = (tile: Uint8Array): string =>
    formatHex(tile.subarray(at * HASH_LENGTH, (at + 1) * HASH_LENGTH));
  const wanted = { expected: hash(stored), found: hash(bytes) };
  if (path.level === 0)
    return new LogError("CORRUPT_OBJECT", "the entry does not hash to its leaf", {
      file: bundle.file,
      offset: bundle.entries[at]?.offset ?? 0,
      ...wanted,
    });
  const index = path.index * BigInt(TILE_WIDTH) + BigInt(at);
  return new LogError("CORRUPT_OBJECT", "the tile does not hash to its entry in the tile above", {
    file: formatTilePath({ level: path.level - 1, index, width: TILE_WIDTH }),
    ...wanted,
  });
}

function readBundle(bytes: Uint8Array, width: number, file: string): readonly BundledEntry[] {
  try {
    return parseEntryBundle(bytes, width);
  } catch (error) {
    throw corruptObject(error, file);
  }
}

function faultOf(error: unknown): AuditFault | undefined {
  if (!(error instanceof LogError) || error.file === undefined) return undefined;
  const { file, offset, expected = "", found = "", message } = error;
  return { file, expected, found, reason: message, ...(offset === undefined ? {} : { offset }) };
}
