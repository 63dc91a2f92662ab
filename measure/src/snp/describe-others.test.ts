import { describe, expect, it } from "vitest";

import { explain } from "../explain/index.ts";
import type { Side } from "../explain/side.ts";

describe("explaining what nobody foresaw", () => {
  const document = (shape: object, sha: string): Side => ({
    platform: "snp",
    shape: { ...shape },
    registers: { launchDigest: sha.repeat(96) },
    inputs: [{ role: "svsm", size: 4096, sha256: sha.repeat(64) }],
    artifacts: {},
  });

  it("names other files and other fields of a shape by their names", () => {
    const { first, others } = explain(document({ somethingNew: 1 }, "a"), document({ somethingNew: 2 }, "b"));
    expect([first?.what, ...others.map(({ what }) => what)]).toEqual([
      "the file svsm differs",
      "the shapes differ in somethingNew",
    ]);
  });

  it("says so when registers differ and nothing else does", () => {
    const [a, b] = [document({}, "a"), { ...document({}, "a"), registers: { launchDigest: "b".repeat(96) } }];
    expect(explain(a, b)).toMatchObject({ verdict: "differs", others: [] });
    expect(explain(a, b).next[0]).toMatch(/--trace --json/);
  });
});
