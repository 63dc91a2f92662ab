/**
 * A copy of a log on a folder: what it holds now, and the lock that one process at a time has. What is not for readers
 * lies in `DIR.private`, as with a log.
 * @module
 */
import { stat } from "node:fs/promises";
import { join } from "node:path";

import { ParseError } from "@bootproof/bytes";
import {
  LogError,
  noteVerifiers,
  openCheckpoint,
  originHash,
  type ObjectStore,
  type SignedCheckpoint,
} from "@bootproof/log";
import { DirectoryObjects, FileLock, makeDirectory } from "@bootproof/store";

import { EXIT } from "../frame/exit-code.ts";
import { Failure } from "../frame/failure.ts";
import { outputFailure } from "../frame/files.ts";

/** A copy that this process may write to. */
export interface MirrorPlace {
  readonly folder: string;
  readonly objects: ObjectStore;
  readonly staging: ObjectStore;
  /** Its checkpoint, if it has one. */
  readonly current: () => Promise<SignedCheckpoint | undefined>;
  readonly close: () => Promise<void>;
}

/** Which copy. */
export interface MirrorOf {
  readonly folder: string;
  /** Whether the copies of several logs lie below the folder. */
  readonly byOrigin: boolean;
  readonly origin: string;
  readonly vkeys: readonly string[];
}

/** Where the copy of a log lies. */
export const mirrorFolder = ({ folder, byOrigin, origin }: Omit<MirrorOf, "vkeys">): string =>
  byOrigin ? join(folder, originHash(origin)) : folder;

/** Opens the copy of a log, or starts one; throws {@link Failure} when something else is there. */
export async function openMirror(asked: MirrorOf): Promise<MirrorPlace> {
  const folder = mirrorFolder(asked);
  const top = `${asked.folder.replace(/\/+$/, "")}.private`;
  const hidden = asked.byOrigin ? join(top, originHash(asked.origin)) : top;
  for (const name of ["log.key", "place.json", "head"])
    if ((await stat(join(hidden, name)).catch(() => undefined)) !== undefined)
      throw notThisMirror(folder, "a log that is written here");
  try {
    await makeDirectory(hidden);
    const objects = await DirectoryObjects.open(folder);
    const current = (): Promise<SignedCheckpoint | undefined> => openCurrent(objects, asked, folder);
    await current();
    const lock = await FileLock.take(join(hidden, "mirror.lock"));
    if (lock === undefined)
      throw new Failure("BP-LOG-037", EXIT.tryAgain, "another process is mirroring into this folder", {
        file: folder,
      });
    const staging = await DirectoryObjects.open(join(hidden, "staging"));
    return { folder, objects, staging, current, close: () => lock.release() };
  } catch (error) {
    throw error instanceof Failure ? error : outputFailure(folder, error);
  }
}

async function openCurrent(
  objects: ObjectStore,
  { vkeys, origin }: MirrorOf,
  folder: string,
): Promise<SignedCheckpoint | undefined> {
  const note = await objects.get("checkpoint");
  if (note === undefined) return undefined;
  try {
    return openCheckpoint(note, noteVerifiers(vkeys), origin);
  } catch (error) {
    if (error instanceof LogError || error instanceof ParseError)
      throw notThisMirror(folder, `a checkpoint that is not this log's: ${error.message}`);
    throw error;
  }
}

function notThisMirror(folder: string, found: string): Failure {
  return new Failure("BP-LOG-035", EXIT.cannotWrite, "this folder is no mirror of that log", {
    file: folder,
    found,
    hint: "name another folder: --to DIR",
  });
}
