import { describe, expect, it } from "vitest";

import { type ComparedSection, describeSections } from "./describe-sections.ts";

const section = (index: number, type = "CPUID", size = 0x1000): ComparedSection => ({
  index,
  type,
  guestAddress: 0x80_0000 + index * 0x1000,
  size,
});

describe("two lists of sections", () => {
  it("pair sections of one type where their numbers differ, instead of calling all new", () => {
    const a = [section(0), section(1, "SNP_SECRETS"), section(2, "SNP_SEC_MEM")];
    const b = [section(0), { ...section(1, "SNP_SEC_MEM"), guestAddress: 0x90_0000 }];
    expect(describeSections(a, b).map(({ what }) => what)).toEqual([
      "only A has SEV metadata section 1 (SNP_SECRETS), 0x1000 bytes at guest address 0x801000",
      "SEV metadata section 2 (SNP_SEC_MEM) has another guest address",
    ]);
  });

  it("name every field that differs", () => {
    const other = { ...section(0, "SNP_SECRETS", 0x2000), guestAddress: 0 };
    const [finding] = describeSections([section(0)], [other]);
    expect(finding?.details).toEqual([
      "type: CPUID and SNP_SECRETS",
      "guest address: 0x800000 and 0x0",
      "size: 0x1000 and 0x2000",
    ]);
  });

  it("of a hostile trace cost milliseconds, and are not told one by one", () => {
    const many = (length: number, size: number): ComparedSection[] =>
      Array.from({ length }, (_, index) => section(index, `type ${index}`, size));
    const start = performance.now();
    const told = describeSections(many(60_000, 1), many(60_001, 2));
    expect(performance.now() - start).toBeLessThan(3000);
    expect(told.at(-1)?.what).toBe("59969 more SEV metadata sections differ");
  });
});
