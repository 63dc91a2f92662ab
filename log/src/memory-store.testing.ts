/**
 * A store in memory on which any operation may be the last. When the process is killed, each operation in flight
 * happens or does not, as a coin decides, and none after it does. What had been answered stays.
 * @module
 */
import { equalBytes } from "@bootproof/bytes";
import type { Signer } from "@bootproof/bytes/signing";
import type { LogOptions } from "./log.ts";
import { ed25519Signer } from "./signer.ts";
import type { HeadStore, ObjectStore } from "./storage.ts";

/** The writing process died here. */
export class Killed extends Error {
  override readonly name = "Killed";
}

/** When to die, and what becomes of operations in flight then. */
export interface KillPoint {
  /** Operations that succeed before death. */
  readonly after: number;
  /** Whether the n-th operation in flight at death is done all the same. */
  readonly coin: (nth: number) => boolean;
}

/** What a disk holds; it outlives processes. */
export class MemoryDisk {
  readonly objects: Map<string, Uint8Array> = new Map<string, Uint8Array>();
  readonly staging: Map<string, Uint8Array> = new Map<string, Uint8Array>();
  head: { readonly generation: number; readonly bytes: Uint8Array } | undefined;
  /** Every checkpoint that was public, in order. */
  readonly published: Uint8Array[] = [];

  copy(): MemoryDisk {
    const copy = new MemoryDisk();
    for (const [key, bytes] of this.objects) copy.objects.set(key, bytes);
    for (const [key, bytes] of this.staging) copy.staging.set(key, bytes);
    copy.head = this.head;
    return copy;
  }
}

interface InFlight {
  readonly run: () => void;
  readonly die: () => void;
}

/** A process that works on a disk and may be killed. */
export class MemoryProcess {
  readonly objects: ObjectStore;
  readonly staging: ObjectStore;
  readonly head: HeadStore;
  readonly #kill: KillPoint | undefined;
  #inFlight: InFlight[] = [];
  #dead = false;
  /** Operations done. */
  operations = 0;

  constructor(disk: MemoryDisk, kill?: KillPoint) {
    this.#kill = kill;
    this.objects = this.#store(disk.objects, (note) => disk.published.push(note));
    this.staging = this.#store(disk.staging, () => 0);
    this.head = {
      read: () => this.#do(() => disk.head),
      compareAndSwap: (expected, bytes) =>
        this.#do(() => {
          if ((disk.head?.generation ?? 0) !== expected) return "conflict";
          disk.head = { generation: expected + 1, bytes: bytes.slice() };
          return "committed";
        }),
    };
  }

  /** Puts an operation in flight; all that are in flight together are done, or die, in one turn of the event loop. */
  #do<T>(operation: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      const die = (): void => reject(new Killed());
      const run = (): void => {
        try {
          resolve(operation());
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      };
      if (this.#dead) die();
      else if (this.#inFlight.push({ run, die }) === 1) setImmediate(() => this.#turn());
    });
  }

  #turn(): void {
    const flight = this.#inFlight;
    this.#inFlight = [];
    flight.forEach(({ run, die }, nth) => {
      if (this.#kill === undefined || this.operations < this.#kill.after) {
        this.operations++;
        run();
        return;
      }
      this.#dead = true;
      if (this.#kill.coin(nth)) run();
      die();
    });
  }

  #store(map: Map<string, Uint8Array>, onMutable: (bytes: Uint8Array) => unknown): ObjectStore {
    return {
      putImmutable: (key, bytes) =>
        this.#do(() => {
          const known = map.get(key);
          if (known !== undefined && !equalBytes(known, bytes))
            throw new Error(`${key} has other bytes already`);
          map.set(key, bytes.slice());
        }),
      putMutable: async (key, bytes, confirm) => {
        const before = map.get(key);
        await confirm?.();
        await this.#do(() => {
          const now = map.get(key);
          const overtaken = now !== before && !equalBytes(now ?? bytes, bytes);
          if (confirm !== undefined && overtaken) throw new Error(`${key} was replaced meanwhile`);
          map.set(key, bytes.slice());
          onMutable(bytes.slice());
        });
      },
      get: (key) => this.#do(() => map.get(key)?.slice()),
      delete: (key) => this.#do(() => void map.delete(key)),
      list: (prefix) => this.#do(() => [...map.keys()].filter((key) => key.startsWith(prefix))),
    };
  }
}

/** Origin and key of the logs that tests make. */
export const TEST_SIGNER: Signer = ed25519Signer("log.test/memory", new Uint8Array(32).fill(1));

/** Options of a test log on a disk. */
export function logOn(disk: MemoryDisk, kill?: KillPoint): LogOptions {
  const { objects, staging, head } = new MemoryProcess(disk, kill);
  return { origin: TEST_SIGNER.name, signer: TEST_SIGNER, objects, staging, head };
}

/** Entries `<prefix> <from>` and on. */
export function entriesFrom(from: number, count: number, prefix = "leaf"): Uint8Array[] {
  return Array.from({ length: count }, (_, at) => new Uint8Array(Buffer.from(`${prefix} ${from + at}`)));
}
