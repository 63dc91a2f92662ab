/**
 * Opens a log after whatever happened to it: completes a commit that a crash interrupted, or refuses to go on when the
 * storage contradicts itself. Doing it twice changes nothing.
 * @module
 */
import { equalBytes, formatHex, sha256 } from "@bootproof/bytes";
import { corruptObject } from "./authenticated-tiles.ts";
import { openCheckpoint, type SignedCheckpoint } from "./checkpoint.ts";
import { publish, putFiles, type LogPlace, type LogState } from "./commit.ts";
import { LogError } from "./log-error.ts";
import { headDigest, parseLogHead, type LogHead } from "./log-head.ts";
import { LogReader } from "./log-reader.ts";
import type { NoteVerifier } from "./note.ts";
import { checkSigners, signTree, verifiersOf } from "./signed-tree.ts";
import { parseStage, parseStageName, STAGE_PREFIX } from "./stage.ts";
import type { ObjectStore } from "./storage.ts";
import { CHECKPOINT_PATH, TILE_WIDTH } from "./tile-path.ts";

/** A log that is whole again, and readers of it. */
export interface RecoveredLog {
  readonly state: LogState;
  readonly reader: LogReader;
  readonly published: Published;
}

/** A checkpoint that everyone may see, and a reader of its tree. */
export interface Published {
  readonly note: Uint8Array;
  readonly reader: LogReader;
  /** Whether a newer one is committed, or more cosignatures are asked for, and too few witnesses have answered. */
  readonly isDue: boolean;
}

/** Recovers the log at `place`; throws {@link LogError} when it must not be written to. */
export async function recover(place: LogPlace): Promise<RecoveredLog> {
  checkSigners(place);
  const { objects, staging } = place;
  const verifiers = verifiersOf(place);
  // The public checkpoint first: if there is another writer it moves the head before it publishes.
  const published = await readPublished(objects, verifiers, place.origin);
  const stored = await readHead(place);
  const committed = openFile("head", stored.head.note, verifiers, place.origin);
  refuseContradiction(committed, published);

  if (stored.head.stage !== undefined) await applyStage(objects, staging, stored.head.stage);
  const reader = await LogReader.open((path) => objects.get(path), committed);
  await refuseFork(reader, published);
  // Before anything is signed: a witness may have seen a later state than this copy.
  await place.witnesses?.lookAround(committed, objects);
  const tree = { size: committed.size, root: committed.root };
  const state = {
    generation: stored.generation,
    headDigest: headDigest(stored.bytes),
    // With the keys of today; those of the day when it was committed may have been others.
    note: await signTree(place, tree),
    tree,
    edge: reader.tiles.rightEdge(),
    partialBundle: await readPartialBundle(reader),
    frozen: stored.head.frozen,
  };
  const now = await publishAgain(place, state, reader, published);
  await removeDeadStages(staging, committed.size);
  return { state, reader, published: now };
}

/**
 * Also when the checkpoint is public already: whoever put it there may have been killed before it was durable, and we
 * are about to answer for it; and the policy may ask for more witnesses than it did then.
 */
async function publishAgain(
  place: LogPlace,
  state: LogState,
  reader: LogReader,
  published: SignedCheckpoint | undefined,
): Promise<Published> {
  const known = published?.size === state.tree.size ? published.note : undefined;
  try {
    return { note: await publish(place, state, { known }), reader, isDue: false };
  } catch (error) {
    const isUnwitnessed = error instanceof LogError && error.kind === "UNWITNESSED";
    if (!isUnwitnessed || published === undefined) throw error;
    const isSame = known !== undefined;
    const older = isSame ? reader : await LogReader.open((path) => place.objects.get(path), published);
    return { note: published.note, reader: older, isDue: true };
  }
}

interface StoredHead {
  readonly generation: number;
  readonly bytes: Uint8Array;
  readonly head: LogHead;
}

async function readHead(place: LogPlace): Promise<StoredHead> {
  const stored = await place.head.read();
  if (stored === undefined) {
    if ((await place.objects.get(CHECKPOINT_PATH)) !== undefined)
      throw new LogError("ROLLBACK", "there is a public checkpoint but no head: the private part is lost", {
        file: CHECKPOINT_PATH,
        hint: "restore the private folder; signing from an older state would fork the log",
      });
    throw new LogError("NO_LOG", "there is no log here");
  }
  try {
    return { ...stored, head: parseLogHead(stored.bytes) };
  } catch (error) {
    throw corruptObject(error, "head");
  }
}

async function readPublished(
  objects: ObjectStore,
  verifiers: readonly NoteVerifier[],
  origin: string,
): Promise<SignedCheckpoint | undefined> {
  const note = await objects.get(CHECKPOINT_PATH);
  return note === undefined ? undefined : openFile(CHECKPOINT_PATH, note, verifiers, origin);
}

function openFile(
  file: string,
  note: Uint8Array,
  verifiers: readonly NoteVerifier[],
  origin: string,
): SignedCheckpoint {
  try {
    return openCheckpoint(note, verifiers, origin);
  } catch (error) {
    if (!(error instanceof LogError)) throw corruptObject(error, file);
    const { expected = "the log's own key", found = "none of it" } = error;
    throw new LogError(error.kind, `${file}: ${error.message}`, { file, expected, found, cause: error });
  }
}

function refuseContradiction(committed: SignedCheckpoint, published: SignedCheckpoint | undefined): void {
  if (published === undefined || published.size < committed.size) return;
  if (published.size > committed.size)
    throw new LogError(
      "ROLLBACK",
      "the public checkpoint is larger than the head: the head was rolled back",
      {
        file: CHECKPOINT_PATH,
        expected: `a size of at most ${committed.size}`,
        found: String(published.size),
        hint: "restore the newest head; signing from an older one would fork the log",
      },
    );
  if (!equalBytes(published.root, committed.root)) throw fork(published, formatHex(committed.root));
}

async function refuseFork(reader: LogReader, published: SignedCheckpoint | undefined): Promise<void> {
  if (published === undefined) return;
  const root = await reader.rootAt(published.size);
  if (!equalBytes(root, published.root)) throw fork(published, formatHex(root));
}

function fork(published: SignedCheckpoint, expected: string): LogError {
  return new LogError("FORK", `the public checkpoint of size ${published.size} is of another tree`, {
    file: CHECKPOINT_PATH,
    expected,
    found: formatHex(published.root),
    hint: "keep both checkpoints: together they show that the log signed two trees",
  });
}

async function applyStage(objects: ObjectStore, staging: ObjectStore, name: string): Promise<void> {
  const stage = await staging.get(name);
  // Removed after publication: then the tiles are complete, and the check of the right edge says so.
  if (stage === undefined) return;
  const found = formatHex(sha256(stage));
  if (!name.endsWith(`-${found}`))
    throw new LogError("CORRUPT_OBJECT", "the stage is not the one that was committed", {
      file: name,
      expected: name.slice(name.lastIndexOf("-") + 1),
      found,
    });
  await putFiles(objects, parseStage(stage));
}

async function readPartialBundle(reader: LogReader): Promise<readonly Uint8Array[]> {
  const { size } = reader.head;
  if (size % BigInt(TILE_WIDTH) === 0n) return [];
  return (await reader.bundle(size / BigInt(TILE_WIDTH))).map(({ entry }) => entry);
}

/** A stage that leads to no larger tree than the committed one can never be committed any more. */
async function removeDeadStages(staging: ObjectStore, size: bigint): Promise<void> {
  for (const name of await staging.list(STAGE_PREFIX))
    if (parseStageName(name) <= size) await staging.delete(name);
}
