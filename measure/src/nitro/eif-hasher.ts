/**
 * Everything that a measurement needs of an EIF, in one pass over its bytes and without holding any of them.
 * What the PCRs extend is one SHA-384 over the data of several sections, with nothing between them:
 * `inner0` over kernel, command line and every ramdisk, `inner1` over kernel, command line and the first ramdisk,
 * `inner2` over the other ramdisks, each in file order (aws-nitro-enclaves-image-format, `utils/eif_reader.rs`).
 * @module
 */
import { EIF_CRC_OFFSET, EIF_HEADER_SIZE, EIF_SECTION_HEADER_SIZE } from "@bootproof/boot/eif";
import { crc32, type HashState, type Sha384, startHash } from "@bootproof/bytes";
import { type HashedSection, isMeasured, type PlannedSection } from "./section.ts";

/**
 * A part of the work, so that two threads can share it: `image` is inner0 and inner1, `application` is inner2,
 * `sections` the digest of each section, `crc` the header's checksum.
 */
export type EifChain = "image" | "application" | "sections" | "crc";

/** What came of one chain or several; a value is absent when its chain was not asked for. */
export interface EifDigestParts {
  readonly inner0?: Sha384;
  readonly inner1?: Sha384;
  readonly inner2?: Sha384;
  readonly sections?: readonly HashedSection[];
  /** CRC-32 of the file; absent too when sections were given without their headers. */
  readonly crc32?: number;
}

/** What {@link measureNitro} takes. */
export interface EifDigests extends EifDigestParts {
  readonly inner0: Sha384;
  readonly inner1: Sha384;
  readonly inner2: Sha384;
  readonly sections: readonly HashedSection[];
}

/** How the bytes come. */
export interface EifHasherOptions {
  /** All by default. */
  readonly chains?: readonly EifChain[];
  /**
   * With headers, as in a file (the default): 548 bytes, then each section's 12 and its data. Without: only the data of
   * the sections, one after the other.
   */
  readonly headers?: boolean;
  /** A faster CRC-32 than the portable one. */
  readonly crc32?: (bytes: Uint8Array, previous: number) => number;
}

/** Bytes that all go to the same hashes. */
interface Span {
  readonly end: number;
  /** Undefined for bytes that only the CRC takes, or nobody. */
  readonly section: number | undefined;
  readonly inCrc: boolean;
}

/** Hashes an EIF that is fed in order, in chunks of any size. */
export class EifHasher {
  readonly #sections: readonly PlannedSection[];
  readonly #spans: readonly Span[];
  readonly #crcOf: NonNullable<EifHasherOptions["crc32"]>;
  readonly #inner: InnerHashes;
  readonly #digests: HashState[];
  #crc: number | undefined;
  #position = 0;
  #span = 0;

  constructor(sections: readonly PlannedSection[], options: EifHasherOptions = {}) {
    const { chains = ["image", "application", "sections", "crc"], headers = true } = options;
    this.#sections = sections;
    this.#spans = spansOf(sections, headers);
    this.#crcOf = options.crc32 ?? crc32;
    this.#crc = headers && chains.includes("crc") ? 0 : undefined;
    this.#inner = new InnerHashes(sections, chains.includes("image"), chains.includes("application"));
    this.#digests = chains.includes("sections") ? sections.map(() => startHash("sha384")) : [];
  }

  /** How many bytes there are to feed. */
  get size(): number {
    return this.#spans.at(-1)?.end ?? 0;
  }

  /** Takes the next bytes; throws {@link RangeError} when they are not the next, or more than there should be. */
  update(chunk: Uint8Array, offset: number = this.#position): void {
    if (offset !== this.#position)
      throw new RangeError(`EIF bytes out of order: expected offset ${this.#position}, got ${offset}`);
    if (chunk.length > this.size - offset)
      throw new RangeError(`${offset + chunk.length} EIF bytes where ${this.size} were planned`);
    let start = 0;
    while (start < chunk.length) {
      const span = this.#spans[this.#span];
      if (span === undefined) break;
      const stop = Math.min(chunk.length, span.end - offset);
      if (stop > start) this.#take(span, chunk.subarray(start, stop));
      start = stop;
      if (offset + stop === span.end) this.#span++;
    }
    this.#position += chunk.length;
  }

  /** Ends the hashes; throws {@link RangeError} when bytes are missing. */
  finish(): EifDigestParts {
    if (this.#position !== this.size)
      throw new RangeError(`${this.#position} EIF bytes where ${this.size} were planned`);
    const digests = this.#digests.map((state) => state.digest() as Sha384);
    return {
      ...this.#inner.finish(),
      ...(digests.length > 0 && {
        sections: this.#sections.map(({ type, size }, index) => ({
          type,
          size,
          sha384: digests[index] ?? missing("section digest"),
        })),
      }),
      ...(this.#crc !== undefined && { crc32: this.#crc }),
    };
  }

