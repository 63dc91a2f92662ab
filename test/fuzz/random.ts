/**
 * Numbers that look random and are the same for the same seed, on every machine.
 * @module
 */

/** Values that parsers get wrong: the ends of ranges, and one beside them. */
const EDGES: readonly number[] = [
  0, 1, 2, 3, 7, 8, 15, 16, 17, 18, 24, 31, 32, 0x7f, 0x80, 0xff, 0x100, 0xfff, 0x1000, 0x1001, 0x7fff,
  0x8000, 0xfff0, 0xffff, 0x1_0000, 0x7fff_ffff, 0x8000_0000, 0xfff0_0000, 0xffff_f000, 0xffff_fff0,
  0xffff_ffff,
];

/** A stream of numbers. */
export class Random {
  #state: number;

  /** The stream of one case of a run; streams of neighbouring cases have nothing in common. */
  constructor(seed: number, index: number) {
    this.#state = mix(seed ^ 0x9e37_79b9) ^ mix(index + 0x85eb_ca6b);
  }

  /** 32 bits. */
  u32(): number {
    this.#state = (this.#state + 0x9e37_79b9) | 0;
    return mix(this.#state);
  }

  /** A number from 0 to below `limit`. */
  below(limit: number): number {
    return Math.floor((this.u32() / 0x1_0000_0000) * limit);
  }

  /** True once in `times`. */
  oneIn(times: number): boolean {
    return this.below(times) === 0;
  }

  /** One of these. */
  pick<T>(choices: readonly T[]): T {
    const choice = choices[this.below(choices.length)];
    if (choice === undefined) throw new RangeError("nothing to pick from");
    return choice;
  }

  /** A u32 that is likely to matter: an edge, near `around`, or any. */
  telling(around: number): number {
    switch (this.below(4)) {
      case 0:
        return this.pick(EDGES);
      case 1:
        return (around + this.pick([-0x1000, -0x10, -2, -1, 1, 2, 0x10, 0x1000])) >>> 0;
      case 2:
        return (this.below(0x10_0000) * 0x1000) >>> 0;
      default:
        return this.u32();
    }
  }
}

/** The finaliser of MurmurHash3: every bit of the input reaches every bit of the answer. */
function mix(value: number): number {
  let hash = value | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
