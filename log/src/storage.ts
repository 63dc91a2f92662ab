/**
 * What a log asks of the storage handed to it. A write that has returned must survive a power cut.
 * @module
 */

/** Reads one file of a log by its path, from a directory or over HTTP; undefined when there is none. */
export type FetchObject = (path: string) => Promise<Uint8Array | undefined>;

/** Named objects under one root. */
export interface ObjectStore {
  /** Creates an object; the same bytes again are fine, other bytes under the same key are an error. */
  putImmutable(key: string, bytes: Uint8Array): Promise<void>;
  /** Replaces an object as one step. */
  putMutable(key: string, bytes: Uint8Array): Promise<void>;
  get(key: string): Promise<Uint8Array | undefined>;
  /** Removes an object; it may be absent. */
  delete(key: string): Promise<void>;
  /** Keys that begin with `prefix`. */
  list(prefix: string): Promise<readonly string[]>;
}

/** The one object that decides which of two writers wins. */
export interface HeadStore {
  read(): Promise<{ readonly generation: number; readonly bytes: Uint8Array } | undefined>;
  /** Replaces the head if its generation is still `expected` (0: none yet). */
  compareAndSwap(expected: number, bytes: Uint8Array): Promise<"committed" | "conflict">;
}
