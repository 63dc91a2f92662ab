/**
 * CBOR through the strict reader: what it takes has one spelling, so that writing it again gives the same bytes.
 * @module
 */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { encodeCbor, equalBytes, ParseError, parseStrictCbor, type CborValue } from "@bootproof/bytes";
import { mutateBytes } from "../mutate.ts";
import type { Random } from "../random.ts";
import { attempt, Complaint, type Target } from "../target.ts";

const folder = path.resolve(import.meta.dirname, "../../../verify/vectors/nitro");
const DOCUMENTS = readdirSync(folder)
  .filter((name) => name.endsWith(".bin"))
  .sort()
  .map((name) => new Uint8Array(readFileSync(path.join(folder, name))));
const MOST_ITEMS = 1000;

/** Documents from the wild and values of our own, changed. */
export const cbor: Target = {
  name: "cbor",
  about: "CBOR through parseStrictCbor and encodeCbor",
  limit: 50,
  makeCase(random) {
    const start = random.oneIn(4) ? random.pick(DOCUMENTS).slice() : encodeCbor(value(random, 0)).slice();
    const bytes = random.oneIn(8) ? nested(random) : change(start, random);
    return {
      bytes,
      given: "parseStrictCbor",
      run: () =>
        attempt(
          (error) => error instanceof ParseError,
          () => ({ value: parseStrictCbor(bytes, "case", { maxDepth: 16, maxItems: MOST_ITEMS }) }),
        ),
      judge: (answer) => {
        const taken = answer as { readonly value: CborValue } | undefined;
        // What is refused strictly may be taken leniently, and must not break that either.
        const lenient = attempt(
          (error) => error instanceof ParseError,
          () => parseStrictCbor(bytes, "case", { lenient: true }),
        );
        if (taken === undefined) return "refused";
        if (lenient === undefined) throw new Complaint("taken strictly and refused leniently");
        if (!equalBytes(encodeCbor(taken.value), bytes)) throw new Complaint("another spelling was taken");
        return "accepted";
      },
    };
  },
};

const change = (bytes: Uint8Array<ArrayBuffer>, random: Random): Uint8Array =>
  random.oneIn(3) ? bytes : mutateBytes(bytes, random, DOCUMENTS);

/** Heads in heads, to overflow a stack, and lengths that promise more than there is. */
function nested(random: Random): Uint8Array {
  const head = random.pick([0x81, 0xa1, 0xc1, 0xd8, 0x9f, 0xbf, 0x9b, 0x5b, 0x7b, 0xbb]);
  return new Uint8Array(random.pick([1, 15, 16, 17, 18, 1000, 100_000])).fill(head);
}

function value(random: Random, depth: number): CborValue {
  const few = (): number => random.below(depth > 3 ? 1 : 4);
  switch (random.below(depth > 4 ? 5 : 8)) {
    case 0:
      return random.telling(5);
    case 1:
      return -1 - random.telling(5);
    case 2:
      return String.fromCharCode(...Array.from({ length: random.below(30) }, () => 32 + random.below(900)));
    case 3:
      return Uint8Array.from({ length: random.below(300) }, () => random.below(256));
    case 4:
      return random.pick([true, false, null, 2n ** 53n, -(2n ** 64n), 2n ** 64n - 1n]);
    case 5:
      return Array.from({ length: few() }, () => value(random, depth + 1));
    case 6:
      return new Map(
        Array.from({ length: few() }, (_, at) => [random.oneIn(2) ? at : `k${at}`, value(random, depth + 1)]),
      );
    default:
      return { tag: random.telling(18), value: value(random, depth + 1) };
  }
}
