/**
 * A watcher's folder: what it remembers of each log, what waits to be sent, and evidence against logs. One process at a
 * time uses it.
 * @module
 */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { FileLock, makeDirectory, writeFileAtomic } from "@bootproof/store";
import { KeyIndex } from "@bootproof/store/key-index";
import {
  formatMonitorState,
  NOTHING_SEEN,
  parseMonitorState,
  type MonitorState,
} from "@bootproof/verify/monitor";

import { reading } from "../errors/to-failure.ts";
import { EXIT } from "../frame/exit-code.ts";
import { Failure } from "../frame/failure.ts";
import { errno, outputFailure } from "../frame/files.ts";

/** The folder, which this process alone uses until it is closed. */
export class WatchPlace {
  readonly folder: string;
  readonly #lock: FileLock;

  private constructor(folder: string, lock: FileLock) {
    this.folder = folder;
    this.#lock = lock;
  }

  /** Takes the folder, making it when it is absent; throws {@link Failure} when another process has it. */
  static async open(folder: string): Promise<WatchPlace> {
    try {
      await makeDirectory(folder);
    } catch (error) {
      throw outputFailure(folder, error);
    }
    const lock = await FileLock.take(join(folder, "lock"));
    if (lock !== undefined) return new WatchPlace(folder, lock);
    throw new Failure("BP-WATCH-002", EXIT.tryAgain, "another process watches with this state", {
      file: folder,
      hint: "wait until it has finished, or name another folder with --state",
    });
  }

  /** Opens what is remembered of the log of an origin at a place; a mirror of it is another. */
  async log(origin: string, place: string): Promise<LogFiles> {
    const name = createHash("sha256").update(`${origin}\n${place}`).digest("hex").slice(0, 16);
    const folder = join(this.folder, "logs", name);
    await makeDirectory(folder);
    return new LogFiles(folder);
  }

  /** Gives the folder back. */
  close(): Promise<void> {
    return this.#lock.release();
  }
}

/** What is remembered of one log. */
export class LogFiles {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** The state as it was saved last. */
  async readState(): Promise<MonitorState> {
    const file = join(this.#folder, "state.json");
    try {
      const bytes = await readFile(file);
      return reading(file, () => parseMonitorState(new Uint8Array(bytes)));
    } catch (error) {
      if (errno(error) === "ENOENT") return NOTHING_SEEN;
      throw error;
    }
  }

  /** Saves the state, whole or not at all. */
  async saveState(state: MonitorState): Promise<void> {
    const file = join(this.#folder, "state.json");
    try {
      await writeFileAtomic(file, formatMonitorState(state), 0o600);
    } catch (error) {
      throw outputFailure(file, error);
    }
  }

  /** Opens the index of earlier entries; it is made again from the log when it is lost. */
  openIndex(): KeyIndex {
    return KeyIndex.open(join(this.#folder, "entries.sqlite"));
  }

  /** Keeps evidence against the log; returns its file. */
  async saveEvidence(id: string, bytes: Uint8Array): Promise<string> {
    const folder = join(this.#folder, "evidence");
    await makeDirectory(folder);
    const file = join(folder, id);
    await writeFileAtomic(file, bytes);
    return file;
  }
}
