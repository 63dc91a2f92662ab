import fc from "fast-check";
import { ParseError, utf8 } from "@bootproof/bytes";
import { describe, expect, it } from "vitest";
import { type EifMetadata, formatEifMetadata, kernelConfigIdentity, parseEifMetadata } from "./metadata.ts";
import { readEif } from "./read.ts";
import { build, sectionsOf, sourceOf } from "./vectors.testing.ts";

const metadataOf = (name: string): Uint8Array =>
  sectionsOf(name).find(({ type }) => type === "metadata")!.data;

const A1 = {
  name: "research",
  version: "research",
  buildTool: "eif_build",
  buildToolVersion: "0.3.1",
  operatingSystem: "OS",
  kernelVersion: "kernel",
};
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const A1_TEXT = text(formatEifMetadata(A1));

describe("metadata: what describe-eif shows must be what was written", () => {
  it("is byte for byte what eif_build writes", () => {
    expect(formatEifMetadata(A1)).toEqual(metadataOf("a1.eif"));
    expect(
      formatEifMetadata({
        ...A1,
        name: "kernel",
        version: "1.0",
        buildTime: "2026-11-23T07:10:51.513439723+00:00",
      }),
    ).toEqual(metadataOf("a3.eif"));
  });

  it.each(["a1.eif", "a3.eif", "h512.eif", "s_es256.eif", "ok-2rd.eif"])(
    "of %s comes back the same",
    (name) => {
      const bytes = metadataOf(name);
      expect(formatEifMetadata(parseEifMetadata(bytes))).toEqual(bytes);
    },
  );

  it("is the same for the same values, in whatever order one's own are given", () => {
    const one = formatEifMetadata({ ...A1, custom: { b: 1, a: { d: "ü\n", c: null } } });
    const other = formatEifMetadata({ ...A1, custom: { a: { c: null, d: "ü\n" }, b: 1 } });
    expect(one).toEqual(other);
    expect(text(one)).toContain('"CustomMetadata":{"a":{"c":null,"d":"ü\\n"},"b":1}}');
  });

  it.each(["2026-11-23T07:10:51Z", "2026-11-23", "now", "2026-11-23T07:10:51+01:00"])(
    "is not written with the time %s, which AWS's tools spell otherwise",
    (buildTime) => {
      expect(() => formatEifMetadata({ ...A1, buildTime })).toThrow(RangeError);
    },
  );

  it("holds at most 4096 bytes of one's own", () => {
    expect(formatEifMetadata({ ...A1, custom: "x".repeat(4094) }).length).toBeGreaterThan(4096);
    expect(() => formatEifMetadata({ ...A1, custom: "x".repeat(4095) })).toThrow("at most 4096 bytes");
  });

  it.each([
    ["no JSON", "{x", "BAD_ENCODING"],
    ["an array", "[]", "MISSING"],
    ["null", "null", "MISSING"],
    ["an empty object", "{}", "MISSING"],
    ["a number as name", A1_TEXT.replace('"ImageName":"research"', '"ImageName":1'), "MISSING"],
    ["no DockerInfo", A1_TEXT.replace('"DockerInfo":null,', ""), "MISSING"],
    ["no CustomMetadata", A1_TEXT.replace(',"CustomMetadata":null', ""), "MISSING"],
    ["no BuildTime", A1_TEXT.replace('"BuildTime":"1970-01-01T00:00:00+00:00",', ""), "MISSING"],
    ["build metadata of null", A1_TEXT.replace(/\{"BuildTime.*?\}/, "null"), "MISSING"],
    ["a key twice", A1_TEXT.replace("{", '{"ImageName":"other",'), "DUPLICATE"],
    ["bytes behind it", `${A1_TEXT}x`, "TRAILING"],
    [
      "__proto__ for a name",
      A1_TEXT.replace('"ImageName":"research"', '"__proto__":{"ImageName":"x"}'),
      "MISSING",
    ],
  ])("is refused with %s", async (_, json, code) => {
    expect(() => parseEifMetadata(utf8(json))).toThrow(expect.objectContaining({ code }) as Error);
    const sections = sectionsOf("ok-2rd.eif").map((section) =>
      section.type === "metadata" ? { ...section, data: utf8(json) } : section,
    );
    const { findings, layout, parsedMetadata } = await readEif(sourceOf(build(sections)));
    const severity = code === "DUPLICATE" ? "notice" : "malformed";
    expect(findings).toContainEqual(expect.objectContaining({ code: "BP-EIF-020", severity }));
    expect(layout === undefined).toBe(severity === "malformed");
    expect(parsedMetadata).toBeUndefined();
  });

  it("takes system and version from a kernel's configuration as AWS's builder does", () => {
    const config = (line: string): Uint8Array => utf8(`#\n# Automatically generated\n${line}\n#\n`);
    expect(kernelConfigIdentity(config("# Linux/x86_64 6.6.79 Kernel Configuration"))).toEqual({
      operatingSystem: "Linux",
      kernelVersion: "6.6.79",
    });
    expect(kernelConfigIdentity(config("# Linux/arm64 6.12.107-1 Kernel Configuration"))?.kernelVersion).toBe(
      "6.12.107",
    );
    expect(kernelConfigIdentity(config(""))).toBeUndefined();
    expect(kernelConfigIdentity(new Uint8Array())).toBeUndefined();
  });

  it("comes back from its own bytes, whatever was said", () => {
    const string = fc.string({ unit: "grapheme" }).filter((value) => value.isWellFormed());
    const metadata: fc.Arbitrary<EifMetadata> = fc.record({
      name: string,
      version: string,
      buildTime: fc.constantFrom("1970-01-01T00:00:00+00:00", "2026-11-23T07:10:51.513439723+00:00"),
      buildTool: string,
      buildToolVersion: string,
      operatingSystem: string,
      kernelVersion: string,
      dockerInfo: fc.constantFrom(null, [], { a: 1 }, "x"),
      custom: fc.constantFrom(null, [], { a: { b: [true] } }),
    });
    fc.assert(
      fc.property(metadata, (written) => {
        expect(parseEifMetadata(formatEifMetadata(written))).toEqual(written);
      }),
    );
  });

  it("answers any change of a good one with metadata or ParseError", () => {
    const good = metadataOf("a1.eif");
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.nat(255), (at, byte) => {
        const bytes = good.slice();
        bytes[at] = byte;
        try {
          parseEifMetadata(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(ParseError);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
