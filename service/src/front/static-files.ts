/**
 * The public files of a log over HTTP (C2SP tlog-tiles): checkpoint, tiles, entry bundles and the log's key, and nothing
 * else of the place where they lie. A tile is served once the public checkpoint covers it, and never changes then; an
 * error says nothing to caches.
 * @module
 */
import { formatHex, ParseError, sha256 } from "@bootproof/bytes";
import {
  CHECKPOINT_PATH,
  parseCheckpoint,
  parseNote,
  parseTilePath,
  TILE_WIDTH,
  widthAt,
  type FetchObject,
  type TilePath,
} from "@bootproof/log";

import { TEXT, type Answer } from "../http/answer.ts";
import type { Route } from "../http/frame.ts";
import { Gate } from "../http/gate.ts";
import type { Asked } from "../http/request.ts";

const OCTETS = "application/octet-stream";
const FOR_ALL = ["access-control-allow-origin", "*"] as const;
const IMMUTABLE = ["cache-control", "public, max-age=31536000, immutable", ...FOR_ALL] as const;
const NO_CACHE = ["cache-control", "no-cache", ...FOR_ALL] as const;
const VKEY_PATH = "log.vkey";
/** Tiles kept in memory: 8 MiB at most. */
const MAX_KEPT_TILES = 1024;
/** Entry bundles read at once, each up to 16 MiB. */
const BUNDLES_AT_ONCE = 8;

/** Serves a log's public files. */
export class StaticFiles {
  readonly #fetch: FetchObject;
  readonly #kept = new Map<string, Uint8Array>();
  readonly #bundles = new Gate(BUNDLES_AT_ONCE);
  /** Size of the largest checkpoint that was public here. */
  #size = 0n;

  constructor(fetch: FetchObject) {
    this.#fetch = fetch;
  }

  /** Size of the largest checkpoint that was seen here. */
  get knownSize(): bigint {
    return this.#size;
  }

  /** Size of the public checkpoint now. */
  async size(): Promise<bigint> {
    await this.#readCheckpoint();
    return this.#size;
  }

  /** The route of a path of the log's public files. */
  route(path: string): Route | undefined {
    if (path === `/${CHECKPOINT_PATH}`) return this.#checkpoint;
    if (path.startsWith("/tile/")) return this.#tile;
    return path === `/${VKEY_PATH}` ? this.#vkey : undefined;
  }

  readonly #checkpoint: Route = {
    name: "checkpoint",
    method: "GET",
    answer: async (asked) => {
      const note = await this.#readCheckpoint();
      if (note === undefined) return none("no checkpoint");
      const tag = `"${formatHex(sha256(note)).slice(0, 32)}"`;
      const headers = ["etag", tag, ...NO_CACHE];
      if (matches(asked.header("if-none-match"), tag)) return { status: 304, type: TEXT, body: "", headers };
      return { status: 200, type: TEXT, body: note, headers };
    },
  };

  readonly #vkey: Route = {
    name: "vkey",
    method: "GET",
    answer: async () => {
      const vkey = await this.#fetch(VKEY_PATH);
      return vkey === undefined ? none("no key") : { status: 200, type: TEXT, body: vkey, headers: NO_CACHE };
    },
  };

  readonly #tile: Route = { name: "tile", method: "GET", answer: (asked) => this.#readTile(asked) };

  async #readTile({ path }: Asked): Promise<Answer> {
    const key = path.slice(1);
    const kept = this.#kept.get(key);
    if (kept !== undefined) return immutable(kept);
    const tile = tilePath(key);
    if (tile === undefined) return none("no such tile");
    if (!covers(this.#size, tile)) await this.#readCheckpoint();
    if (!covers(this.#size, tile)) return none("no checkpoint covers this tile");
    const isBundle = tile.level === "entries";
    const bytes = await (isBundle ? this.#bundles.pass(() => this.#fetch(key)) : this.#fetch(key));
    if (bytes === undefined) return none(tile.width < TILE_WIDTH ? "take the full tile" : "no such tile");
    if (!isBundle) this.#keep(key, bytes);
    return immutable(bytes);
  }

  /** The public checkpoint as it is now; what it says of the size is noted. */
  async #readCheckpoint(): Promise<Uint8Array | undefined> {
    const note = await this.#fetch(CHECKPOINT_PATH);
    if (note === undefined) return undefined;
    const { size } = parseCheckpoint(parseNote(note).unverifiedText);
    if (size > this.#size) this.#size = size;
    return note;
  }

  #keep(key: string, bytes: Uint8Array): void {
    const oldest = this.#kept.size < MAX_KEPT_TILES ? undefined : this.#kept.keys().next().value;
    if (oldest !== undefined) this.#kept.delete(oldest);
    this.#kept.set(key, bytes);
  }
}

/** Whether the tree of `size` entries implies, or once implied, this tile. */
function covers(size: bigint, { level, index, width }: TilePath): boolean {
  return widthAt(level === "entries" ? 0 : level, index, size) >= width;
}

function tilePath(key: string): TilePath | undefined {
  try {
    return parseTilePath(key);
  } catch (error) {
    if (error instanceof ParseError) return undefined;
    throw error;
  }
}

const immutable = (body: Uint8Array): Answer => ({ status: 200, type: OCTETS, body, headers: IMMUTABLE });

const none = (message: string): Answer => ({
  status: 404,
  type: TEXT,
  body: `${message}\n`,
  headers: FOR_ALL,
});

function matches(header: string | undefined, tag: string): boolean {
  if (header === undefined) return false;
  return header.split(",").some((given) => ["*", tag, `W/${tag}`].includes(given.trim()));
}
