import { formatCanonicalJson, type JsonValue, ParseError, utf8 } from "@bootproof/bytes";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { makeBootMeasurement, readBootMeasurement, releaseArtifacts } from "./boot-measurement.ts";
import { formatCounts, parseCounts } from "./counts.ts";
import { makeProvenance, readProvenance } from "./provenance.ts";
import { makeRebuild, readRebuild, type Rebuild } from "./rebuild.ts";
import { digest256, digest384, rebuild, release } from "./releases.testing.ts";
import { formatStatement, parseStatement } from "./statement.ts";
import { BOOT_MEASUREMENT_TYPE, PROVENANCE_TYPE, REBUILD_TYPE, STATEMENT_TYPE } from "./type-uri.ts";

type Json = Record<string, JsonValue>;

const codeOf = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    if (error instanceof ParseError) return error.code;
    throw error;
  }
  return "accepted";
};

/** The document with the value at a dotted path replaced; undefined removes it. */
function change(document: JsonValue, path: string, value: JsonValue | undefined): JsonValue {
  const copy = structuredClone(document) as Json;
  const keys = path.split(".");
  const last = keys.pop()!;
  let at = copy;
  for (const key of keys) at = at[key] as Json;
  if (value === undefined) Reflect.deleteProperty(at, last);
  else at[last] = value;
  return copy;
}

const payload = formatStatement(makeBootMeasurement(release));
const document = JSON.parse(new TextDecoder().decode(payload)) as JsonValue;
const read = (changed: JsonValue): unknown =>
  readBootMeasurement(parseStatement(utf8(formatCanonicalJson(changed))));

