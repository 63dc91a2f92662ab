import { describe, expect, it } from "vitest";
import fc from "fast-check";
import { formatDigest, formatHex, sha384, utf8 } from "@bootproof/bytes";
import { replay } from "../replay.ts";
import { extendLaunchDigest, LAUNCH_DIGEST, PAGE_TYPE, type PageType, START } from "./page-info.ts";
import { extendRuns, hashPages, normalRun, type PageRun, runEvents } from "./page-run.ts";

const start = START[LAUNCH_DIGEST];

describe("page runs: the fast way must give what the events give", () => {
  it("folds any runs to what a replay of their events gives", () => {
    const run = fc
      .record({
        type: fc.constantFrom(...(Object.keys(PAGE_TYPE) as PageType[])),
        page: fc.bigInt({ min: 0n, max: (1n << 52n) - 1n }),
        bytes: fc.uint8Array({ maxLength: 9000 }),
        hashed: fc.boolean(),
        advances: fc.boolean(),
      })
      .map(({ type, page, bytes, hashed, advances }): PageRun => ({
        ...normalRun(bytes, page << 12n, "run", "firmware"),
        type,
        advances,
        ...(!hashed && { contents: undefined }),
      }));
    fc.assert(
      fc.property(fc.array(run, { maxLength: 5 }), (runs) => {
        const replayed = replay(START, extendLaunchDigest, runEvents(runs))[LAUNCH_DIGEST];
        expect(formatHex(extendRuns(start, runs))).toBe(formatHex(replayed!));
      }),
    );
  });

  it("pads the last page with zeros and says where each page is in its file", () => {
    const bytes = new Uint8Array(5000).fill(1);
    const padded = new Uint8Array(4096);
    padded.fill(1, 0, 904);
    expect(hashPages(bytes).subarray(48)).toEqual(sha384(padded));
    const [, second] = [...runEvents([normalRun(bytes, 0x1000n, "run", "firmware")])];
    expect(second).toMatchObject({ guestAddress: 0x2000n, source: { offset: 4096, length: 4096 } });
    expect(hashPages(new Uint8Array())).toHaveLength(0);
  });

  it("equals the chains of google/gce-tcb-verifier's unit tests", () => {
    const bytes = new Uint8Array(12288);
    bytes.set(utf8("LGTM".repeat(4)));
    bytes.set(utf8("LGTM".repeat(4)), 12288 - 16);
    const data = extendRuns(start, [normalRun(bytes, 0n, "data", "firmware")]);
    expect(formatDigest(data)).toBe(
      "cba1cd767c33b30f96271837dbbae4081a945464a5af397b9b0336b5d8759ee88cc6b62c05d915c4424a9ac5747437d4",
    );
    const zeros: PageRun = {
      type: "ZERO",
      guestAddress: 0x9000n,
      pages: 3,
      contents: undefined,
      label: "zeros",
      source: { artifact: "vmm" },
      advances: false,
    };
    expect(formatDigest(extendRuns(start, [zeros]))).toBe(
      "4bfe18477ba370a50329da74b9621e721c4f29663176e08fbcf088a17c1bc45f133898b86d5082acbe202a6e9419808a",
    );
  });
});
