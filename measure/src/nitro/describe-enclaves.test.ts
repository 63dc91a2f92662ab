import { concatBytes, formatHex, ParseError, utf8 } from "@bootproof/bytes";
import { writeCpio, type CpioInput } from "@bootproof/boot";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { explain, TRACE_RULES } from "../explain/index.ts";
import { type Side, sideOfDocument } from "../explain/side.ts";
import { formatTraceStep, parseLaunchDocument } from "../trace-document.ts";
import { formatManifest } from "./manifest.ts";
import { measureSections, type LoadedSection } from "./measure-bytes.ts";
import type { NitroShape } from "./measure-nitro.ts";
import { sectionNames } from "./section.ts";
import { differingSections, nitroSide } from "./side.ts";
import { BOOTSTRAPS, certificateOf, imageNamed, sectionsOf, type ImageVector } from "./vectors.testing.ts";

const base = sectionsOf(imageNamed("ok-2rd"));

function sideOf(sections: readonly LoadedSection[], der?: Uint8Array, shape: NitroShape = {}): Side {
  const names = sectionNames(sections.map(({ type, bytes }) => ({ type, size: bytes.length })));
  const artifacts = Object.fromEntries(sections.map(({ bytes }, index) => [names[index]!, bytes]));
  return nitroSide(measureSections(sections, { certificateDer: der }, shape), artifacts);
}

const vectorSide = (vector: ImageVector, shape?: NitroShape): Side =>
  sideOf(sectionsOf(vector), certificateOf(vector), shape);
const named = (name: string): Side => vectorSide(imageNamed(name));
const bare = (registers: Readonly<Record<string, string>>): Side => ({
  platform: "nitro",
  shape: {},
  registers,
  inputs: [],
  artifacts: {},
});

function document(side: Side, change: object = {}): Uint8Array {
  const measured = measureSections(base, {}, { roleArn: `arn:aws:iam::123456789012:role/${"R".repeat(64)}` });
  return utf8(
    JSON.stringify({
      schema: "bootproof/measurement/1",
      platform: "nitro",
      shape: side.shape,
      registers: measured.registers,
      sections: formatManifest(measured.sections),
      events: [...measured.trace()].map(formatTraceStep),
      ...change,
    }),
  );
}

const member = (text: string, mode = 0o100644): CpioInput => ({ name: "etc/a", mode, data: utf8(text) });

