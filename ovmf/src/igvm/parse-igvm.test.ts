import { describe, expect, it } from "vitest";
import fc from "fast-check";
import { crc32, ParseError } from "@bootproof/bytes";
import { describeIgvm } from "./describe-igvm.ts";
import {
  buildIgvm,
  corim,
  errorRange,
  type FileParts,
  guestPolicy,
  header,
  type HeaderPart,
  idBlock,
  PAGE,
  pageData,
  pageTableRelocation,
  parameter,
  parameterArea,
  parameterInsert,
  platform,
  PLATFORM,
  relocatableRegion,
  requiredMemory,
  vpContext,
} from "./build-igvm.ts";
import { parseIgvm } from "./parse-igvm.ts";

const code = (expected: string) => expect.objectContaining({ name: "ParseError", code: expected }) as Error;
const page = (byte: number) => new Uint8Array(PAGE).fill(byte);
const OPTIONAL = 0x8000_0777;

/** A file with every kind of header that an x64 file can have. */
const everything: HeaderPart[] = [
  platform(),
  platform({ mask: 2, type: PLATFORM.vsm, vtl: 2 }),
  platform({ mask: 4, type: PLATFORM.sev, boundary: 0x1000n }),
  header(OPTIONAL, new Uint8Array(5)),
  guestPolicy(),
  relocatableRegion(),
  pageTableRelocation(),
  corim(false, page(9)),
  corim(true, new Uint8Array(7)),
  requiredMemory(0x10_0000n, 0x2000, 1),
  parameterArea(3, 0x3000n, new Uint8Array(0x3000)),
  parameter(0x309, 3, 8),
  parameterInsert(0x8000n, 3),
  pageData({ address: 0x1000n, data: page(1) }),
  pageData({ address: 0x2000n, data: page(2) }),
  pageData({ address: 0x20_0000n, flags: 7 }),
  pageData({ address: 0x5000n, type: 2, mask: 3 }),
  header(OPTIONAL + 1, new Uint8Array(0)),
  errorRange(0x9000n, 10),
  header(0x311, new Uint8Array(864)),
  vpContext({ mask: 2 }),
  vpContext({ vpIndex: 1, data: page(7) }),
  idBlock(new Uint8Array(48).fill(0xab)),
];
const whole = buildIgvm({ headers: everything });

describe("IGVM files: what a VMM will build is what we read", () => {
  it("reads every kind of header of a file, with its place and data", () => {
    const { platforms, initialization, directives, ...file } = parseIgvm(whole);
    expect(file).toMatchObject({ version: 1, architecture: "x64", size: whole.length });
    expect(platforms.map((found) => [found.platform, found.mask, found.highestVtl])).toEqual([
      ["snp", 1, 0],
      ["vsm", 2, 2],
      ["sev", 4, 0],
    ]);
    expect(initialization.map(({ kind }) => kind)).toEqual([
      "OPTIONAL",
      "GUEST_POLICY",
      "RELOCATABLE_REGION",
      "PAGE_TABLE_RELOCATION_REGION",
      "CORIM_DOCUMENT",
      "CORIM_SIGNATURE",
    ]);
    expect(directives.map(({ kind }) => kind)).toEqual([
      "REQUIRED_MEMORY",
      "PARAMETER_AREA",
      "PARAMETER",
      "PARAMETER_INSERT",
      "PAGE_DATA",
      "PAGE_DATA",
      "PAGE_DATA",
      "PAGE_DATA",
      "OPTIONAL",
      "ERROR_RANGE",
      "FOREIGN",
      "VP_CONTEXT",
      "VP_CONTEXT",
      "SNP_ID_BLOCK",
    ]);
    expect([...initialization, ...directives].map(({ index }) => index)).toEqual(
      Array.from({ length: 20 }, (_, index) => index + 3),
    );
    expect(directives[3]).toMatchObject({ guestAddress: 0x8000n, area: 3, size: 0x3000 });
    expect(directives[5]).toMatchObject({ guestAddress: 0x2000n, size: PAGE, data: page(2) });
    expect(directives[6]).toMatchObject({ size: 0x20_0000, unmeasured: true, shared: true, fileOffset: 0 });
    expect(directives[12]).toMatchObject({ platform: "snp", vpIndex: 1, data: page(7) });
    expect(directives[13]).toMatchObject({ launchDigest: new Uint8Array(48).fill(0xab), version: 1 });
  });

  it("reads format version 2, whose fixed header is longer", () => {
    expect(parseIgvm(buildIgvm({ version: 2, headers: [platform(), vpContext()] }))).toMatchObject({
      version: 2,
      architecture: "x64",
    });
    const cca = [platform({ type: PLATFORM.cca }), header(0x106, new Uint8Array(32))];
    expect(parseIgvm(buildIgvm({ version: 2, architecture: 1, headers: cca })).architecture).toBe("aarch64");
  });

  it("shows pages that continue each other as one row", () => {
    const { rows, platforms } = describeIgvm(parseIgvm(whole), whole);
    expect(platforms[0]).toEqual({ platform: "snp", mask: "0x1", highestVtl: 0, sharedGpaBoundary: "0x0" });
    expect(rows.filter(({ type }) => type === "PAGE_DATA")).toEqual([
      expect.objectContaining({ index: 13, headers: 2, guestAddress: "0x1000", size: 2 * PAGE }),
      expect.objectContaining({ index: 15, headers: 1, size: 0x20_0000, platforms: ["snp"] }),
      expect.objectContaining({
        index: 16,
        detail: "CPUID_DATA, 4 KiB pages, no data",
        platforms: ["snp", "vsm"],
      }),
    ]);
    expect(rows.map(({ type }) => type)).toContain("MADT");
  });
});