  #take({ section, inCrc }: Span, bytes: Uint8Array): void {
    if (inCrc && this.#crc !== undefined) this.#crc = this.#crcOf(bytes, this.#crc);
    if (section === undefined) return;
    this.#inner.update(section, bytes);
    this.#digests[section]?.update(bytes);
  }
}

/** The three hashes behind PCR0, PCR1 and PCR2. */
class InnerHashes {
  readonly #takers: readonly Takers[];
  #image: HashState | undefined;
  /** Undefined as long as it has taken the same bytes as the image's. */
  #boot: HashState | undefined;
  readonly #application: HashState | undefined;

  constructor(sections: readonly PlannedSection[], image: boolean, application: boolean) {
    this.#takers = takersOf(sections);
    this.#image = image ? startHash("sha384") : undefined;
    this.#application = application ? startHash("sha384") : undefined;
  }

  update(section: number, bytes: Uint8Array): void {
    const takers = this.#takers[section];
    if (takers?.image !== true) return;
    // The copy is what makes a second pass over the kernel and the first ramdisk needless.
    if (!takers.boot) this.#boot ??= this.#image?.copy();
    this.#image?.update(bytes);
    if (takers.boot) this.#boot?.update(bytes);
    else this.#application?.update(bytes);
  }

  finish(): EifDigestParts {
    const boot = this.#boot ?? this.#image?.copy();
    return {
      ...(this.#image && boot && { inner0: sha384Of(this.#image), inner1: sha384Of(boot) }),
      ...(this.#application && { inner2: sha384Of(this.#application) }),
    };
  }
}

/** Which hashes take a section: the image's, and of those the boot's or else the application's. */
interface Takers {
  readonly image: boolean;
  readonly boot: boolean;
}

function takersOf(sections: readonly PlannedSection[]): Takers[] {
  const first = sections.findIndex(({ type }) => type === "ramdisk");
  return sections.map((section, index) => ({
    image: isMeasured(section),
    boot: section.type !== "ramdisk" || index === first,
  }));
}

function spansOf(sections: readonly PlannedSection[], headers: boolean): Span[] {
  let end = headers ? EIF_HEADER_SIZE : 0;
  const spans: Span[] = headers
    ? [
        { end: EIF_CRC_OFFSET, section: undefined, inCrc: true },
        { end, section: undefined, inCrc: false },
      ]
    : [];
  for (const [section, { size }] of sections.entries()) {
    if (!Number.isSafeInteger(size) || size < 0) throw new RangeError(`section ${section} of ${size} bytes`);
    if (headers) spans.push({ end: (end += EIF_SECTION_HEADER_SIZE), section: undefined, inCrc: true });
    spans.push({ end: (end += size), section, inCrc: true });
  }
  return spans;
}

/** Puts together what several threads made of one EIF; throws {@link RangeError} when a part is missing. */
export function joinEifDigests(...parts: readonly EifDigestParts[]): EifDigests {
  const joined = Object.assign({}, ...parts) as EifDigestParts;
  const { inner0, inner1, inner2, sections } = joined;
  return {
    ...joined,
    inner0: inner0 ?? missing("inner0"),
    inner1: inner1 ?? missing("inner1"),
    inner2: inner2 ?? missing("inner2"),
    sections: sections ?? missing("sections"),
  };
}

const sha384Of = (state: HashState): Sha384 => state.digest() as Sha384;

function missing(part: string): never {
  throw new RangeError(`no ${part} of the EIF was computed`);
}
