import { formatHex, sha256, sha384, utf8 } from "@bootproof/bytes";
import { formatManifest, measureSections, type LoadedSection } from "@bootproof/measure/nitro";
import {
  hasAxes,
  makeBootMeasurement,
  readBootMeasurement,
  type BootMeasurement,
  type PlatformMeasurements,
  type Statement,
} from "@bootproof/statement";
import { describe, expect, it } from "vitest";
import { checkArtifact, type HashedFile } from "./check-artifact.ts";
import { checkMeasurements } from "./expand.ts";
import { shapeValues } from "./shape-text.ts";
import { release } from "./world.testing.ts";

const section = (type: LoadedSection["type"], text: string): LoadedSection => ({ type, bytes: utf8(text) });
const base = [
  section("kernel", "a kernel"),
  section("cmdline", "quiet"),
  section("metadata", "{}"),
  section("ramdisk", "an init"),
  section("ramdisk", "an application"),
];

function entryOf(sections: readonly LoadedSection[], der?: Uint8Array, image?: string): PlatformMeasurements {
  const measured = measureSections(sections, { certificateDer: der });
  const registers = Object.entries(measured.registers).filter(([, value]) => !/^0+$/.test(value));
  return {
    platform: "nitro",
    shape: { architecture: "x86_64", ...(image !== undefined && { image }) },
    registers: Object.fromEntries(registers),
    sections: formatManifest(measured.sections),
  };
}

function published(...measurements: PlatformMeasurements[]): Statement<BootMeasurement> {
  const artifacts = ["app.eif", "other.eif"].map((name) => ({
    name,
    kind: "eif" as const,
    size: 4000,
    sha256: formatHex(sha256(utf8(name))),
    sha384: formatHex(sha384(utf8(name))),
  }));
  return readBootMeasurement(makeBootMeasurement({ ...release, artifacts, measurements }));
}

function file(sections: readonly LoadedSection[], der?: Uint8Array, architecture = "x86_64"): HashedFile {
  const { registers, sections: hashed } = measureSections(sections, { certificateDer: der });
  return {
    name: "app.eif",
    size: 4001,
    sha256: formatHex(sha256(utf8("other bytes"))),
    eif: { architecture, registers, sections: formatManifest(hashed) },
  };
}

const statement = published(entryOf(base));
const judge = (change: (sections: LoadedSection[]) => LoadedSection[]) =>
  checkArtifact(statement, file(change([...base])));