const snp = platform();
const files: [string, FileParts, string][] = [
  ["a format version nobody wrote", { version: 3, headers: [snp] }, "UNSUPPORTED"],
  ["an architecture without a number", { version: 2, architecture: 2, headers: [snp] }, "UNSUPPORTED"],
  ["pages of another size", { version: 2, pageSize: 0x1_0000, headers: [snp] }, "UNSUPPORTED"],
  ["a total size of other than the file", { totalSize: 100, headers: [snp] }, "OUT_OF_RANGE"],
  ["headers that start inside the fixed header", { headersStart: 16, headers: [snp] }, "OUT_OF_RANGE"],
  ["headers that end behind the file", { headersSize: 0x1_0000, headers: [snp] }, "OUT_OF_RANGE"],
  ["headers that end with the file", { trailer: new Uint8Array(), headers: [snp] }, "OUT_OF_RANGE"],
  ["headers whose size overflows", { headersSize: 0xffff_ffff, headers: [snp] }, "OUT_OF_RANGE"],
  ["a checksum of other headers", { checksum: 1, headers: [snp] }, "BAD_DIGEST"],
  ["no platform", { headers: [guestPolicy()] }, "MISSING"],
  ["no header at all", { headers: [] }, "MISSING"],
];

const rejections: [string, HeaderPart[], string][] = [
  ["a type that may not be skipped", [snp, header(0x777, new Uint8Array(8))], "UNSUPPORTED"],
  ["a known type with bit 31 of another length", [snp, header(0x302, new Uint8Array(16))], "OUT_OF_RANGE"],
  ["a length beyond the headers", [snp, header(0x302, new Uint8Array(24), undefined, 4096)], "TRUNCATED"],
  [
    "a length of four billion",
    [snp, header(OPTIONAL, new Uint8Array(0), undefined, 0xffff_fff8)],
    "TRUNCATED",
  ],
  [
    "padding with something in it",
    [snp, header(OPTIONAL, new Uint8Array(8).fill(1), undefined, 4)],
    "NOT_ZERO",
  ],
  ["a platform behind the policy", [snp, guestPolicy(), platform({ mask: 2, type: 0 })], "OUT_OF_RANGE"],
  ["a policy behind a directive", [snp, parameterArea(0, 0n), guestPolicy()], "OUT_OF_RANGE"],
  ["a platform mask of no bit", [platform({ mask: 0 })], "OUT_OF_RANGE"],
  ["a platform mask of two bits", [platform({ mask: 3 })], "OUT_OF_RANGE"],
  ["a VTL of 1", [platform({ vtl: 1 })], "OUT_OF_RANGE"],
  ["a platform without a name", [platform({ type: 7 })], "OUT_OF_RANGE"],
  ["a platform version of 2", [platform({ version: 2 })], "OUT_OF_RANGE"],
  ["shared memory on a native platform", [platform({ type: 0, boundary: 1n })], "OUT_OF_RANGE"],
  ["an Arm platform on x64", [platform({ type: PLATFORM.cca })], "OUT_OF_RANGE"],
  ["one platform twice", [snp, platform({ mask: 2 })], "DUPLICATE"],
  ["one mask twice", [snp, platform({ type: 0 })], "DUPLICATE"],
  ["a reserved field of the policy", [snp, guestPolicy(0n, 1, 1)], "NOT_ZERO"],
  ["a relocation alignment of 0", [snp, relocatableRegion({ alignment: 0n })], "OUT_OF_RANGE"],
  ["a relocation alignment inside a page", [snp, relocatableRegion({ alignment: 8n })], "OUT_OF_RANGE"],
  ["a relocation of half a page", [snp, relocatableRegion({ size: 0x800n })], "OUT_OF_RANGE"],
  ["a relocation off its alignment", [snp, relocatableRegion({ address: 1n })], "OUT_OF_RANGE"],
  ["a lower bound off its alignment", [snp, relocatableRegion({ minimum: 1n })], "OUT_OF_RANGE"],
  ["an upper bound off its alignment", [snp, relocatableRegion({ maximum: 1n })], "OUT_OF_RANGE"],
  ["page tables off a page", [snp, pageTableRelocation(1n)], "OUT_OF_RANGE"],
  ["page tables of half a page", [snp, pageTableRelocation(0n, 0x800n)], "OUT_OF_RANGE"],
  ["more page tables than there is room", [snp, pageTableRelocation(0n, 0x1000n, 0x2000n)], "OUT_OF_RANGE"],
  ["a reserved field of page tables", [snp, pageTableRelocation(0n, 0x1000n, 0x1000n, 1)], "NOT_ZERO"],
  ["two CoRIM documents", [snp, corim(false, page(1)), corim(false, page(1))], "DUPLICATE"],
  ["a CoRIM signature without a document", [snp, corim(true, page(1))], "MISSING"],
  [
    "two CoRIM signatures",
    [snp, corim(false, page(1)), corim(true, page(1)), corim(true, page(1))],
    "DUPLICATE",
  ],
  ["a page off a page", [snp, pageData({ address: 0x800n })], "OUT_OF_RANGE"],
  ["page data of a fifth kind", [snp, pageData({ address: 0n, type: 4 })], "OUT_OF_RANGE"],
  ["a page flag nobody defined", [snp, pageData({ address: 0n, flags: 8 })], "OUT_OF_RANGE"],
  ["a reserved field of a page", [snp, pageData({ address: 0n, reserved: 1 })], "NOT_ZERO"],
  ["page data inside the headers", [snp, pageData({ address: 0n, offset: 8 })], "OUT_OF_RANGE"],
  ["page data behind the file", [snp, pageData({ address: 0n, offset: 0x7fff_f000 })], "OUT_OF_RANGE"],
  [
    "page data that the file cuts off",
    [snp, pageData({ address: 0n, data: page(1).subarray(1) })],
    "OUT_OF_RANGE",
  ],
  ["an area of half a page", [snp, parameterArea(0, 0x800n)], "OUT_OF_RANGE"],
  ["an area of 2^63 bytes", [snp, parameterArea(0, 0x8000_0000_0000_0000n)], "TOO_LARGE"],
  ["an area whose data is cut off", [snp, parameterArea(0, 0x2000n, page(1))], "OUT_OF_RANGE"],
  ["one area twice", [snp, parameterArea(0, 0x1000n), parameterArea(0, 0x1000n)], "DUPLICATE"],
  ["an area that nobody declared", [snp, parameterInsert(0n, 0)], "MISSING"],
  ["a parameter for an area that nobody declared", [snp, parameter(0x309, 1)], "MISSING"],
  [
    "an area inserted twice",
    [snp, parameterArea(0, 0x1000n), parameterInsert(0n, 0), parameterInsert(0x2000n, 0)],
    "DUPLICATE",
  ],
  [
    "a parameter behind the insertion of its area",
    [snp, parameterArea(0, 0x1000n), parameterInsert(0n, 0), parameter(0x309, 0)],
    "DUPLICATE",
  ],
  ["an area inserted off a page", [snp, parameterArea(0, 0x1000n), parameterInsert(8n, 0)], "OUT_OF_RANGE"],
  ["a context of no platform", [snp, vpContext({ mask: 2 })], "OUT_OF_RANGE"],
  [
    "a context of two platforms",
    [snp, platform({ mask: 2, type: 0 }), vpContext({ mask: 3 })],
    "OUT_OF_RANGE",
  ],
  ["a context of TDX", [platform({ type: PLATFORM.tdx }), vpContext()], "OUT_OF_RANGE"],
  ["a context without data", [snp, vpContext({ offset: 0 })], "OUT_OF_RANGE"],
  ["a context cut off", [snp, vpContext({ data: page(1).subarray(1) })], "OUT_OF_RANGE"],
  ["a context off a page", [snp, vpContext({ address: 1n })], "OUT_OF_RANGE"],
  ["a reserved field of a context", [snp, vpContext({ reserved: 1 })], "NOT_ZERO"],
  ["required memory off a page", [snp, requiredMemory(8n, 0x1000)], "OUT_OF_RANGE"],
  ["required memory of half a page", [snp, requiredMemory(0n, 0x800)], "OUT_OF_RANGE"],
  ["a flag of required memory", [snp, requiredMemory(0n, 0x1000, 2)], "OUT_OF_RANGE"],
  ["an error range off a page", [snp, errorRange(8n, 1)], "OUT_OF_RANGE"],
  ["an author key that is neither enabled nor not", [snp, idBlock(new Uint8Array(48), 1, 2)], "OUT_OF_RANGE"],
];

