/**
 * Which entries are in the log already, by identity. It is a hint: an answer counts only after the entry at that
 * index has been read from the tree and found to have this identity, so a damaged or forged index cannot make the
 * log promise an entry it does not hold; at worst one entry is logged twice.
 *
 * An index that covers more than the tree, or another one, is cleared; one that covers less is completed from the
 * bundles: so no crash and no lost file can leave it behind the log.
 * @module
 */
import { ByteReader, equalBytes, sha256, type Sha256 } from "@bootproof/bytes";
import type { LogReader } from "./log-reader.ts";
import type { ObjectStore } from "./storage.ts";

/** What makes two entries the same; handed in by whoever knows what is logged. */
export type Identity = (entry: Uint8Array) => Sha256;

/** Entries are the same when their bytes are. */
export const byBytes: Identity = sha256;

/** Where the identities of a log's entries are kept. */
export interface IdentityIndex {
  /** How many entries it covers: those before this index. */
  readonly entries: bigint;
  /** Where an entry of this identity probably is. */
  find(identity: Uint8Array): bigint | undefined | Promise<bigint | undefined>;
  /** As {@link find} does each, where that costs less than one after the other. */
  findAll?(
    identities: readonly Uint8Array[],
  ): readonly (bigint | undefined)[] | Promise<readonly (bigint | undefined)[]>;
  /** Takes the identities of the entries that follow those covered so far. */
  append(identities: readonly Uint8Array[]): void | Promise<void>;
  /** Forgets everything. */
  clear(): void | Promise<void>;
  /** Called when the log is closed. */
  close?(): void | Promise<void>;
}

/** Identities in memory, some tens of bytes each: for browsers, tests and small logs. */
export class MemoryIdentities implements IdentityIndex {
  readonly #indices = new Map<number, number>();
  #entries = 0n;

  get entries(): bigint {
    return this.#entries;
  }

  find(identity: Uint8Array): bigint | undefined {
    const index = this.#indices.get(shortKey(identity));
    return index === undefined ? undefined : BigInt(index);
  }

  append(identities: readonly Uint8Array[]): void {
    for (const identity of identities) this.#indices.set(shortKey(identity), Number(this.#entries++));
  }

  clear(): void {
    this.#indices.clear();
    this.#entries = 0n;
  }
}

/** Identities that an index is completed by in one step. */
const COMPLETED_AT_ONCE = 8192;

/** Has `index` cover exactly the tree that `reader` reads. */
export async function completeIdentities(
  index: IdentityIndex,
  reader: LogReader,
  identity: Identity,
): Promise<void> {
  if (!(await isOfThisTree(index, reader, identity))) await index.clear();
  let missing: Sha256[] = [];
  for await (const { entry } of reader.entries(index.entries)) {
    if (missing.push(identity(entry)) < COMPLETED_AT_ONCE) continue;
    await index.append(missing);
    missing = [];
  }
  if (missing.length > 0) await index.append(missing);
}

/** Where entries of these identities are, each read from the tree before it is believed. */
export async function findEntries(
  index: IdentityIndex,
  reader: LogReader,
  identity: Identity,
  wanted: readonly Sha256[],
): Promise<(bigint | undefined)[]> {
  const hints = (await index.findAll?.(wanted)) ?? (await findEach(index, wanted));
  const found: (bigint | undefined)[] = [];
  for (const [nth, one] of wanted.entries()) {
    const at = hints[nth];
    const isThere =
      at !== undefined && at < reader.head.size && equalBytes(identity(await reader.entry(at)), one);
    found.push(isThere ? at : undefined);
  }
  return found;
}

async function findEach(
  index: IdentityIndex,
  wanted: readonly Sha256[],
): Promise<readonly (bigint | undefined)[]> {
  const hints: (bigint | undefined)[] = [];
  for (const one of wanted) hints.push(await index.find(one));
  return hints;
}

/** The last entry that it covers tells whose index it is. */
async function isOfThisTree(index: IdentityIndex, reader: LogReader, identity: Identity): Promise<boolean> {
  if (index.entries === 0n) return true;
  if (index.entries > reader.head.size) return false;
  const last = identity(await reader.entry(index.entries - 1n));
  const [found] = await findEntries(index, reader, identity, [last]);
  return found !== undefined;
}

const OLD_PREFIX = "dedup/";

/** Removes the objects in which earlier versions kept identities. */
export async function removeOldIdentities(staging: ObjectStore): Promise<void> {
  const keys = await staging.list(OLD_PREFIX);
  const folders = new Set<string>();
  for (const key of keys) {
    await staging.delete(key);
    for (let at = key.lastIndexOf("/"); at > 0; at = key.lastIndexOf("/", at - 1))
      folders.add(key.slice(0, at));
  }
  const deepestFirst = [...folders].sort((a, b) => b.length - a.length);
  for (const folder of deepestFirst) await staging.removeEmptyFolder?.(folder);
}

/** 48 bits are enough for a hint that is checked. */
function shortKey(identity: Uint8Array): number {
  const reader = new ByteReader(identity);
  return reader.u32be("identity") * 0x1_0000 + reader.u16be("identity");
}
