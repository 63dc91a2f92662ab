/**
 * What a log asks of the storage handed to it. A write that has returned must survive a power cut.
 * @module
 */

/** Reads one file of a log by its path, from a directory or over HTTP; undefined when there is none. */
export type FetchObject = (path: string) => Promise<Uint8Array | undefined>;

/** An object and its name. */
export interface NamedObject {
  readonly key: string;
  readonly bytes: Uint8Array;
}

/** Named objects under one root. */
export interface ObjectStore {
  /** Creates an object; the same bytes again are fine, other bytes under the same key are an error. */
  putImmutable(key: string, bytes: Uint8Array): Promise<void>;
  /** Creates several objects, as {@link putImmutable} does each, where that costs less than one after the other. */
  putImmutables?(objects: readonly NamedObject[]): Promise<void>;
  /**
   * Replaces an object as one step. `confirm` is called when all is ready and throws to prevent it; a replacement that
   * was confirmed and then overtaken by another one with `confirm` must fail rather than come late.
   */
  putMutable(key: string, bytes: Uint8Array, confirm?: () => Promise<void>): Promise<void>;
  get(key: string): Promise<Uint8Array | undefined>;
  /** Removes an object; it may be absent. */
  delete(key: string): Promise<void>;
  /** Removes a folder that holds nothing any more, in stores that have folders. */
  removeEmptyFolder?(folder: string): Promise<void>;
  /** Keys that begin with `prefix`. */
  list(prefix: string): Promise<readonly string[]>;
}

/** Says that this process is the log's writer, until it is released or the process ends. */
export interface WriterLock {
  release(): Promise<void>;
}

/** The one object that decides which of two writers wins. */
export interface HeadStore {
  /**
   * Makes this process the log's one writer; undefined, at once, when another is. It is there so that the second
   * writer hears of the first; what keeps the log whole is the compare-and-swap.
   */
  lock?(): Promise<WriterLock | undefined>;
  /** What it returns survives a power cut, whoever wrote it. */
  read(): Promise<{ readonly generation: number; readonly bytes: Uint8Array } | undefined>;
  /** The generation that {@link read} would tell, durable or not: cheaper, for whoever only asks whether it moved. */
  generation?(): Promise<number>;
  /** Replaces the head if its generation is still `expected` (0: none yet). */
  compareAndSwap(expected: number, bytes: Uint8Array): Promise<"committed" | "conflict">;
}