describe("broken IGVM files: no reading of what loaders refuse", () => {
  it.each(files)("refuses %s", (_what, parts, expected) => {
    expect(() => parseIgvm(buildIgvm(parts))).toThrow(code(expected));
  });

  it.each(rejections)("refuses %s", (_what, headers, expected) => {
    expect(() => parseIgvm(buildIgvm({ headers }))).toThrow(code(expected));
  });

  it("says of each what was expected and what was found", () => {
    for (const [what, headers] of rejections)
      expect(() => parseIgvm(buildIgvm({ headers })), what).toThrow(
        expect.objectContaining({
          offset: expect.any(Number) as number,
          expected: expect.any(String) as string,
          found: expect.any(String) as string,
        }) as Error,
      );
  });

  it("refuses other files", () => {
    expect(() => parseIgvm(new TextEncoder().encode("IGVN".padEnd(64)))).toThrow(code("BAD_MAGIC"));
    expect(() => parseIgvm(new Uint8Array())).toThrow(code("TRUNCATED"));
  });

  it("refuses CCA attributes that must be both zero and one", () => {
    const body = new Uint8Array(32);
    body[8] = body[16] = 1;
    const headers = [platform({ type: PLATFORM.cca }), header(0x106, body)];
    expect(() => parseIgvm(buildIgvm({ version: 2, architecture: 1, headers }))).toThrow(
      code("OUT_OF_RANGE"),
    );
  });

  it("refuses more headers than guest memory has use for", () => {
    const one = header(OPTIONAL, new Uint8Array(0));
    const headers = [snp, ...Array.from({ length: 131_072 }, () => one)];
    expect(() => parseIgvm(buildIgvm({ headers }))).toThrow(code("TOO_LARGE"));
    const context = vpContext({ offset: 24 + 24 + 8193 * 32, data: new Uint8Array() });
    const contexts = [snp, ...Array.from({ length: 8193 }, () => context)];
    expect(() => parseIgvm(buildIgvm({ headers: contexts, trailer: page(0) }))).toThrow(code("TOO_LARGE"));
  });

  it("refuses every truncation", () => {
    for (let length = 0; length < whole.length; length += 61)
      expect(() => parseIgvm(whole.subarray(0, length))).toThrow(ParseError);
  });
});

