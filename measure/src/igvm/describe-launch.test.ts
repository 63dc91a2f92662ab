import {
  buildIgvm,
  guestPolicy,
  type HeaderPart,
  pageData,
  parameterArea,
  parameterInsert,
  platform,
  requiredMemory,
  vpContext,
} from "@bootproof/ovmf/igvm-builder";
import { describe, expect, it } from "vitest";

import { explainLaunches } from "../explain/explain.ts";
import type { Explanation } from "../explain/explanation.ts";
import { bootsIgvm, igvmDescriber, igvmSide } from "./describe-launch.ts";
import { pageOf, resetPage, snpFile, vmsaWith } from "./igvm.testing.ts";

const page = (address: bigint, byte: number, more: object = {}): HeaderPart =>
  pageData({ address, data: pageOf(byte), ...more });
const CONTEXT = vpContext({ data: resetPage() });
const BASE = [page(0x1000n, 1), page(0x2000n, 2), CONTEXT];

const explain = (a: readonly HeaderPart[], b: readonly HeaderPart[]): Explanation =>
  explainLaunches(igvmSide(snpFile(...a), {}), igvmSide(snpFile(...b), {}), { snp: igvmDescriber });

describe("explaining two IGVM files that differ in one way", () => {
  it.each([
    [
      "a byte of a page",
      [page(0x1000n, 1), pageData({ address: 0x2000n, data: pageOf(2).with(9, 7) }), CONTEXT],
      /^IGVM header 3 \(PAGE_DATA\) has other contents, guest address 0x2000$/,
    ],
    [
      "a page less",
      [page(0x2000n, 2), CONTEXT],
      /^only A has IGVM header 2 \(PAGE_DATA\), guest address 0x1000$/,
    ],
    [
      "a page more",
      [...BASE.slice(0, 2), page(0x3000n, 3), CONTEXT],
      /^only B has IGVM header 4 \(PAGE_DATA\), guest address 0x3000$/,
    ],
    [
      "a moved page",
      [page(0x8000n, 1), page(0x2000n, 2), CONTEXT],
      /^IGVM header 2 .* has another guest address/,
    ],
    ["pages in another order", [BASE[1]!, BASE[0]!, CONTEXT], /stands at another position/],
    [
      "a page that nobody measures",
      [page(0x1000n, 1, { flags: 2 }), page(0x2000n, 2), CONTEXT],
      /^IGVM header 2 \(PAGE_DATA\) is of another kind/,
    ],
    [
      "a register of a processor",
      [...BASE.slice(0, 2), vpContext({ data: vmsaWith({ 0x310: 0x1234n }) })],
      /^IGVM header 4 \(VP_CONTEXT\) has other contents/,
    ],
  ] as const)("names %s first", (_name, other, what) => {
    const { verdict, first, others } = explain(BASE, other);
    expect(verdict).toBe("differs");
    expect(first?.what).toMatch(what);
    expect(others).toEqual([]);
  });

  it("names the byte, and the register of a VP context", () => {
    const byte = explain(BASE, [
      page(0x1000n, 1),
      pageData({ address: 0x2000n, data: pageOf(2).with(9, 7) }),
      CONTEXT,
    ]);
    expect(byte.first?.details[0]).toBe(
      "first differing byte: 0x9 of the page, 0x02 and 0x07; 1 differ in all",
    );
    const register = explain(BASE, [...BASE.slice(0, 2), vpContext({ data: vmsaWith({ 0x310: 0x1234n }) })]);
    expect(register.first?.details[0]).toBe("RDX (VMSA offset 0x310): 0x800f12 and 0x1234");
  });

  it("names the size of a parameter area, whose contents nobody sees", () => {
    const area = (size: bigint): HeaderPart[] => [
      parameterArea(0, size),
      parameterInsert(0x9000n, 0),
      CONTEXT,
    ];
    expect(explain(area(0x1000n), area(0x2000n)).first?.what).toMatch(/PARAMETER_AREA\) is of another kind$/);
  });

  it("tells of what differs and no register sees", () => {
    const memory = explain([requiredMemory(0n, 0x1000), ...BASE], [requiredMemory(0n, 0x2000), ...BASE]);
    expect([memory.verdict, memory.unseen[0]?.what]).toEqual([
      "same",
      expect.stringMatching(/REQUIRED_MEMORY\) has other contents/) as string,
    ]);
    const file = (policy: bigint): Uint8Array =>
      buildIgvm({ headers: [platform(), guestPolicy(policy), ...BASE] });
    const sides = [igvmSide(file(0x30000n), {}), igvmSide(file(0xb0000n), {})] as const;
    const policy = explainLaunches(...sides, { snp: igvmDescriber });
    expect(policy).toMatchObject({ verdict: "same", unseen: [{ a: "0x30000", b: "0xb0000" }] });
    const unmeasured = (byte: number): HeaderPart[] => [page(0x1000n, byte, { flags: 2 }), CONTEXT];
    expect(explain(unmeasured(1), unmeasured(2))).toMatchObject({
      verdict: "same",
      unseen: [{ subject: "igvm" }],
    });
  });

  it("names other numbers of vCPUs and other readings", () => {
    const file = snpFile(...BASE);
    const cpu = "EPYC-v4";
    const sides = (a: object, b: object): Explanation =>
      explainLaunches(igvmSide(file, { cpu, ...a }), igvmSide(file, { cpu, ...b }), { snp: igvmDescriber });
    expect(sides({ vcpus: 1 }, { vcpus: 3 }).first?.subject).toBe("vcpus");
    const swapped = snpFile(CONTEXT, ...BASE.slice(0, 2));
    const readings = explainLaunches(igvmSide(swapped, {}), igvmSide(swapped, { reading: "igvmmeasure" }), {
      snp: igvmDescriber,
    });
    expect(readings.first?.subject).toBe("reading");
  });

  it("knows IGVM sides by their files, events or shapes", () => {
    const side = igvmSide(snpFile(...BASE), {});
    expect(bootsIgvm(side)).toBe(true);
    expect(bootsIgvm({ ...side, artifacts: {} })).toBe(true);
    expect(bootsIgvm({ ...side, artifacts: { firmware: new Uint8Array(4096) }, events: [] })).toBe(false);
  });

  it("says of a file that cannot be read that it cannot launch", () => {
    const broken = snpFile(...BASE).with(40, 0xff);
    const { verdict, problems } = explainLaunches(igvmSide(snpFile(...BASE), {}), igvmSide(broken, {}), {
      snp: igvmDescriber,
    });
    expect([verdict, Object.keys(problems ?? {})]).toEqual(["differs", ["b"]]);
  });
});
