/**
 * A store in memory on which any operation may be the last. When the process is killed, each operation in flight
 * happens or does not, as a coin decides, and none after it does; or it happens and is not synced: then others see it
 * until a power cut takes it away. What had been answered stays.
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
  /** Whether the n-th operation in flight at death is done all the same; or seen, but not synced. */
  readonly coin: (nth: number) => boolean | "unsynced";
  /** How many turns of the event loop the process sleeps before what is in flight next. */
  readonly pause?: () => number;
}

/** Another process replaced the object between the decision to replace it and the deed. */
export class Overtaken extends Error {
  override readonly name = "Overtaken";
}

/** What a disk holds; it outlives processes. */
export class MemoryDisk {
  readonly objects: Map<string, Uint8Array> = new Map<string, Uint8Array>();
  readonly staging: Map<string, Uint8Array> = new Map<string, Uint8Array>();
  head: { readonly generation: number; readonly bytes: Uint8Array } | undefined;
  /** Every checkpoint that was public, in order. */
  readonly published: Uint8Array[] = [];
  /** How to forget what is not synced, by what it is. */
  readonly unsynced: Map<string, () => void> = new Map<string, () => void>();

  /** The power fails: what is not synced is gone or not, as a coin decides. */
  cutPower(isLost: () => boolean): void {
    for (const forget of this.unsynced.values()) if (isLost()) forget();
    this.unsynced.clear();
  }

  copy(): MemoryDisk {
    const copy = new MemoryDisk();
    for (const [key, bytes] of this.objects) copy.objects.set(key, bytes);
    for (const [key, bytes] of this.staging) copy.staging.set(key, bytes);
    copy.head = this.head;
    return copy;
  }
}

/** The thing that an operation makes durable when it is answered, and how to put it back as it is now. */
interface Slot {
  readonly name: string;
  readonly restore: () => () => void;
}

interface InFlight {
  /** Does it and answers. */
  readonly run: () => void;
  /** Does it, and nobody hears of it. */
  readonly happen: () => void;
  readonly slot: Slot | undefined;
  readonly die: () => void;
}

/** A process that works on a disk and may be killed. */
export class MemoryProcess {
  readonly objects: ObjectStore;
  readonly staging: ObjectStore;
  readonly head: HeadStore;
  readonly #disk: MemoryDisk;
  readonly #kill: KillPoint | undefined;
  #inFlight: InFlight[] = [];
  #dead = false;
  /** Operations done. */
  operations = 0;

  constructor(disk: MemoryDisk, kill?: KillPoint) {
    this.#disk = disk;
    this.#kill = kill;
    this.objects = this.#store("objects", (note) => disk.published.push(note));
    this.staging = this.#store("staging", () => 0);
    const slot: Slot = {
      name: "head",
      restore: () => {
        const { head } = disk;
        return () => (disk.head = head);
      },
    };
    this.head = {
      read: () => this.#do(() => disk.head, slot),
      compareAndSwap: (expected, bytes) =>
        this.#do(() => {
          if ((disk.head?.generation ?? 0) !== expected) return "conflict";
          disk.head = { generation: expected + 1, bytes: bytes.slice() };
          return "committed";
        }, slot),
    };
  }

  /** Puts an operation in flight; all that are in flight together are done, or die, in one turn of the event loop. */
  #do<T>(operation: () => T, slot?: Slot): Promise<T> {
    return new Promise((resolve, reject) => {
      const die = (): void => reject(new Killed());
      const run = (): void => {
        try {
          resolve(operation());
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      };
      const happen = (): void => {
        try {
          operation();
        } catch {
          // It was refused.
        }
      };
      if (this.#dead) die();
      else if (this.#inFlight.push({ run, happen, slot, die }) === 1) this.#wait(this.#kill?.pause?.() ?? 0);
    });
  }

  #wait(turns: number): void {
    setImmediate(() => {
      if (turns > 0) this.#wait(turns - 1);
      else this.#turn();
    });
  }

  #turn(): void {
    const flight = this.#inFlight;
    this.#inFlight = [];
    flight.forEach(({ run, happen, slot, die }, nth) => {
      if (this.#kill === undefined || this.operations < this.#kill.after) {
        this.operations++;
        run();
        if (slot !== undefined) this.#disk.unsynced.delete(slot.name);
        return;
      }
      this.#dead = true;
      const fate = this.#kill.coin(nth);
      if (fate === "unsynced" && slot !== undefined) this.#unsynced(slot);
      if (fate !== false) happen();
      die();
    });
  }

  /** What is about to happen to `slot` can be forgotten. */
  #unsynced({ name, restore }: Slot): void {
    const { unsynced } = this.#disk;
    if (!unsynced.has(name)) unsynced.set(name, restore());
  }

  #store(folder: "objects" | "staging", onMutable: (bytes: Uint8Array) => unknown): ObjectStore {
    const map = this.#disk[folder];
    const slotOf = (key: string): Slot => ({
      name: `${folder}/${key}`,
      restore: () => {
        const bytes = map.get(key);
        return () => (bytes === undefined ? map.delete(key) : map.set(key, bytes));
      },
    });
    return {
      putImmutable: (key, bytes) =>
        this.#do(() => {
          const known = map.get(key);
          if (known !== undefined && !equalBytes(known, bytes))
            throw new Error(`${key} has other bytes already`);
          map.set(key, bytes.slice());
        }, slotOf(key)),
      putMutable: async (key, bytes, confirm) => {
        const before = map.get(key);
        await confirm?.();
        await this.#do(() => {
          const now = map.get(key);
          const overtaken = now !== before && !equalBytes(now ?? bytes, bytes);
          if (confirm !== undefined && overtaken) throw new Overtaken(key);
          map.set(key, bytes.slice());
          onMutable(bytes.slice());
        }, slotOf(key));
      },
      get: (key) => this.#do(() => map.get(key)?.slice()),
      // As on a directory, nobody waits until a deletion is synced.
      delete: (key) =>
        this.#do(() => {
          this.#unsynced(slotOf(key));
          map.delete(key);
        }),
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
