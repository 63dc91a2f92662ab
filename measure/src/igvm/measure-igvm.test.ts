import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import fc from "fast-check";
import { concatBytes, crc32, formatHex, ParseError, parseHex } from "@bootproof/bytes";
import {
  buildIgvm,
  header,
  type HeaderPart,
  idBlock,
  pageData,
  parameterArea,
  parameterInsert,
  platform,
  PLATFORM,
  requiredMemory,
  vpContext,
} from "@bootproof/ovmf/igvm-builder";
import { MeasureError } from "../measure-error.ts";
import { replay } from "../replay.ts";
import { NO_CONTENTS, type PageEvent } from "../snp/page-info.ts";
import { vectors } from "../snp/vectors.testing.ts";
import { igvmFile, pageOf, resetPage, snpFile, vmsaWith } from "./igvm.testing.ts";
import { extendIgvm } from "./igvm-digest.ts";
import { measureIgvm, type IgvmShape } from "./measure-igvm.ts";
import { IGVM_READINGS, igvmReading } from "./readings.ts";

interface IgvmVector {
  readonly name: string;
  readonly file: string;
  readonly sha256: string;
  readonly digests: Readonly<Record<string, string>>;
}

const all = vectors<IgvmVector>("igvm.json");
const digest = (file: Uint8Array, shape: IgvmShape = {}): string =>
  measureIgvm(file, shape).registers["launchDigest"]!;
const code = (expected: string) => expect.objectContaining({ code: expected }) as Error;
const codes = (file: Uint8Array, shape: IgvmShape = {}): string[] =>
  measureIgvm(file, shape).warnings.map((warning) => warning.code);
/** Pages of a measurement as `type address`. */
const pages = (file: Uint8Array, shape: IgvmShape = {}): string[] =>
  measureIgvm(file, shape).events.map(
    ({ type, guestAddress }) => `${type} ${(guestAddress ?? 0n).toString(16)}`,
  );

describe("IGVM launch digests: what the guest's report will say", () => {
  const cases = all.flatMap((vector) =>
    Object.entries(vector.digests).map(([reading, want]) => ({ ...vector, reading, want })),
  );

  it("has vectors for eleven files and four readings", () => {
    expect(cases.length).toBe(44);
    for (const { file, sha256 } of all)
      expect(createHash("sha256").update(igvmFile(file)).digest("hex")).toBe(sha256);
  });

  it.each(cases)("$name as $reading reads it", ({ file, reading, want }) => {
    const measured = measureIgvm(igvmFile(file), { reading });
    expect(measured.registers).toEqual({ launchDigest: want });
    expect(measured.readings.find((answer) => answer.reading === reading)?.launchDigest).toBe(want);
  });

  it("is the replay of its events, so that a trace explains the digest", () => {
    for (const { file } of all)
      for (const { name } of IGVM_READINGS.filter(({ refuses }) => refuses !== "what QEMU or KVM refuses")) {
        const measured = measureIgvm(igvmFile(file), { reading: name });
        const { registers, events } = measured;
        const replayed = replay({ launchDigest: new Uint8Array(48) }, extendIgvm, events);
        expect(formatHex(replayed["launchDigest"]!)).toBe(registers["launchDigest"]);
        expect(formatHex([...measured.trace()].at(-1)!.after)).toBe(registers["launchDigest"]);
      }
  });

  it("says where each measured page's bytes are in the file", () => {
    const file = igvmFile("igvm/igvm-01-basic.igvm");
    const { events } = measureIgvm(file);
    for (const { type, digest: contents, source } of events as PageEvent[])
      if (type === "NORMAL") {
        const bytes = file.subarray(source.offset, source.offset! + source.length!);
        expect(createHash("sha384").update(bytes).digest("hex")).toBe(formatHex(contents));
      } else if (type !== "VMSA") expect(contents).toEqual(NO_CONTENTS);
  });
});

