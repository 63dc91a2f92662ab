/**
 * What two threads share when they hash the sections of one file: where the bytes are, which of the hashes each thread
 * computes, and memory in which they claim the parts of the work that either can do.
 *
 * The long chains are fixed: one thread computes what PCR0 and PCR1 extend, the other what PCR2 extends. Whatever is left
 * over (checksums, digests of sections that no chain begins with) goes to who meets it first: that one is ahead.
 * @module
 */

/** Bytes that are read at once, and hashed while they are in the processor's cache. */
export const CHUNK: number = 2 ** 18;
/** Claims of checksums kept at most. */
const MAX_BLOCKS = 2 ** 16;
// Of the shared memory, in 32-bit words: how many chunks both threads are through with, then the claims.
const DONE = 0;
const CLAIMS = 1;

/** A section where it is to be read. */
export interface HashPlace {
  readonly type: string | undefined;
  readonly size: number;
  /** A file of this process and the section's place in it, or the bytes themselves. */
  readonly data: { readonly descriptor: number; readonly offset: number } | Uint8Array;
  /** Where the job's output gets the bytes. */
  readonly target?: number;
}

/** The hashes that a thread computes: one of the two chains, or both. */
export interface HashRole {
  /** What PCR0 and PCR1 extend: the kernel, the command line and every ramdisk. */
  readonly image: boolean;
  /** What PCR2 extends: every ramdisk but the first. */
  readonly application: boolean;
}

/** An order to hash. */
export interface HashJob {
  readonly places: readonly HashPlace[];
  readonly role: HashRole;
  readonly shared: SharedArrayBuffer;
  readonly checksums: boolean;
  /** A file of this process to copy the sections to; whoever has a block's checksum to compute writes it. */
  readonly output?: number | undefined;
}

/** What a thread made of its part. */
export interface HashParts {
  readonly inner0?: Uint8Array;
  readonly inner1?: Uint8Array;
  readonly inner2?: Uint8Array;
  /** Digests by section; those that the other thread computed are absent. */
  readonly sections: ReadonlyMap<number, Uint8Array>;
}

/** A thread's answer; an error crosses threads as data, because classes do not. */
export type HashAnswer =
  { readonly parts: HashParts } | { readonly short: true } | { readonly failed: SystemFault };

/** What the operating system, or a bug, said. */
export interface SystemFault {
  readonly message: string;
  readonly code?: string | undefined;
  readonly syscall?: string | undefined;
}

/** The memory of one job, as each of its threads sees it. */
export class Shared {
  readonly memory: SharedArrayBuffer;
  /** Bytes of a section with one checksum. */
  readonly blockSize: number;
  readonly #words: Int32Array;
  readonly #firstBlocks: readonly number[];
  readonly #blocks: number;

  constructor(places: readonly HashPlace[], memory?: SharedArrayBuffer) {
    const total = places.reduce((sum, { size }) => sum + size, 0);
    this.blockSize = CHUNK * Math.max(1, Math.ceil(total / (CHUNK * MAX_BLOCKS)));
    let blocks = 0;
    this.#firstBlocks = places.map(({ size }) => {
      const first = blocks;
      blocks += Math.ceil(size / this.blockSize);
      return first;
    });
    this.#blocks = blocks;
    this.memory = memory ?? new SharedArrayBuffer(4 * (CLAIMS + places.length + 2 * blocks));
    this.#words = new Int32Array(this.memory);
  }

  /** Says that a chunk is done with. */
  countChunk(): void {
    Atomics.add(this.#words, DONE, 1);
  }

  /** Chunks that both threads are through with. */
  get chunks(): number {
    return Atomics.load(this.#words, DONE);
  }

  /** Whether the caller is the first who wants the digest of this section. */
  claimSection(section: number): boolean {
    return this.#claim(CLAIMS + section);
  }

  /** Whether the caller is the first who wants the checksum of this block of a section. */
  claimBlock(section: number, block: number): boolean {
    return this.#claim(this.#checksumAt(section, block) - 1);
  }

  /** Leaves the checksum of a claimed block for who joins them. */
  setChecksum(section: number, block: number, checksum: number): void {
    Atomics.store(this.#words, this.#checksumAt(section, block), checksum);
  }

  /** The checksum of a block. */
  checksum(section: number, block: number): number {
    return Atomics.load(this.#words, this.#checksumAt(section, block)) >>> 0;
  }

  #claim(word: number): boolean {
    return Atomics.compareExchange(this.#words, word, 0, 1) === 0;
  }

  #checksumAt(section: number, block: number): number {
    const sections = this.#firstBlocks.length;
    const at = (this.#firstBlocks[section] ?? this.#blocks) + block;
    return CLAIMS + sections + 2 * at + 1;
  }
}
