import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { type CoverageClaim, mapCoverage, summariseCoverage } from "./coverage-map.ts";

const claim = (offset: number, length: number, through = "page"): CoverageClaim => ({
  artifact: "firmware",
  offset,
  length,
  register: "R",
  through,
});

const ranges = (size: number, claims: CoverageClaim[]): string[] =>
  mapCoverage([{ role: "firmware", size, unseen: "padding" }], claims, []).artifacts[0]!.ranges.map(
    ({ offset, length, seen, why }) =>
      `${offset}+${length} ${seen.map((it) => it.through).join(",")}${why ?? ""}`,
  );

describe("the coverage of an input", () => {
  it("names the bytes that nobody sees, or people rely on a register that is blind", () => {
    expect(ranges(100, [claim(10, 20), claim(50, 10)])).toEqual([
      "0+10 padding",
      "10+20 page",
      "30+20 padding",
      "50+10 page",
      "60+40 padding",
    ]);
    expect(ranges(100, [])).toEqual(["0+100 padding"]);
  });

  it("joins neighbours with one answer", () => {
    expect(ranges(30, [claim(0, 10), claim(10, 10), claim(20, 10)])).toEqual(["0+30 page"]);
  });

  it("names every way in which bytes are seen", () => {
    expect(ranges(30, [claim(0, 30), claim(10, 5, "type")])).toEqual([
      "0+10 page",
      "10+5 page,type",
      "15+15 page",
    ]);
  });

  it("ends where the input does, whatever is claimed", () => {
    expect(ranges(10, [claim(5, 100), claim(50, 1)])).toEqual(["0+5 padding", "5+5 page"]);
    expect(ranges(0, [claim(0, 1)])).toEqual([]);
  });

  it("answers for each byte what its claims say", () => {
    const some = fc.array(
      fc
        .tuple(fc.nat(50), fc.integer({ min: 1, max: 50 }), fc.constantFrom("x", "y"))
        .map((it) => claim(...it)),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(some, fc.integer({ min: 1, max: 80 }), (claims, size) => {
        const map = mapCoverage([{ role: "firmware", size, unseen: "padding" }], claims, []);
        const found = map.artifacts[0]!.ranges;
        let at = 0;
        for (const { offset, length, seen } of found) {
          expect(offset).toBe(at);
          for (let byte = offset; byte < offset + length; byte++) {
            const want = claims.filter((it) => it.offset <= byte && byte < it.offset + it.length);
            expect(seen.map(({ through }) => through)).toEqual(
              [...new Set(want.map((it) => it.through))].sort(),
            );
          }
          at += length;
        }
        expect(at).toBe(size);
      }),
    );
  });

  it("says in short what is seen in part only", () => {
    const map = mapCoverage(
      [{ role: "firmware", size: 100, unseen: "padding" }],
      [claim(0, 90)],
      [
        { name: "vCPUs", register: "R", through: "VMSA" },
        { name: "policy", why: "elsewhere" },
      ],
    );
    expect(summariseCoverage(map)).toEqual({
      covered: [
        { input: "firmware", register: "R", through: "page" },
        { input: "vCPUs", register: "R", through: "VMSA" },
      ],
      notCovered: [
        { input: "firmware, 10 bytes of it", why: "padding" },
        { input: "policy", why: "elsewhere" },
      ],
    });
  });
});
