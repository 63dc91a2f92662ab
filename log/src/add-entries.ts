/**
 * What is sent to a mirror: origin, the range of entries, a ticket, and packages: the entries of one window of 256, and
 * the proof that they and those before them in the window are a subtree of the checkpoint's tree. C2SP tlog-mirror
 * (draft of 2026-07), "add-entries". A request may end after any package; the rest then comes in the next.
 * @module
 */
import {
  asDigest,
  ByteReader,
  ByteWriter,
  ParseError,
  parseUtf8,
  quote,
  utf8,
  type Sha256,
} from "@bootproof/bytes";
import type { TreeHead } from "./consistency.ts";
import type { LogReader } from "./log-reader.ts";
import { leafHash } from "./merkle.ts";
import { RightEdge } from "./right-edge.ts";
import { makeSubtreeProof, verifySubtreeProof } from "./subtree.ts";
import { checkEntryLength, HASH_LENGTH } from "./tile.ts";
import { TILE_WIDTH } from "./tile-path.ts";

/** Path of the call under a mirror's submission prefix. */
export const ADD_ENTRIES_PATH = "add-entries";
/** Most packages that a client puts into one request. */
export const MAX_PACKAGES = 32;
/** Its length is sent in two bytes. */
export const MAX_TICKET = 65_535;
const MAX_PROOF_HASHES = 63;
const MAX_INDEX = 2n ** 63n - 1n;
const WIDTH = BigInt(TILE_WIDTH);

/** The entries of one window, or those of it that are sent, and their proof. */
export interface EntryPackage {
  /** Index of the first entry. */
  readonly start: bigint;
  readonly entries: readonly Uint8Array[];
  /** That the window's entries up to the last one here are a subtree of the tree of `uploadEnd` entries. */
  readonly proof: readonly Sha256[];
}

/** A request; nothing in it has been checked. */
export interface AddEntries {
  readonly origin: string;
  readonly uploadStart: bigint;
  /** Size of the checkpoint that the proofs lead to. */
  readonly uploadEnd: bigint;
  readonly ticket: Uint8Array;
  /** All packages from `uploadStart` on, or the first few. */
  readonly packages: readonly EntryPackage[];
}

/** Parses a request of whole packages; throws {@link ParseError}. */
export function parseAddEntries(bytes: Uint8Array): AddEntries {
  const reader = new ByteReader(bytes);
  const origin = parseUtf8(reader.bytes(reader.u16be("origin length"), "origin"), "origin");
  checkOrigin(origin);
  const uploadStart = readIndex(reader, "upload start");
  const uploadEnd = readIndex(reader, "upload end");
  if (uploadStart > uploadEnd)
    throw new ParseError("OUT_OF_RANGE", "upload start", {
      expected: `at most the upload end ${uploadEnd}`,
      found: String(uploadStart),
    });
  const ticket = reader.bytes(reader.u16be("ticket length"), "ticket");
  const packages: EntryPackage[] = [];
  for (let at = uploadStart; at < uploadEnd && reader.remaining > 0; at = windowEnd(at, uploadEnd))
    packages.push(readPackage(reader, at, windowEnd(at, uploadEnd)));
  reader.end("add-entries request");
  return { origin, uploadStart, uploadEnd, ticket, packages };
}

