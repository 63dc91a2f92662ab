import { describe, expect, it } from "vitest";
import { ParseError, parseHex } from "@bootproof/bytes";
import {
  buildIgvm,
  corim,
  guestPolicy,
  header,
  type HeaderPart,
  idBlock,
  pageData,
  parameter,
  parameterArea,
  parameterInsert,
  platform,
  PLATFORM,
  vpContext,
} from "@bootproof/ovmf/igvm-builder";
import { vectors } from "../snp/vectors.testing.ts";
import { igvmFile, pageOf, resetPage, snpFile, vmsaWith } from "./igvm.testing.ts";
import { lintIgvm } from "./lint-igvm.ts";
import { IGVM_LINT_RULES, type IgvmLintCode } from "./lint-rules.ts";
import { measureIgvm } from "./measure-igvm.ts";

const codes = (file: Uint8Array, platformName: "snp" | "sev" | "sev-es" = "snp"): string[] =>
  lintIgvm(file, platformName).findings.map(({ code }) => code);
const answers = (file: Uint8Array): string =>
  lintIgvm(file)
    .verdicts.map(({ answer }) => answer)
    .join(", ");

const page = pageData({ address: 0x1000n, data: pageOf(1) });
/** What igvmmeasure --check-kvm passes: CR0 0x30. */
const context = vpContext({ data: vmsaWith({ 0x158: 0x30n }) });
const clean = snpFile(page, context);
const OPTIONAL = 0x8000_0777;
const large = (data?: Uint8Array, address = 0x20_0000n) =>
  pageData({ address, flags: 1, ...(data !== undefined && { data }) });

const findings: [IgvmLintCode, HeaderPart[]][] = [
  ["BP-LINT-102", [page, context, header(0x30d, new Uint8Array(16))]],
  ["BP-LINT-103", [page, page, context]],
  ["BP-LINT-104", [parameterArea(0, 0n), parameterInsert(0x8000n, 0), page, context]],
  ["BP-LINT-105", [pageData({ address: 0x1_0000_0000n, type: 3 }), context]],
  ["BP-LINT-108", [page, context, idBlock(new Uint8Array(48)), idBlock(new Uint8Array(48))]],
  ["BP-LINT-109", [page, vpContext({ data: vmsaWith({ 0x160: 0x401n }) })]],
  ["BP-LINT-110", [page, vpContext({ data: resetPage(0n) })]],
  ["BP-LINT-111", [page, vpContext({ data: resetPage(), address: 0n })]],
  ["BP-LINT-112", [page, vpContext({ data: vmsaWith({ 0x3c8: 1n }) })]],
  ["BP-LINT-113", [page, vpContext({ data: resetPage(0x9n) })]],
  ["BP-LINT-114", [parameterArea(0, 0x1000n), parameter(0x309, 0, 0x1000), page, context]],
  [
    "BP-LINT-115",
    [pageData({ address: 0xf_ffff_ffff_f000n }), pageData({ address: 0x10_0000_0000_0000n }), context],
  ],
  ["BP-LINT-120", [page, parameterArea(0, 0x1000n), parameterInsert(0x8000n, 0), context]],
  ["BP-LINT-121", [pageData({ address: 0x1000n }), context]],
  ["BP-LINT-122", [parameterArea(0, 0x2000n), parameterInsert(0x8000n, 0), page, context]],
  ["BP-LINT-123", [pageData({ address: 0x1000n, flags: 4, data: pageOf(1) }), context]],
  ["BP-LINT-124", [large(), context]],
  ["BP-LINT-125", [large(pageOf(1)), context]],
  ["BP-LINT-126", [context, page]],
  ["BP-LINT-127", [page, context, vpContext({ data: resetPage(), vpIndex: 1 })]],
  ["BP-LINT-129", [page, vpContext({ data: vmsaWith({ 0xd0: 0n }) })]],
  ["BP-LINT-131", [header(OPTIONAL, new Uint8Array(8)), page, context]],
  ["BP-LINT-131", [parameterArea(0, 0x1000n), parameter(0x312, 0), page, context]],
  ["BP-LINT-132", [page, context, idBlock(new Uint8Array(48))]],
  ["BP-LINT-133", [page, vpContext({ data: resetPage() })]],
  ["BP-LINT-134", [page]],
  ["BP-LINT-136", [pageData({ address: 0x1000n, mask: 8 }), page, context]],
  ["BP-LINT-137", [large(undefined, 0x1000n), context]],
];

