import { describe, expect, it } from "vitest";

import { parseList, parseNumbers } from "./number-list.ts";

describe("axes as people type them", () => {
  it("reads numbers and ranges in the order typed, each once", () => {
    expect(parseNumbers("--vcpus", "4,1..3,2,0x10", 512)).toEqual([4, 1, 2, 3, 16]);
    expect(parseNumbers("--vcpus", "2-4", 512)).toEqual([2, 3, 4]);
    expect(parseList("--vcpu-type", "EPYC-v4,EPYC-Genoa")).toEqual(["EPYC-v4", "EPYC-Genoa"]);
  });

  it.each(["", "1,,2", "1..", "..3", "3..1", "1..2..3", "1e3", "513", "-1", "1,1", "1-"])(
    "refuses %o instead of measuring something else",
    (text) => {
      expect(() => parseNumbers("--vcpus", text, 512)).toThrow("--vcpus has a value that cannot be read");
    },
  );

  it("refuses a range of billions before it makes the numbers", () => {
    const detail = expect.objectContaining({ expected: "at most 4096 values" }) as object;
    expect(() => parseNumbers("--vcpus", "1..4294967295", 0xffff_ffff)).toThrow(
      expect.objectContaining({ detail }) as Error,
    );
  });
});