/** The bytes of a request: the mirror of {@link parseAddEntries}; throws {@link ParseError} and LogError. */
export function encodeAddEntries(request: AddEntries): Uint8Array<ArrayBuffer> {
  const { origin, uploadStart, uploadEnd, ticket, packages } = request;
  checkOrigin(origin);
  const name = utf8(origin);
  if (name.length > MAX_TICKET || ticket.length > MAX_TICKET)
    throw new ParseError("TOO_LARGE", "origin or ticket", { expected: `at most ${MAX_TICKET} bytes` });
  const writer = new ByteWriter();
  writer.u16be(name.length).bytes(name).u64be(uploadStart).u64be(uploadEnd);
  writer.u16be(ticket.length).bytes(ticket);
  let at = uploadStart;
  for (const { start, entries, proof } of packages) {
    const end = windowEnd(at, uploadEnd);
    if (start !== at || BigInt(entries.length) !== end - start || proof.length > MAX_PROOF_HASHES)
      throw new ParseError("NOT_CANONICAL", "entry package", {
        expected: `entries ${at} to ${end}`,
        found: `${entries.length} from ${start}`,
      });
    for (const entry of entries) {
      checkEntryLength(entry);
      writer.u16be(entry.length).bytes(entry);
    }
    writer.u8(proof.length);
    for (const hash of proof) writer.bytes(hash);
    at = end;
  }
  return writer.finish();
}

/** Makes the next request for a mirror that lacks the entries from `start` on: at most 32 packages of it. */
export async function makeAddEntries(
  log: LogReader,
  origin: string,
  { start, ticket = new Uint8Array() }: { readonly start: bigint; readonly ticket?: Uint8Array },
): Promise<AddEntries> {
  const { size } = log.head;
  const packages: EntryPackage[] = [];
  for (let at = start; at < size && packages.length < MAX_PACKAGES;) {
    const end = windowEnd(at, size);
    const entries: Uint8Array[] = [];
    for await (const { entry } of log.entries(at, end)) entries.push(entry);
    const window = { start: at - (at % WIDTH), end };
    packages.push({ start: at, entries, proof: await makeSubtreeProof(log.tiles, window, size) });
    at = end;
  }
  return { origin, uploadStart: start, uploadEnd: size, ticket, packages };
}

/**
 * Whether a package's entries are those of the tree; `before` are the leaf hashes of the entries of the same window
 * that came before it. Never throws.
 */
export function verifyEntryPackage(
  { start, entries, proof }: EntryPackage,
  before: readonly Sha256[],
  tree: TreeHead,
): boolean {
  const window = start - (start % WIDTH);
  if (BigInt(before.length) !== start - window || before.length + entries.length > TILE_WIDTH) return false;
  if (entries.length === 0) return false;
  const edge = new RightEdge();
  for (const leaf of [...before, ...entries.map(leafHash)]) edge.append(leaf);
  const end = start + BigInt(entries.length);
  return verifySubtreeProof({ start: window, end, root: edge.root() }, tree, proof);
}

function readPackage(reader: ByteReader, start: bigint, end: bigint): EntryPackage {
  const entries = Array.from({ length: Number(end - start) }, (_, at) =>
    reader.bytes(reader.u16be(`length of entry ${start + BigInt(at)}`), `entry ${start + BigInt(at)}`),
  );
  const { offset } = reader;
  const count = reader.u8("number of proof hashes");
  if (count > MAX_PROOF_HASHES)
    throw new ParseError("OUT_OF_RANGE", "number of proof hashes", {
      offset,
      expected: `at most ${MAX_PROOF_HASHES}`,
      found: String(count),
    });
  const proof = Array.from({ length: count }, (_, at) =>
    asDigest("sha256", reader.bytes(HASH_LENGTH, `proof hash ${at}`)),
  );
  return { start, entries, proof };
}

function readIndex(reader: ByteReader, field: string): bigint {
  const { offset } = reader;
  const index = reader.u64be(field);
  if (index > MAX_INDEX)
    throw new ParseError("OUT_OF_RANGE", field, { offset, expected: "below 2^63", found: String(index) });
  return index;
}

/** An origin is a line of a checkpoint. */
function checkOrigin(origin: string): void {
  if (origin === "" || /[\u0000-\u001f]/.test(origin))
    throw new ParseError("OUT_OF_RANGE", "origin", { expected: "one line of text", found: quote(origin) });
}

/** Where the package that starts at an index ends. */
function windowEnd(start: bigint, uploadEnd: bigint): bigint {
  const end = start - (start % WIDTH) + WIDTH;
  return end < uploadEnd ? end : uploadEnd;
}