describe("explaining two images: the first words are the cause", () => {
  it.each([
    ["ok-2rd", "cmdline-newline", "cmdline", "trailing newline"],
    ["ok-2rd", "order-ramdisk-before-cmdline", "order", "another order in the file"],
    ["ok-2rd", "signed-es256", "signature", "only B is signed"],
    ["signed-es256", "signed-es384", "certificate", "different certificates"],
  ])("%s and %s", (one, other, subject, what) => {
    const { verdict, first } = explain(named(one), named(other));
    expect([verdict, first?.subject]).toEqual(["differs", subject]);
    expect(first?.what).toContain(what);
  });

  it("names bytes that crossed a boundary with equal PCRs, and calls the measurements the same", () => {
    const { verdict, first, unseen } = explain(named("ok-2rd"), named("shift-kernel-cmdline"));
    expect([verdict, first]).toEqual(["same", undefined]);
    expect(unseen.map(({ subject }) => subject)).toEqual(["boundary"]);
    expect(unseen[0]!.details[0]).toMatch(/^kernel ends at byte 3001 in A and \d+ in B$/);
  });

  it("names PCR1 where PCR0 is equal and the first ramdisk is cut elsewhere", () => {
    const { verdict, first } = explain(named("ok-2rd"), named("shift-ramdisk0-ramdisk1"));
    expect([verdict, first?.subject, first?.register]).toEqual(["differs", "boundary", "PCR1"]);
  });

  it("tells metadata as what nobody sees, field by field", () => {
    const other = base.map((section) =>
      section.type === "metadata"
        ? { ...section, bytes: utf8('{"ImageName":"x","BuildMetadata":{"BuildTime":"2026"}}') }
        : section,
    );
    const { verdict, unseen } = explain(sideOf(base), sideOf(other));
    expect(verdict).toBe("same");
    expect(unseen[0]).toMatchObject({ subject: "metadata" });
    expect(unseen[0]!.details).toContainEqual(expect.stringContaining("BuildMetadata.BuildTime"));
  });

  it("tells the architecture as what nobody sees", () => {
    const side = (architecture: "x86_64" | "aarch64"): Side =>
      vectorSide(imageNamed("ok-2rd"), { architecture });
    const { verdict, unseen } = explain(side("x86_64"), side("aarch64"));
    expect([verdict, unseen[0]?.subject]).toEqual(["same", "architecture"]);
  });

  it("guesses a command line of which only the digest is known", () => {
    const known = named("cmdline-newline");
    const { first } = explain(named("ok-2rd"), { ...known, artifacts: {} });
    expect(first?.what).toBe("the command line differs: B has a newline after the command line");
    const back = explain({ ...known, artifacts: {} }, named("ok-2rd"));
    expect(back.first?.what).toContain("A has a newline after");
  });

  it("tells the words of command lines", () => {
    const other = base.map((section) =>
      section.type === "cmdline" ? { ...section, bytes: utf8("reboot=k panic=1 quiet\0") } : section,
    );
    const { first } = explain(sideOf(base), sideOf(other));
    expect(first?.details.slice(0, 3)).toEqual([
      "only A: panic=30 pci=off nomodules console=ttyS0 random.trust_cpu=on",
      "only B: panic=1 quiet",
      "B contains a NUL: the kernel reads no further",
    ]);
  });

  it.each([
    ["a time", member("x"), 1, "mtime differs: etc/a (0 and 1)", "SOURCE_DATE_EPOCH"],
    ["a mode", member("x", 0o100755), 0, "mode differs: etc/a (0100644 and 0100755)", ""],
    ["contents", member("y"), 0, "contents differ: etc/a (1 bytes", ""],
  ])("names the member of a ramdisk that differs in %s", (_name, changed, mtime, line, next) => {
    const [one, other] = [writeCpio([member("x")]), writeCpio([changed], { mtime })].map((bytes) =>
      sideOf([...base.slice(0, 4), { type: "ramdisk", bytes }]),
    );
    const { first } = explain(one!, other!);
    expect([first?.subject, first?.details[0]]).toEqual(["ramdisk", expect.stringContaining(line)]);
    expect(first?.next ?? "").toContain(next);
    expect(differingSections(one!, other!)).toEqual(["ramdisk 1"]);
  });

  it("names a ramdisk that only one side has, and not those that moved behind it", () => {
    const extra = { type: "ramdisk" as const, bytes: utf8("extra") };
    const { first, others } = explain(sideOf(base), sideOf([...base.slice(0, 4), extra, base[4]!]));
    expect(first).toMatchObject({ subject: "ramdisks", what: "B has a ramdisk more: ramdisk 1" });
    expect(others).toEqual([]);
  });

  it("calls debug mode by its name", () => {
    const debug = vectorSide(imageNamed("ok-2rd"), { debug: true });
    expect(explain(named("ok-2rd"), debug)).toMatchObject({
      verdict: "differs",
      first: { subject: "debug" },
    });
  });

  it("tells another parent as no matter of the image", () => {
    const side = (instanceId: string): Side => vectorSide(imageNamed("ok-2rd"), { instanceId });
    const { first } = explain(side("i-0123456789abcdef0"), side("i-0123456789abcdef1"));
    expect(first).toMatchObject({ subject: "instanceId", register: "PCR4", a: "i-0123456789abcdef0" });
  });
});

describe("explaining PCRs alone: what follows from which of them differ", () => {
  const value = (letter: string): string => letter.repeat(96);
  it.each([
    ["PCR2 and PCR0", { PCR0: "x", PCR1: "b", PCR2: "x" }, "application"],
    ["PCR1 and PCR0", { PCR0: "x", PCR1: "x", PCR2: "c" }, "bootstrap"],
    ["PCR0 alone", { PCR0: "x", PCR1: "b", PCR2: "c" }, "order"],
    ["PCR1 alone", { PCR0: "a", PCR1: "x", PCR2: "c" }, "boundary"],
    ["all", { PCR0: "x", PCR1: "x", PCR2: "x" }, "image"],
  ])("%s", (_name, letters, subject) => {
    const registers = Object.fromEntries(
      Object.entries(letters).map(([name, letter]) => [name, letter === "x" ? value("f") : value(letter)]),
    );
    const before = bare({ PCR0: value("a"), PCR1: value("b"), PCR2: value("c") });
    expect(explain(before, bare(registers)).first?.subject).toBe(subject);
  });

  it("names the bootstraps that PCR1 gives away", () => {
    const [old, now] = BOOTSTRAPS.vectors.filter(({ tags }) => tags.length > 3).map(({ pcr1 }) => pcr1);
    const side = (PCR1: string): Side => bare({ PCR0: PCR1, PCR1, PCR2: value("c") });
    const { first } = explain(side(old!), side(now!));
    expect(first?.details.join("\n")).toContain("nitro-cli v");
  });
});

