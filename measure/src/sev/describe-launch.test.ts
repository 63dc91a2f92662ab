import { formatHex, ParseError, sha256 } from "@bootproof/bytes";
import { describe, expect, it } from "vitest";

import { explain, type GuestFiles, measuredSide, TRACE_RULES } from "../explain/index.ts";
import type { Explanation } from "../explain/explanation.ts";
import { type Side, sideOfDocument } from "../explain/side.ts";
import { inputs, suffix } from "../snp/vectors.testing.ts";
import { formatTraceStep, type LaunchDocument, parseLaunchDocument } from "../trace-document.ts";
import { measureSev, measureSevEs } from "./measure-sev.ts";

type Files = GuestFiles & { readonly firmware: Uint8Array };

const FIRMWARE = suffix("ovmf_AmdSev_suffix.bin");
const KERNEL = inputs.get("kernel-a")!;
const BASE: Files = { firmware: FIRMWARE };
const SHAPE = { vcpus: 2, cpu: "EPYC-v4" };

const read = (document: object): LaunchDocument =>
  parseLaunchDocument(new TextEncoder().encode(JSON.stringify(document)), TRACE_RULES);

function document(files: Files, shape: typeof SHAPE): Record<string, unknown> {
  const measurement = measureSevEs(files, shape);
  return {
    schema: "bootproof/measurement/1",
    platform: "sev-es",
    shape: measurement.shape,
    registers: measurement.registers,
    inputs: [{ role: "firmware", size: files.firmware.length, sha256: formatHex(sha256(files.firmware)) }],
    events: [...measurement.trace()].map(formatTraceStep),
  };
}

describe("explaining SEV and SEV-ES launches", () => {
  const sevEs = (files: Files, change: object = {}): Side =>
    measuredSide("sev-es", files, { ...SHAPE, ...change });
  const withByte = (offset: number): Files => ({
    firmware: FIRMWARE.with(offset, FIRMWARE[offset]! ^ 1),
  });

  it.each([
    ["a byte of the image", () => explain(sevEs(BASE), sevEs(withByte(0xbb0))), "firmware"],
    ["the AP reset address", () => explain(sevEs(BASE), sevEs(withByte(0xfb9))), "resetAddress"],
    ["the number of vCPUs", () => explain(sevEs(BASE), sevEs(BASE, { vcpus: 3 })), "vcpus"],
    ["the CPU model", () => explain(sevEs(BASE), sevEs(BASE, { cpu: "EPYC-Milan" })), "cpu"],
    ["the VM type", () => explain(sevEs(BASE), sevEs(BASE, { profile: "es-init2" })), "profile"],
    ["a measured kernel", () => explain(sevEs(BASE), sevEs({ ...BASE, kernel: KERNEL })), "kernelHashes"],
    [
      "the kernel",
      () => explain(sevEs({ ...BASE, kernel: KERNEL }), sevEs({ ...BASE, kernel: KERNEL.with(3, 3) })),
      "kernel",
    ],
    [
      "a kernel of plain SEV",
      () =>
        explain(measuredSide("sev", BASE, SHAPE), measuredSide("sev", { ...BASE, kernel: KERNEL }, SHAPE)),
      "kernelHashes",
    ],
    ["the platform", () => explain(sevEs(BASE), measuredSide("snp", BASE, SHAPE)), "platform"],
  ] as const)("names %s first", (_name, compare: () => Explanation, subject) => {
    const { verdict, first, others } = compare();
    expect([verdict, first?.subject, others]).toEqual(["differs", subject, []]);
  });

  it("knows that plain SEV sees no processor", () => {
    const side = (vcpus: number): Side => measuredSide("sev", BASE, { ...SHAPE, vcpus });
    expect(explain(side(1), side(9)).verdict).toBe("same");
  });

  it("compares traces", () => {
    const [a, b] = [SHAPE, { ...SHAPE, cpu: "EPYC-Milan" }].map((shape) =>
      sideOfDocument(read(document(BASE, shape))),
    );
    expect(explain(a!, b!).first?.subject).toBe("cpu");
  });

  it("follows traces as far as a running hash can be followed", () => {
    const trace = document(BASE, SHAPE);
    const events = trace["events"] as { before?: string; after?: string; digest: string }[];
    const broken = (index: number, change: object): object => ({
      ...trace,
      events: events.map((event, at) => (at === index ? { ...event, ...change } : event)),
    });
    expect(() => read(trace)).not.toThrow();
    for (const document of [
      broken(0, { digest: "11".repeat(32) }),
      broken(1, { before: "11".repeat(32) }),
      broken(1, { after: "11".repeat(32) }),
      broken(1, { before: undefined }),
      { ...trace, registers: { launchDigest: "11".repeat(32) } },
      { ...trace, events: events.slice(1) },
    ])
      expect(() => read(document)).toThrow(ParseError);
  });

  it("measures the same as the engine", () => {
    expect(measuredSide("sev", BASE, SHAPE).registers).toEqual(measureSev(BASE).registers);
  });
});