describe("VP contexts: KVM measures every processor, and its own page of it", () => {
  const file = snpFile(pageData({ address: 0x1000n, data: pageOf(1) }), vpContext({ data: resetPage() }));

  it("measures a processor without a VP context in reset state, and needs its CPU for that", () => {
    expect(() => measureIgvm(file, { vcpus: 2 })).toThrow(code("BP-IGVM-003"));
    const both = snpFile(
      pageData({ address: 0x1000n, data: pageOf(1) }),
      vpContext({ data: resetPage() }),
      vpContext({ data: resetPage(), vpIndex: 1 }),
    );
    expect(digest(file, { vcpus: 2, cpu: "EPYC-v4" })).toBe(digest(both, { vcpus: 2 }));
    expect(digest(file, { vcpus: 2, cpu: "EPYC-Milan" })).not.toBe(digest(both, { vcpus: 2 }));
    expect(codes(file, { vcpus: 2, cpu: "EPYC-Milan" })).toContain("BP-IGVM-104");
  });

  it("takes no CPU where every processor has a VP context", () => {
    expect(digest(file, { cpu: "EPYC-Milan" })).toBe(digest(file));
    expect(codes(file, { cpu: "EPYC-v4" })).toEqual([]);
  });

  it("refuses a VP context of a processor that the machine does not have", () => {
    const second = snpFile(vpContext({ data: resetPage(), vpIndex: 1 }));
    expect(() => measureIgvm(second, { cpu: "EPYC-v4" })).toThrow(code("BP-IGVM-004"));
    expect(digest(second, { vcpus: 2, cpu: "EPYC-v4" })).toHaveLength(96);
    expect(() => measureIgvm(file, { vcpus: 513 })).toThrow(code("BP-SNP-001"));
    expect(() => measureIgvm(file, { vcpus: 0 })).toThrow(code("BP-SNP-001"));
  });

  it("takes the last of two contexts of one processor", () => {
    const twice = snpFile(
      vpContext({ data: vmsaWith({ 0x310: 0x1234n }) }),
      vpContext({ data: resetPage() }),
    );
    expect(digest(twice)).toBe(digest(snpFile(vpContext({ data: resetPage() }))));
  });

  it("gives every processor the guest features of the first", () => {
    const wanted = snpFile(
      vpContext({ data: resetPage(0x21n) }),
      vpContext({ data: resetPage(0x21n), vpIndex: 1 }),
    );
    const mixed = snpFile(
      vpContext({ data: resetPage(0x21n) }),
      vpContext({ data: resetPage(0x1n), vpIndex: 1 }),
    );
    expect(digest(mixed, { vcpus: 2 })).toBe(digest(wanted, { vcpus: 2 }));
    expect(measureIgvm(wanted, { vcpus: 2 }).shape.guestFeatures).toBe("0x21");
  });

  it("leaves contexts of other platforms out, except in igvmmeasure's reading", () => {
    const headers = [
      platform(),
      platform({ mask: 2, type: PLATFORM["sev-es"] }),
      vpContext({ data: resetPage() }),
      vpContext({ mask: 2, data: vmsaWith({ 0x310: 5n }) }),
    ];
    const mixed = buildIgvm({ headers });
    expect(pages(mixed).length).toBe(1);
    expect(pages(mixed, { reading: "igvmmeasure" }).length).toBe(2);
    expect(codes(mixed)).toContain("BP-IGVM-101");
  });

  it("refuses registers that KVM refuses", () => {
    const refused = [vmsaWith({ 0x160: 0x401n }), vmsaWith({ 0x3e8: 2n })];
    for (const data of refused)
      expect(() => measureIgvm(snpFile(vpContext({ data })))).toThrow(code("BP-IGVM-004"));
  });

  it("refuses what upstream QEMU checks only in the reading of upstream QEMU", () => {
    const odd: HeaderPart[] = [
      vpContext({ data: resetPage(), address: 0x9000n }),
      vpContext({ data: vmsaWith({ 0x3c8: 1n }) }),
      vpContext({ data: resetPage(0x9n) }),
      vpContext({ data: resetPage(0n) }),
    ];
    for (const context of odd) {
      expect(codes(snpFile(context))).toContain("BP-IGVM-103");
      expect(() => measureIgvm(snpFile(context), { reading: "qemu-upstream" })).toThrow(code("BP-IGVM-004"));
    }
  });
});

