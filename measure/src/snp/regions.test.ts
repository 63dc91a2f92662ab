import { describe, expect, it } from "vitest";
import { formatHex, sha384 } from "@bootproof/bytes";
import { measureRegions, type MeasuredRegion, prepareRegions } from "./regions.ts";
import { snpProfile } from "./profiles.ts";
import { prepareSnp } from "./launch.ts";
import { resolveShape } from "./shape.ts";
import { suffix } from "./vectors.testing.ts";

const page = (value: number, pages = 1): Uint8Array => new Uint8Array(pages * 4096).fill(value);
const regions: MeasuredRegion[] = [
  { guestAddress: 0xffff0000n, bytes: page(1, 16) },
  { guestAddress: 0x1000000n, bytes: page(2, 3) },
];
const shape = { vcpus: 3 };

describe("libkrun guests: regions, fixed pages, VMSAs, in the order of its source", () => {
  it("measures each page in its place", () => {
    const { events, registers, warnings, shape: said } = measureRegions(regions, shape);
    const pages = events.map(({ type, guestAddress }) => `${type} 0x${guestAddress.toString(16)}`);
    expect(pages.slice(15)).toEqual([
      "NORMAL 0xfffff000",
      "NORMAL 0x1000000",
      "NORMAL 0x1001000",
      "NORMAL 0x1002000",
      "ZERO 0x0",
      "SECRETS 0x5000",
      "CPUID 0x6000",
      ...[8, 9, 0xa, 0xb, 0xc, 0xd, 0xe].map((page) => `ZERO 0x${page.toString(16)}000`),
      ...Array<string>(3).fill("VMSA 0xfffffffff000"),
    ]);
    expect(events[0]!.digest).toEqual(sha384(page(1)));
    expect(events.at(-1)!.digest).toEqual(events.at(-2)!.digest);
    expect(events.at(-3)!.digest).not.toEqual(events.at(-2)!.digest);
    expect(said).toMatchObject({ profile: "libkrun", vmm: "libkrun", cpuSignature: "0x0" });
    expect(warnings.map(({ code }) => code)).toEqual(["BP-SNP-117"]);
    const last = [...measureRegions(regions, shape).trace()].at(-1)!;
    expect(formatHex(last.after)).toBe(registers["launchDigest"]);
  });

  it("sees the order of regions and where they are, and any byte", () => {
    const [first, second] = regions as [MeasuredRegion, MeasuredRegion];
    const changed = page(2, 3);
    changed[0x2fff] = 3;
    const digests = [
      regions,
      [second, first],
      [first, { ...second, guestAddress: 0x1001000n }],
      [first, { ...second, bytes: changed }],
    ].map((given) => measureRegions(given, shape).registers["launchDigest"]);
    expect(new Set(digests).size).toBe(4);
  });

  it.each<[string, MeasuredRegion[], string]>([
    ["none", [], "measured regions"],
    ["an empty one", [{ guestAddress: 0x100000n, bytes: page(1, 0) }], "size of region 0"],
    ["part of a page", [{ guestAddress: 0x100000n, bytes: page(1).subarray(1) }], "size of region 0"],
    ["an unaligned address", [{ guestAddress: 0x100001n, bytes: page(1) }], "guest address of region 0"],
    ["a negative address", [{ guestAddress: -4096n, bytes: page(1) }], "guest address of region 0"],
    ["an address beyond 52 bits", [{ guestAddress: 1n << 52n, bytes: page(1) }], "end of region 0"],
    ["a page twice", [...regions, { guestAddress: 0x1002000n, bytes: page(1) }], "end of region 1"],
    ["a page of libkrun's own", [{ guestAddress: 0x6000n, bytes: page(1) }], "end of"],
  ])("refuses %s", (_, given, at) => {
    expect(() => prepareRegions(given)).toThrow(at);
    expect(() => prepareRegions(given)).toThrow(expect.objectContaining({ name: "ParseError" }) as Error);
  });

  it("refuses regions for a VMM that boots OVMF, and OVMF for libkrun", () => {
    const wrong = expect.objectContaining({ code: "BP-SNP-010" }) as Error;
    expect(() => measureRegions(regions, { ...shape, cpu: "EPYC", profile: "qemu" })).toThrow(wrong);
    const krun = snpProfile("libkrun");
    expect(() => prepareSnp(suffix("ovmf_AmdSev_suffix.bin"), undefined, krun)).toThrow(wrong);
    expect(prepareRegions(regions).digest(resolveShape({ ...shape, vmm: "libkrun" }))).toHaveLength(48);
  });
});