describe("the IGVM linter: what each consumer does with a file", () => {
  it("finds nothing in a file that everybody reads alike", () => {
    const { findings: found, verdicts, readings } = lintIgvm(clean);
    expect(found).toEqual([]);
    expect(verdicts.map(({ answer }) => answer)).toEqual(["yes", "yes", "yes", "yes"]);
    expect(new Set(readings.map(({ launchDigest }) => launchDigest)).size).toBe(1);
  });

  it.each(findings)("finds %s", (code, headers) => {
    const found = lintIgvm(snpFile(...headers)).findings.find((candidate) => candidate.code === code);
    expect(found?.severity).toBe(IGVM_LINT_RULES[code].severity);
    expect(found?.message).not.toBe("");
  });

  it("finds what only other platforms show", () => {
    const sev = (...headers: HeaderPart[]) =>
      buildIgvm({ headers: [platform({ type: PLATFORM.sev }), ...headers] });
    expect(codes(clean, "sev")).toEqual(["BP-LINT-101"]);
    expect(codes(sev(guestPolicy(), page, vpContext()), "sev")).toContain("BP-LINT-106");
    expect(codes(sev(guestPolicy(), pageData({ address: 0n, type: 1 })), "sev")).toContain("BP-LINT-107");
    expect(codes(buildIgvm({ headers: [platform(), page, context] }))).toEqual(["BP-LINT-128"]);
    const other = [
      platform(),
      platform({ mask: 2, type: PLATFORM["sev-es"] }),
      guestPolicy(),
      page,
      context,
      vpContext({ mask: 2, data: resetPage(0n) }),
    ];
    expect(codes(buildIgvm({ headers: other }))).toContain("BP-LINT-130");
  });

  it("has a test for every finding", () => {
    const tested = new Set<string>(findings.map(([code]) => code));
    const elsewhere = [
      "BP-LINT-101",
      "BP-LINT-106",
      "BP-LINT-107",
      "BP-LINT-128",
      "BP-LINT-130",
      "BP-LINT-135",
    ];
    for (const code of elsewhere) tested.add(code);
    expect(Object.keys(IGVM_LINT_RULES).filter((code) => !tested.has(code))).toEqual([]);
  });

  it("refuses by the list that the engine refuses by", () => {
    for (const [code, headers] of findings) {
      const file = snpFile(...headers);
      const cannot = lintIgvm(file).findings.some(({ severity }) => severity === "cannot launch");
      expect(cannot, code).toBe(IGVM_LINT_RULES[code].severity === "cannot launch");
      const measure = () => measureIgvm(file, { reading: "qemu-upstream", vcpus: 2, cpu: "EPYC-v4" });
      if (cannot) expect(measure, code).toThrow(expect.objectContaining({ code: "BP-IGVM-004" }));
      else expect(measure().registers["launchDigest"], code).toHaveLength(96);
    }
  });

  it("answers for each consumer", () => {
    expect(answers(clean)).toBe("yes, yes, yes, yes");
    expect(answers(snpFile(page, vpContext({ data: resetPage(), address: 0n })))).toBe("no, no, yes, yes");
    expect(answers(snpFile(large(pageOf(1)), context))).toBe("yes, no, no, yes");
    expect(answers(buildIgvm({ headers: [platform(), page, context] }))).toBe("yes, yes, yes, no");
    expect(answers(snpFile(page, page, context))).toBe("no, yes, yes, yes");
    expect(answers(snpFile(context, parameterArea(0, 0x1000n), parameterInsert(0x8000n, 0)))).toBe(
      "yes, no, yes, yes",
    );
    expect(
      answers(buildIgvm({ headers: [platform(), guestPolicy(), corim(false, pageOf(1)), page, context] })),
    ).toBe("no, yes, yes, yes");
  });

  it("answers without a digest where that depends on the CPU", () => {
    const [qemu, igvmmeasure] = lintIgvm(snpFile(page)).verdicts;
    expect(qemu).toMatchObject({ answer: "yes", launchDigest: undefined });
    expect(igvmmeasure?.launchDigest).toHaveLength(96);
  });

  it("keeps its answer short for a file with thousands of faults", () => {
    const pages = Array.from({ length: 5000 }, () => pageData({ address: 0x1000n }));
    expect(lintIgvm(snpFile(...pages, context)).findings.length).toBeLessThan(20);
  });

  it("tells an ID block that fits from one that another tool made", () => {
    const headers = [pageData({ address: 0x1000n }), context];
    const digestOf = (reading: string) =>
      parseHex(measureIgvm(snpFile(...headers), { reading }).registers["launchDigest"]!, "digest");
    expect(codes(snpFile(...headers, idBlock(digestOf("qemu"))))).toContain("BP-LINT-135");
    const google = lintIgvm(snpFile(...headers, idBlock(digestOf("google"))));
    expect(google.findings.find(({ code }) => code === "BP-LINT-132")?.message).toContain(
      "igvmmeasure-native-zero",
    );
  });

  it("shows what each reading makes of each row", () => {
    const { rows } = lintIgvm(igvmFile("igvm/igvm-09-2mb-zero.igvm"));
    expect(rows.find(({ guestAddress }) => guestAddress === "0x200000")).toMatchObject({
      type: "PAGE_DATA",
      qemu: "512 pages NORMAL",
      igvmmeasure: "512 pages NORMAL",
      nativeZero: "512 pages ZERO",
      msIgvm: "1 page NORMAL",
    });
    expect(rows.at(-1)).toMatchObject({ type: "VP_CONTEXT", qemu: "1 page VMSA" });
  });

  it("lints every vector, and throws only on what no loader reads", () => {
    for (const { file } of vectors<{ file: string }>("igvm.json"))
      expect(lintIgvm(igvmFile(file)).verdicts.length).toBe(4);
    expect(() => lintIgvm(new Uint8Array(100))).toThrow(ParseError);
  });
});