describe("memory: every page once, and in the order of the launch", () => {
  const insert = [parameterArea(0, 0x2000n), parameterInsert(0x8000n, 0)];
  const vmsa = vpContext({ data: resetPage() });

  it("measures an inserted area where the file has it, upstream QEMU before the pages that wait", () => {
    const file = snpFile(
      pageData({ address: 0x1000n, data: pageOf(1) }),
      pageData({ address: 0x2000n, data: pageOf(2) }),
      ...insert,
      pageData({ address: 0x3000n, data: pageOf(3) }),
      vmsa,
    );
    const inserted = ["UNMEASURED 8000", "UNMEASURED 9000"];
    const last = "VMSA fffffffff000";
    expect(pages(file)).toEqual(["NORMAL 1000", "NORMAL 2000", ...inserted, "NORMAL 3000", last]);
    expect(pages(file, { reading: "qemu-upstream" })).toEqual([
      ...inserted,
      "NORMAL 1000",
      "NORMAL 2000",
      "NORMAL 3000",
      last,
    ]);
    expect(codes(file)).toContain("BP-IGVM-101");
  });

  it("hands pages over when the next one does not continue them, so that an area comes behind those", () => {
    const file = snpFile(
      pageData({ address: 0x1000n, data: pageOf(1) }),
      pageData({ address: 0x5000n, data: pageOf(2) }),
      ...insert,
      vmsa,
    );
    expect(pages(file, { reading: "qemu-upstream" }).slice(0, 3)).toEqual([
      "NORMAL 1000",
      "UNMEASURED 8000",
      "UNMEASURED 9000",
    ]);
  });

  it("gives both QEMU readings one digest when areas come before pages, as coconut-svsm's builder has them", () => {
    const file = snpFile(...insert, pageData({ address: 0x1000n, data: pageOf(1) }), vmsa);
    expect(digest(file)).toBe(digest(file, { reading: "qemu-upstream" }));
  });

  it("launches a 2 MiB page's first 4 KiB and zeros, because no loader reads more", () => {
    const large = concatBytes(pageOf(7), new Uint8Array(0x20_0000 - 4096).fill(9));
    const file = snpFile(pageData({ address: 0x20_0000n, flags: 1, data: large }), vmsa);
    const small = [
      pageData({ address: 0x20_0000n, data: pageOf(7) }),
      pageData({ address: 0x20_1000n, flags: 0 }),
      ...Array.from({ length: 510 }, (_, page) => pageData({ address: 0x20_2000n + BigInt(page * 4096) })),
    ];
    expect(digest(file)).toBe(digest(snpFile(...small, vmsa)));
    expect(() => measureIgvm(file, { reading: "igvmmeasure" })).toThrow(code("BP-IGVM-005"));
    expect(pages(file, { reading: "ms-igvm" })).toEqual(["NORMAL 200000", "VMSA fffffffff000"]);
  });

  it("measures nothing of required memory and of headers for other platforms", () => {
    const headers = [
      platform(),
      platform({ mask: 2, type: PLATFORM.native }),
      requiredMemory(0x10_0000n, 0x8000),
      pageData({ address: 0x1000n, mask: 2, data: pageOf(1) }),
      pageData({ address: 0x1000n, mask: 3, data: pageOf(2) }),
      vmsa,
    ];
    expect(pages(buildIgvm({ headers }))).toEqual(["NORMAL 1000", "VMSA fffffffff000"]);
  });

  const unlaunchable: [string, HeaderPart[]][] = [
    ["a page given twice", [pageData({ address: 0x1000n }), pageData({ address: 0x1000n, data: pageOf(1) })]],
    [
      "a page inside a 2 MiB page",
      [pageData({ address: 0x20_0000n, flags: 1 }), pageData({ address: 0x20_1000n })],
    ],
    ["a page inside an area", [...insert, pageData({ address: 0x9000n })]],
    ["an empty area", [parameterArea(0, 0n), parameterInsert(0x8000n, 0)]],
    ["a CPUID page above 4 GiB", [pageData({ address: 0x1_0000_0000n, type: 2 })]],
    ["memory beyond 52 bits", [pageData({ address: 0xffff_ffff_ffff_f000n })]],
    ["two ID blocks", [idBlock(new Uint8Array(48)), idBlock(new Uint8Array(48))]],
    ["a header that QEMU does not know", [header(0x30d, new Uint8Array(16))]],
  ];

  it.each(unlaunchable)(
    "has no digest of %s, and other readings have their tools' answer",
    (_what, headers) => {
      const file = snpFile(...headers, vmsa);
      expect(() => measureIgvm(file)).toThrow(code("BP-IGVM-004"));
      expect(() => measureIgvm(file, { reading: "qemu-upstream" })).toThrow(code("BP-IGVM-004"));
      expect(digest(file, { reading: "igvmmeasure" })).toHaveLength(96);
    },
  );

  it("refuses more memory than a launch has", () => {
    const huge = Array.from({ length: 513 }, (_, index) =>
      pageData({ address: BigInt(index + 1) * 0x20_0000n, flags: 1 }),
    );
    expect(() => measureIgvm(snpFile(...huge, vmsa))).toThrow(ParseError);
  });
});