describe("an enclave image that is not the published bytes: equal PCRs alone are no yes", () => {
  it("is identical when its bytes are", () => {
    const same = { name: "copy.eif", size: 4000, sha256: formatHex(sha256(utf8("app.eif"))) };
    expect(checkArtifact(statement, same)).toMatchObject({ answer: "yes" });
  });

  it.each([
    ["another build time", (all: LoadedSection[]) => all.with(2, section("metadata", '{"BuildTime":"now"}'))],
    ["no metadata", (all: LoadedSection[]) => all.toSpliced(2, 1)],
    ["metadata elsewhere", (all: LoadedSection[]) => [...all.toSpliced(2, 1), all[2]!]],
    ["another header", (all: LoadedSection[]) => all],
  ])("is MEASUREMENT-EQUAL with %s, and that is not yes", (_name, change) => {
    const { answer, reason } = judge(change);
    expect(answer).toBe("undecided");
    expect(reason).toContain("MEASUREMENT-EQUAL to app.eif");
  });

  it.each([
    [
      "bytes moved from the kernel into the command line",
      (all: LoadedSection[]) =>
        all.with(0, section("kernel", "a ker")).with(1, section("cmdline", "nelquiet")),
      "kernel: expected 8 bytes, found 5",
    ],
    [
      "a ramdisk that is split",
      (all: LoadedSection[]) =>
        all.toSpliced(4, 1, section("ramdisk", "an app"), section("ramdisk", "lication")),
      "ramdisk 1: expected 14 bytes, found 6",
    ],
    [
      "another kernel",
      (all: LoadedSection[]) => all.with(0, section("kernel", "A kernel")),
      "kernel: expected sha384",
    ],
    [
      "a ramdisk more",
      (all: LoadedSection[]) => [...all, section("ramdisk", "x")],
      "expected none, found ramdisk 2",
    ],
    ["a ramdisk less", (all: LoadedSection[]) => all.slice(0, 4), "expected ramdisk 1, found none"],
    [
      "another order",
      (all: LoadedSection[]) => [all[0]!, all[3]!, all[1]!, all[4]!],
      "expected cmdline, found ramdisk 0",
    ],
  ])("differs with %s, and says where first", (_name, change, where) => {
    const { answer, reason } = judge(change);
    expect(answer).toBe("no");
    expect(reason).toContain(where);
  });

  it("says that PCRs are the same where only the boundaries are not", () => {
    const same = "every PCR is the same, as no PCR tells where a section ends";
    const shifted = [section("kernel", "a ker"), section("cmdline", "nelquiet")];
    expect(judge((all) => [...shifted, ...all.slice(2)]).reason).toContain(same);
    expect(judge((all) => all.with(0, section("kernel", "A kernel"))).reason).not.toContain(same);
  });

  it("differs when it is signed and the published one is not, or by another certificate", () => {
    const [one, other] = [utf8("certificate"), utf8("another")];
    expect(checkArtifact(statement, file(base, one)).reason).toContain("PCR8: expected none: not signed");
    const signed = published(entryOf(base, one));
    expect(checkArtifact(signed, file(base, other))).toMatchObject({ answer: "no" });
    expect(checkArtifact(signed, file(base))).toMatchObject({ answer: "no" });
    expect(checkArtifact(signed, file([...base, section("signature", "x")], one))).toMatchObject({
      answer: "undecided",
    });
  });

  it("differs for the other architecture, which no PCR sees", () => {
    const { answer, reason } = checkArtifact(statement, file(base, undefined, "aarch64"));
    expect([answer, reason]).toEqual(["no", expect.stringContaining("expected x86_64, found aarch64")]);
  });

  it("is compared with the likest of several images", () => {
    const other = base.with(4, section("ramdisk", "another application"));
    const both = published(entryOf(other, undefined, "other.eif"), entryOf(base, undefined, "app.eif"));
    expect(checkArtifact(both, file(base)).reason).toContain("MEASUREMENT-EQUAL to app.eif");
    const third = base.with(4, section("ramdisk", "a third"));
    expect(checkArtifact(both, file(third)).reason).toContain("differs from app.eif");
  });

  it("falls back to hashes where a release states no manifest, or the file has no one reading", () => {
    const bare = published({
      platform: "nitro",
      shape: {},
      registers: { PCR0: formatHex(sha384(utf8("x"))) },
    });
    expect(checkArtifact(bare, file(base)).reason).toContain("expected sha256");
    expect(checkArtifact(statement, { ...file(base), eif: undefined })).toMatchObject({ answer: "no" });
  });
});

describe("published PCRs and their section manifest", () => {
  const entry = entryOf(base);
  const withRegister = (of: PlatformMeasurements, name: string): PlatformMeasurements =>
    hasAxes(of) ? of : { ...of, registers: { ...of.registers, [name]: formatHex(sha384(utf8("x"))) } };

  it("belong together", () => {
    expect(checkMeasurements([entry])).toMatchObject({ answer: "yes" });
    expect(checkMeasurements([entryOf(base.slice(0, 4))])).toMatchObject({ answer: "yes" });
    const three = [...base, section("ramdisk", "third")];
    expect(checkMeasurements([entryOf(three)])).toMatchObject({ answer: "yes" });
  });

  it("are refused where they contradict each other", () => {
    expect(checkMeasurements([withRegister(entry, "PCR2")]).reason).toContain(
      "PCR2 is not of the second ramdisk",
    );
    const one = withRegister(entryOf(base.slice(0, 4)), "PCR1");
    expect(checkMeasurements([one])).toMatchObject({ answer: "no" });
  });

  it("are both among the values that a rebuild must give again, without what nothing measures", () => {
    expect(shapeValues(entry).map(({ shape, register }) => `${shape} ${register}`)).toEqual([
      "x86_64 PCR0",
      "x86_64 PCR1",
      "x86_64 PCR2",
      "x86_64 section kernel",
      "x86_64 section cmdline",
      "x86_64 section ramdisk 0",
      "x86_64 section ramdisk 1",
    ]);
  });
});