describe("statements: a release must say exactly one thing, the same each time", () => {
  it("gives the same bytes whatever the order of the artifacts", () => {
    const shuffled = { ...release, artifacts: [...release.artifacts].reverse() };
    expect(formatStatement(makeBootMeasurement(shuffled))).toEqual(payload);
  });

  it("comes back whole", () => {
    const statement = readBootMeasurement(parseStatement(payload));
    expect(statement.predicateType).toBe(BOOT_MEASUREMENT_TYPE);
    expect(releaseArtifacts(statement)).toEqual(
      [...release.artifacts].sort((a, b) => (a.name < b.name ? -1 : 1)),
    );
    expect(statement.predicate.measurements).toEqual(release.measurements);
    expect(
      formatStatement(
        makeBootMeasurement({ ...statement.predicate, artifacts: releaseArtifacts(statement) }),
      ),
    ).toEqual(payload);
  });

  it("is an in-toto statement to anybody else's eyes", () => {
    expect(document).toMatchObject({
      _type: STATEMENT_TYPE,
      subject: [
        { name: "OVMF.fd", digest: { sha256: digest256("OVMF.fd"), sha384: digest384("OVMF.fd") } },
        {},
        {},
      ],
    });
  });

  it("refuses to publish an all-zero value", () => {
    const zero = { platform: "tdx", shape: {}, registers: { MRTD: "0".repeat(96) } };
    expect(() => makeBootMeasurement({ ...release, measurements: [zero] })).toThrow(/all-zero/);
  });

  it.each([
    ["another statement type", "_type", "https://in-toto.io/Statement/v0.1", "BAD_ENCODING"],
    ["an unknown key", "extra", 1, "UNSUPPORTED"],
    ["no subject", "subject", [], "NOT_CANONICAL"],
    ["no predicate", "predicate", undefined, "MISSING"],
    ["a predicate type that is no URI", "predicateType", "boot", "NOT_CANONICAL"],
    ["a subject with a path for a name", "subject.0.name", "../OVMF.fd", "NOT_CANONICAL"],
    ["a subject named twice", "subject.1.name", "OVMF.fd", "NOT_CANONICAL"],
    ["a subject without digest", "subject.0.digest", {}, "NOT_CANONICAL"],
    ["an upper-case digest", "subject.0.digest.sha256", digest256("x").toUpperCase(), "NOT_CANONICAL"],
    ["a short digest", "subject.0.digest.sha384", digest256("x"), "NOT_CANONICAL"],
    ["a subject without SHA-384", "subject.0.digest", { sha256: digest256("x") }, "MISSING"],
    ["an artifact that is no subject", "predicate.artifacts.0.name", "other", "NOT_CANONICAL"],
    ["an unknown kind", "predicate.artifacts.0.kind", "bios", "BAD_ENCODING"],
    ["a negative size", "predicate.artifacts.0.size", -1, "NOT_CANONICAL"],
    ["a fractional size", "predicate.artifacts.0.size", 1.5, "NOT_CANONICAL"],
    ["a release name with a star", "predicate.release.name", "snp-*", "NOT_CANONICAL"],
    ["a version with a line feed", "predicate.release.version", "1\n2", "NOT_CANONICAL"],
    ["an unknown key in the predicate", "predicate.validUntil", "2030", "UNSUPPORTED"],
    ["an unknown key in a measurement", "predicate.measurements.0.policy", "x", "UNSUPPORTED"],
    ["vCPUs in another spelling", "predicate.measurements.0.axes.vcpus", "1,2..8", "NOT_CANONICAL"],
    ["no vCPUs", "predicate.measurements.0.axes.vcpus", "", "NOT_CANONICAL"],
    ["a CPU model twice", "predicate.measurements.0.axes.cpu", ["EPYC", "EPYC"], "NOT_CANONICAL"],
    ["guest features as a number", "predicate.measurements.0.axes.guestFeatures", [1], "BAD_ENCODING"],
    ["a firmware without its seed", "predicate.measurements.2.reference.firmware.seed", undefined, "MISSING"],
    [
      "a section in another spelling",
      "predicate.measurements.2.reference.firmware.sections",
      ["1+1 1"],
      "NOT_CANONICAL",
    ],
    ["a profile in capitals", "predicate.measurements.2.profile", "QEMU", "NOT_CANONICAL"],
    ["a short kernel hash", "predicate.measurements.2.reference.kernelHashes.kernel", "00", "NOT_CANONICAL"],
    ["a short prefix", "predicate.measurements.0.reference.prefix", "00", "NOT_CANONICAL"],
    ["no VMSA", "predicate.measurements.0.reference.vmsas", [], "NOT_CANONICAL"],
    ["a reference on another platform", "predicate.measurements.0.platform", "tdx", "BAD_ENCODING"],
    ["no register", "predicate.measurements.1.registers", {}, "NOT_CANONICAL"],
    ["a register of odd length", "predicate.measurements.1.registers.PCR0", "00", "NOT_CANONICAL"],
    ["no predictor", "predicate.predictor", undefined, "MISSING"],
    ["no lock", "predicate.build.lock", undefined, "MISSING"],
  ] as [string, string, JsonValue | undefined, string][])("refuses %s", (_, path, value, code) => {
    expect(codeOf(() => read(change(document, path, value)))).toBe(code);
  });

  it("names the field that is wrong", () => {
    expect(() => read(change(document, "predicate.build.lock.sha256", "xyz"))).toThrow(
      'cannot read boot measurement build.lock.sha256: expected 32 bytes of lower-case hex, found "\\"xyz\\""',
    );
  });

  it("reads any change of one byte as a statement or throws ParseError", () => {
    fc.assert(
      fc.property(fc.nat(payload.length - 1), fc.nat(255), (at, byte) => {
        const changed = payload.slice();
        changed[at] = byte;
        codeOf(() => readBootMeasurement(parseStatement(changed)));
      }),
      { numRuns: 500 },
    );
  });

  it("reads any JSON as a statement or throws ParseError", () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        codeOf(() => parseStatement(utf8(text)));
        codeOf(() =>
          readBootMeasurement({
            subject: [],
            predicateType: "x:y",
            predicate: JSON.parse(text) as JsonValue,
          }),
        );
        codeOf(() =>
          readRebuild({ subject: [], predicateType: "x:y", predicate: JSON.parse(text) as JsonValue }),
        );
        codeOf(() =>
          readProvenance({ subject: [], predicateType: "x:y", predicate: JSON.parse(text) as JsonValue }),
        );
      }),
      { numRuns: 500 },
    );
  });
});

