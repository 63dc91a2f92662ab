import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { differences, MAX_STRETCHES } from "./byte-differences.ts";

describe("differences of two byte strings", () => {
  it("are none where there are none", () => {
    expect(differences(Uint8Array.of(1, 2), Uint8Array.of(1, 2))).toBeUndefined();
  });

  it("name the first byte, or people look in the wrong place", () => {
    const a = new Uint8Array(100);
    const b = a.with(40, 1).with(42, 1).with(90, 1);
    expect(differences(a, b)).toEqual({
      first: 40,
      count: 3,
      stretches: [
        { offset: 40, length: 3, count: 2 },
        { offset: 90, length: 1, count: 1 },
      ],
    });
  });

  it("stay bounded: the last stretch takes what is too much to list", () => {
    const a = new Uint8Array(MAX_STRETCHES * 40);
    const b = a.map((_, offset) => (offset % 20 === 0 ? 1 : 0));
    const found = differences(a, b);
    expect(found?.stretches.length).toBe(MAX_STRETCHES);
    expect(found?.count).toBe(MAX_STRETCHES * 2);
  });

  it("cover exactly the bytes that differ", () => {
    const bytes = fc.uint8Array({ minLength: 200, maxLength: 200, max: 1 });
    fc.assert(
      fc.property(bytes, bytes, (a, b) => {
        const wrong = [...a.keys()].filter((offset) => a[offset] !== b[offset]);
        const found = differences(a, b);
        expect(found?.count ?? 0).toBe(wrong.length);
        for (const offset of wrong)
          expect(found?.stretches.some((it) => it.offset <= offset && offset < it.offset + it.length)).toBe(
            true,
          );
      }),
    );
  });
});