describe("platforms and readings: what has no answer says so", () => {
  it("needs the platform in the file", () => {
    const file = buildIgvm({ headers: [platform({ type: PLATFORM.vsm }), vpContext()] });
    expect(() => measureIgvm(file)).toThrow(code("BP-IGVM-002"));
  });

  it("needs a guest policy in Microsoft's reading", () => {
    const file = buildIgvm({ headers: [platform(), vpContext({ data: resetPage() })] });
    expect(() => measureIgvm(file, { reading: "ms-igvm" })).toThrow(code("BP-IGVM-005"));
    expect(measureIgvm(file).readings.find(({ reading }) => reading === "ms-igvm")).toMatchObject({
      launchDigest: undefined,
      refusal: expect.stringContaining("guest policy") as string,
    });
  });

  it("knows readings by name and alias, and names them all when it does not", () => {
    expect(igvmReading("ms-crate").name).toBe("ms-igvm");
    expect(igvmReading("google").name).toBe("igvmmeasure-native-zero");
    expect(() => igvmReading("qmeu")).toThrow(code("BP-IGVM-001"));
  });

  it("compares the digest with the file's own ID block", () => {
    const headers = [pageData({ address: 0x1000n, data: pageOf(1) }), vpContext({ data: resetPage() })];
    const want = digest(snpFile(...headers));
    const signed = measureIgvm(snpFile(...headers, idBlock(parseHex(want, "digest"))));
    expect(signed.registers["launchDigest"]).toBe(want);
    expect(signed.idBlock).toEqual({ launchDigest: want, matches: "yes" });
    const other = measureIgvm(snpFile(...headers, idBlock(new Uint8Array(48))));
    expect(other.idBlock.matches).toBe("no");
    expect(other.warnings.map((warning) => warning.code)).toContain("BP-IGVM-102");
    expect(measureIgvm(snpFile(...headers)).idBlock).toEqual({
      launchDigest: undefined,
      matches: "not there",
    });
  });
});