/** Parses, or throws ParseError; anything else fails the test. */
function survive(file: Uint8Array): void {
  try {
    describeIgvm(parseIgvm(file), file);
  } catch (error) {
    expect(error).toBeInstanceOf(ParseError);
  }
}

describe("hostile IGVM files: an answer or a ParseError", () => {
  /** Makes the checksum right again, so that a change reaches the code behind it. */
  const seal = (file: Uint8Array<ArrayBuffer>): Uint8Array => {
    const view = new DataView(file.buffer);
    view.setUint32(20, 0, true);
    view.setUint32(20, crc32(file.subarray(0, 24 + view.getUint32(12, true))), true);
    return file;
  };

  it("survives any bytes", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), survive), { numRuns: 500 });
  });

  it("survives any headers behind a right checksum", () => {
    const bodies = fc.array(
      fc.tuple(
        fc.constantFrom(
          0x1,
          0x101,
          0x102,
          0x103,
          0x104,
          0x301,
          0x302,
          0x303,
          0x304,
          0x305,
          0x309,
          0x30b,
          OPTIONAL,
        ),
        fc.uint8Array({ minLength: 8, maxLength: 48 }),
      ),
      { maxLength: 6 },
    );
    fc.assert(
      fc.property(bodies, (parts) =>
        survive(buildIgvm({ headers: [snp, ...parts.map(([type, body]) => header(type, body))] })),
      ),
      { numRuns: 500 },
    );
  });

  it("survives every change of a whole file's headers", () => {
    const change = fc.tuple(fc.integer({ min: 24, max: 1400 }), fc.nat(255));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        const file = whole.slice();
        for (const [offset, byte] of changes) file[offset] = byte;
        survive(seal(file));
      }),
      { numRuns: 500 },
    );
  });
});