describe("documents and traces of enclaves", () => {
  const read = (bytes: Uint8Array): Side => sideOfDocument(parseLaunchDocument(bytes, TRACE_RULES));

  it("replay, and compare like what they were written from", () => {
    const side = read(document(named("ok-2rd")));
    expect(explain(side, side)).toMatchObject({ verdict: "same" });
    expect(explain(side, named("cmdline-newline")).first?.subject).toBe("cmdline");
    expect(side.sections).toHaveLength(5);
  });

  it.each([
    ["a register that its events do not give", { registers: { PCR0: "11".repeat(48) } }],
    ["another platform's register", { registers: { launchDigest: "11".repeat(48) } }],
    ["a section without a size", { sections: [{ type: "kernel", sha384: "11".repeat(48) }] }],
    ["a section with a short digest", { sections: [{ type: "kernel", size: 1, sha384: "11" }] }],
  ])("are refused with %s", (_name, change) => {
    expect(() => read(document(named("ok-2rd"), change))).toThrow(ParseError);
  });

  it("are refused when an event is changed, dropped, or of another type", () => {
    const events = [...measureSections(base).trace()].map(formatTraceStep) as Record<string, unknown>[];
    const registers = measureSections(base).registers;
    const broken = [
      events.slice(1),
      events.with(0, { ...events[0]!, digest: "11".repeat(48) }),
      events.with(0, { ...events[0]!, type: "APPLICATION" }),
      events.with(0, { ...events[0]!, type: "PAGE" }),
      events.with(0, { ...events[0]!, digest: "11".repeat(32) }),
      events.with(0, { ...events[0]!, register: "PCR16" }),
    ];
    for (const list of broken)
      expect(() => read(document(named("ok-2rd"), { events: list, registers }))).toThrow(ParseError);
  });

  it("reads any change of a byte or throws ParseError", () => {
    const bytes = document(named("ok-2rd"));
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(255), (at, byte) => {
        try {
          expect(read(bytes.with(at, byte)).platform).toBe("nitro");
        } catch (error) {
          expect(error).toBeInstanceOf(ParseError);
        }
      }),
    );
  });
});

describe("describing hostile images", () => {
  const sections = fc.array(
    fc.record({
      type: fc.constantFrom("kernel", "cmdline", "ramdisk", "metadata", "signature" as const),
      bytes: fc.oneof(
        fc.uint8Array({ maxLength: 30 }),
        fc.constant(concatBytes(utf8("070701"), new Uint8Array(120))),
      ),
    }),
    { minLength: 1, maxLength: 6 },
  );

  it("never throws, and finds something exactly when something differs", () => {
    fc.assert(
      fc.property(sections, sections, (one, other) => {
        const { verdict, first, unseen } = explain(sideOf(one), sideOf(other));
        const key = (all: readonly LoadedSection[]): string =>
          all.map(({ type, bytes }) => `${type} ${formatHex(bytes)}`).join();
        if (key(one) === key(other)) expect([verdict, first, unseen]).toEqual(["same", undefined, []]);
        if (verdict === "differs") expect(first).toBeDefined();
      }),
    );
  });

  it("says little of command lines with tens of thousands of words", () => {
    const line = (letter: string): LoadedSection => ({
      type: "cmdline",
      bytes: utf8(Array.from({ length: 30_000 }, (_, index) => `${letter}${index}`).join(" ")),
    });
    const { first } = explain(sideOf(base.with(1, line("a"))), sideOf(base.with(1, line("b"))));
    expect(first?.details.join().length).toBeLessThan(2000);
    expect(first?.a?.length).toBeLessThan(500);
  });
});