describe("rebuild: a confirmation must not claim more than its own digests show", () => {
  const differing: Rebuild["artifacts"] = rebuild.artifacts.map((one, index) =>
    index === 0 ? { ...one, found: { sha256: digest256("other"), size: 5 } } : one,
  );
  const missing = rebuild.artifacts.map(({ name, expected }) => ({ name, expected }));
  const register = {
    platform: "snp",
    shape: "qemu EPYC-v4 x 1",
    register: "launchDigest",
    expected: digest384("a"),
    found: digest384("b"),
  };
  const unequal = { compared: 8, differ: [register] };

  it.each([
    ["IDENTICAL", rebuild.artifacts, rebuild.registers],
    ["MEASUREMENT-EQUAL", differing, rebuild.registers],
    ["DIVERGED", differing, unequal],
    ["DIVERGED", rebuild.artifacts, unequal],
    ["DIVERGED", differing, { compared: 0, differ: [] }],
    ["BUILD-FAILED", missing, { compared: 0, differ: [] }],
    ["INPUTS-MISSING", missing, { compared: 0, differ: [] }],
  ] as const)("states %s", (verdict, artifacts, registers) => {
    const payload = formatStatement(makeRebuild({ ...rebuild, verdict, artifacts, registers }));
    const statement = readRebuild(parseStatement(payload));
    expect(statement.predicateType).toBe(REBUILD_TYPE);
    expect(statement.predicate.verdict).toBe(verdict);
    expect(statement.subject.map(({ name }) => name)).toEqual(["OVMF.fd", "vmlinuz"]);
  });

  it.each([
    ["IDENTICAL", differing, rebuild.registers],
    ["IDENTICAL", missing, rebuild.registers],
    ["IDENTICAL", rebuild.artifacts, unequal],
    ["MEASUREMENT-EQUAL", rebuild.artifacts, rebuild.registers],
    ["MEASUREMENT-EQUAL", differing, unequal],
    ["MEASUREMENT-EQUAL", differing, { compared: 0, differ: [] }],
    ["MEASUREMENT-EQUAL", missing, rebuild.registers],
    ["DIVERGED", rebuild.artifacts, rebuild.registers],
    ["BUILD-FAILED", rebuild.artifacts, rebuild.registers],
  ] as const)("refuses %s that its digests deny", (verdict, artifacts, registers) => {
    expect(codeOf(() => makeRebuild({ ...rebuild, verdict, artifacts, registers }))).toBe("NOT_CANONICAL");
  });

  it("refuses subjects other than the artifacts as claimed", () => {
    const made = makeRebuild(rebuild);
    const subject = made.subject.map(({ name }) => ({ name, digest: { sha256: digest256("another") } }));
    expect(codeOf(() => readRebuild({ ...made, subject }))).toBe("NOT_CANONICAL");
  });
});

describe("provenance: SLSA tools must be able to read how it was built", () => {
  it("names recipe, lock and every dependency, and reads back", () => {
    const descriptor = (name: string) => ({ name, digest: { sha256: digest256(name) } });
    const made = makeProvenance({
      artifacts: release.artifacts,
      release: release.release,
      recipe: descriptor("snp-guest.recipe.yaml"),
      lock: descriptor("snp-guest.lock.yaml"),
      actions: release.build.actions,
      dependencies: [descriptor("z.deb"), descriptor("a.deb")],
      builderId: "https://example.org/builder",
      builder: release.predictor,
    });
    const { predicateType, predicate } = readProvenance(parseStatement(formatStatement(made)));
    expect(predicateType).toBe(PROVENANCE_TYPE);
    expect(predicate.buildDefinition.resolvedDependencies.map(({ name }) => name)).toEqual([
      "a.deb",
      "z.deb",
    ]);
    expect(predicate.buildDefinition.externalParameters["release"]).toEqual(release.release);
    expect(predicate.runDetails.builder).toEqual({
      id: "https://example.org/builder",
      version: { bootproof: "0.1.0" },
    });
  });
});

describe("axes: a shape that was published must be found, and no other", () => {
  it.each([
    ["1", [1]],
    ["1..8", [1, 2, 3, 4, 5, 6, 7, 8]],
    ["1..2,4,8..9", [1, 2, 4, 8, 9]],
  ])("%s", (text, counts) => {
    expect(formatCounts(counts)).toBe(text);
    expect(parseCounts(text, "vcpus")).toEqual(counts);
  });

  it("reads back any set of counts", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 4096 }), { minLength: 1 }), (counts) => {
        expect(parseCounts(formatCounts(counts), "vcpus")).toEqual(counts.sort((a, b) => a - b));
      }),
    );
  });

  it.each([
    "",
    "0",
    "1,",
    "2,1",
    "1,2",
    "1..1",
    "2..1",
    "1..2..3",
    "01",
    "1 ",
    "4097",
    "1..4,4..8",
    "1-8",
    "..",
    "1..",
  ])("refuses %j", (text) => {
    expect(() => parseCounts(text, "vcpus")).toThrow(ParseError);
  });
});
