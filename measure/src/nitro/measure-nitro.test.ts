import fc from "fast-check";
import { formatHex, parseHex, sha384, utf8 } from "@bootproof/bytes";
import { describe, expect, it } from "vitest";
import { MeasureError } from "../measure-error.ts";
import { measureNitroBytes, measureSections } from "./measure-bytes.ts";
import { measureNitro } from "./measure-nitro.ts";
import { instanceOfModule, pcr3Of, pcr4Of } from "./parent.ts";
import { pcrOf } from "./pcr.ts";
import {
  BOOTS,
  certificateOf,
  digestsOf,
  imageNamed,
  IMAGES,
  PARENTS,
  sectionsOf,
} from "./vectors.testing.ts";

const ZERO = "0".repeat(96);

describe("PCRs of an image: an enclave that runs what was published is recognised", () => {
  it.each(IMAGES)("$name: $note", (vector) => {
    const { registers } = measureSections(sectionsOf(vector), { certificateDer: certificateOf(vector) });
    expect(registers).toEqual({ PCR8: ZERO, ...vector.want });
  });

  it.each(BOOTS)("$name: what the guest read from its NSM device", ({ sections, machine, want }) => {
    const { role, iid } = machine;
    if (role !== undefined) expect(formatHex(pcr3Of(role))).toBe(want["PCR3"]);
    if (iid !== undefined) expect(formatHex(pcr4Of(iid))).toBe(want["PCR4"]);
    const ramdisks = sections.filter(([type]) => type === "ramdisk");
    // Of two ramdisks the second is all that PCR2 hashes, so its digest is enough.
    if (ramdisks.length === 2)
      expect(formatHex(pcrOf(parseHex(ramdisks[1]![2], "digest")))).toBe(want["PCR2"]);
  });

  it("replays its events to its registers", () => {
    const measurement = measureNitroBytes(
      {
        kernel: utf8("kernel"),
        cmdline: utf8("quiet"),
        ramdisks: [utf8("init")],
        certificateDer: utf8("certificate"),
      },
      { roleArn: "arn:aws:iam::123456789012:role/Webserver", instanceId: "i-0123456789abcdef0" },
    );
    const after = Object.fromEntries(
      [...measurement.trace()].map((step) => [step.event.register, formatHex(step.after)]),
    );
    expect(after).toEqual(measurement.registers);
    expect(measurement.events.map(({ type }) => type)).toEqual([
      "IMAGE",
      "BOOTSTRAP",
      "APPLICATION",
      "CERTIFICATE",
      "ROLE_ARN",
      "INSTANCE_ID",
    ]);
    expect(measurement.warnings).toEqual([]);
  });

  it("has PCR0 twice and a known PCR2 for an image with one ramdisk", () => {
    const one = measureNitroBytes({ kernel: utf8("k"), cmdline: utf8("c"), ramdisks: [utf8("r")] });
    expect(one.registers["PCR1"]).toBe(one.registers["PCR0"]);
    expect(one.registers["PCR2"]).toBe(PARENTS.constants["pcr2_when_single_ramdisk"]);
  });

  it("says zero for an enclave in debug mode, and warns", () => {
    const certificateDer = utf8("c");
    const debug = measureNitro(
      { ...digestsOf(sectionsOf(imageNamed("ok-2rd"))), certificateDer },
      { debug: true, instanceId: "i-0123456789abcdef0" },
    );
    expect(debug.registers).toEqual({
      PCR0: ZERO,
      PCR1: ZERO,
      PCR2: ZERO,
      PCR4: formatHex(pcr4Of("i-0123456789abcdef0")),
      PCR8: ZERO,
    });
    expect(debug.warnings.map(({ code }) => code)).toEqual(["BP-NITRO-101"]);
  });

  it("keeps PCRs when bytes move over a boundary, and the sections tell", () => {
    const [base, shifted] = ["ok-2rd", "shift-kernel-cmdline"].map((name) =>
      measureSections(sectionsOf(imageNamed(name))),
    );
    expect(shifted!.registers).toEqual(base!.registers);
    expect(shifted!.sections).not.toEqual(base!.sections);
  });
});

describe("the parent instance: PCR3 and PCR4 take text as it is spelled", () => {
  it.each(PARENTS.pcr3)("role $name", ({ name, want }) => {
    expect(formatHex(pcr3Of(name))).toBe(want);
  });

  it.each(PARENTS.pcr4)("instance $name", ({ name, want }) => {
    expect(formatHex(pcr4Of(name))).toBe(want);
  });

  it.each(PARENTS.documents)("module_id of $name", ({ moduleId, pcrs, matches }) => {
    const instance = instanceOfModule(moduleId);
    const agrees = instance !== undefined && formatHex(pcr4Of(instance)) === pcrs["PCR4"];
    expect(agrees).toBe(matches);
  });

  const measured = (shape: object) =>
    measureNitroBytes({ kernel: utf8("k"), cmdline: utf8("c"), ramdisks: [utf8("r")] }, shape);

  it.each([
    ["a profile", { roleArn: "arn:aws:iam::123456789012:instance-profile/Webserver" }, "BP-NITRO-102"],
    ["a session", { roleArn: "arn:aws:sts::123456789012:assumed-role/Webserver/i-1" }, "BP-NITRO-102"],
    ["a name alone", { roleArn: "Webserver" }, "BP-NITRO-102"],
    ["an enclave", { instanceId: "i-0123456789abcdef0-enc0123456789abcdef" }, "BP-NITRO-103"],
    ["letters", { instanceId: "i-0123456789ABCDEF0" }, "BP-NITRO-103"],
  ])("warns of %s", (_name, shape, code) => {
    expect(measured(shape).warnings.map((warning) => warning.code)).toEqual([code]);
  });

  it.each([
    "arn:aws:iam::123456789012:role/service-role/path/Name+=,.@-_1",
    "arn:aws-cn:iam::123456789012:role/N",
    "arn:aws-us-gov:iam::123456789012:role/N",
  ])("takes %s without a word", (roleArn) => {
    expect(measured({ roleArn }).warnings).toEqual([]);
  });

  it("refuses what is no such text at all", () => {
    for (const text of ["", " ", "role\n", "a b", "x".repeat(2049), "rôle"]) {
      expect(() => measured({ roleArn: text })).toThrow(expect.objectContaining({ code: "BP-NITRO-001" }));
      expect(() => measured({ instanceId: text })).toThrow(expect.objectContaining({ code: "BP-NITRO-002" }));
    }
  });

  it("answers or refuses any text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (roleArn) => {
        try {
          expect(measured({ roleArn }).registers["PCR3"]).toBe(formatHex(pcrOf(utf8(roleArn))));
        } catch (error) {
          expect(error).toBeInstanceOf(MeasureError);
        }
      }),
      { numRuns: 50 },
    );
  });
});

describe("certificates", () => {
  it("are hashed as DER, then extended", () => {
    const vector = imageNamed("signed-es384");
    const der = certificateOf(vector)!;
    expect(formatHex(pcrOf(sha384(der)))).toBe(vector.want["PCR8"]);
  });
});