describe("SEV and SEV-ES: one hash over the bytes", () => {
  const sha256 = (...parts: Uint8Array[]) =>
    createHash("sha256")
      .update(concatBytes(...parts))
      .digest("hex");
  const memory = [
    pageData({ address: 0x1000n, data: pageOf(1) }),
    pageData({ address: 0x2000n }),
    pageData({ address: 0x3000n, data: pageOf(3), flags: 2 }),
    parameterArea(0, 0x1000n),
    parameterInsert(0x8000n, 0),
  ];
  const sev = buildIgvm({ headers: [platform({ type: PLATFORM.sev }), ...memory] });

  it("hashes zeros for pages without data and skips unmeasured ones, as QEMU does", () => {
    expect(digest(sev, { platform: "sev" })).toBe(sha256(pageOf(1), pageOf(0)));
    expect(digest(sev, { platform: "sev", reading: "igvmmeasure" })).toBe(sha256(pageOf(1), pageOf(3)));
  });

  it("adds a VMSA a vCPU on SEV-ES, without FPU state for QEMU's default VM type", () => {
    const page = resetPage(0n);
    const headers = [platform({ type: PLATFORM["sev-es"] }), ...memory, vpContext({ data: page })];
    const file = buildIgvm({ headers });
    const legacy = page.slice();
    legacy.fill(0, 0x408, 0x412);
    expect(digest(file, { platform: "sev-es" })).toBe(sha256(pageOf(1), pageOf(0), legacy));
    expect(digest(file, { platform: "sev-es", reading: "igvmmeasure" })).toBe(
      sha256(pageOf(1), pageOf(3), page),
    );
    const two = digest(file, { platform: "sev-es", vcpus: 2, cpu: "EPYC-v4" });
    expect(two).toBe(sha256(pageOf(1), pageOf(0), legacy, legacy));
  });

  it("replays to its digest", () => {
    const measured = measureIgvm(sev, { platform: "sev" });
    expect(formatHex([...measured.trace()].at(-1)!.after)).toBe(measured.registers["launchDigest"]);
  });

  it("refuses pages that only SEV-SNP has, contexts on SEV, and readings without facts", () => {
    const secrets = [platform({ type: PLATFORM.sev }), pageData({ address: 0n, type: 1 })];
    const context = [platform({ type: PLATFORM.sev }), vpContext({ data: pageOf(0) })];
    for (const headers of [secrets, context])
      expect(() => measureIgvm(buildIgvm({ headers }), { platform: "sev" })).toThrow(code("BP-IGVM-004"));
    expect(() => measureIgvm(sev, { platform: "sev", reading: "ms-igvm" })).toThrow(code("BP-IGVM-006"));
  });
});

describe("hostile IGVM files: a digest, a ParseError or a MeasureError", () => {
  const survive = (file: Uint8Array): void => {
    for (const { name } of IGVM_READINGS)
      try {
        measureIgvm(file, { reading: name, vcpus: 2, cpu: "EPYC-v4" });
      } catch (error) {
        expect(error instanceof ParseError || error instanceof MeasureError).toBe(true);
      }
  };

  it("survives changes of real files behind a right checksum", () => {
    const files = all.map(({ file }) => igvmFile(file));
    const change = fc.tuple(fc.nat(0x150), fc.nat(255));
    fc.assert(
      fc.property(
        fc.nat(files.length - 1),
        fc.array(change, { minLength: 1, maxLength: 4 }),
        (index, changes) => {
          const file = files[index]!.slice();
          const view = new DataView(file.buffer);
          for (const [offset, byte] of changes) file[24 + offset] = byte;
          view.setUint32(20, 0, true);
          view.setUint32(20, crc32(file.subarray(0, 24 + view.getUint32(12, true))), true);
          survive(file);
        },
      ),
      { numRuns: 150 },
    );
  });

  it("survives truncations", () => {
    const file = igvmFile("igvm/igvm-05-param-3pages.igvm");
    for (let length = 0; length < file.length; length += 64)
      expect(() => measureIgvm(file.subarray(0, length))).toThrow(ParseError);
  });
});
