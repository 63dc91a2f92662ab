import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { concatBytes, ParseError, sha384, utf8 } from "@bootproof/bytes";
import { looksLikeReport, readReport, REPORT_LENGTH } from "./report-measurement.ts";

const measurement = sha384(utf8("a launch"));

function report(version = 3): Uint8Array {
  const bytes = new Uint8Array(REPORT_LENGTH);
  const view = new DataView(bytes.buffer);
  view.setUint32(0x000, version, true);
  view.setUint32(0x034, 1, true);
  bytes.set(measurement, 0x090);
  bytes.set([25, 17, 1], 0x188); // Genoa B1
  return bytes;
}

describe("readReport: the launch digest of an attestation report", () => {
  it("reads the digest and the machine's processor", () => {
    expect(readReport(report())).toEqual({ version: 3, measurement, cpuSignature: 0xa10f11 });
  });

  it("takes no processor from reports that have no field for it", () => {
    expect(readReport(report(2)).cpuSignature).toBeUndefined();
  });

  it("reads reports behind the headers that they are handed out with", () => {
    const response = new Uint8Array(0x20);
    new DataView(response.buffer).setUint32(4, REPORT_LENGTH, true);
    const azure = concatBytes(utf8("HCLA"), new Uint8Array(0x1c));
    for (const header of [response, azure]) {
      const wrapped = concatBytes(header, report(), new Uint8Array(100));
      expect(looksLikeReport(wrapped)).toBe(true);
      expect(readReport(wrapped).measurement).toEqual(measurement);
    }
    expect(looksLikeReport(new Uint8Array(4096).fill(1))).toBe(false);
  });

  it.each<[string, number, number]>([
    ["version 0", 0x000, 0],
    ["version 17", 0x000, 17],
    ["another signature algorithm", 0x034, 2],
  ])("refuses %s", (_name, offset, value) => {
    const broken = report();
    new DataView(broken.buffer).setUint32(offset, value, true);
    expect(() => readReport(broken)).toThrow(ParseError);
  });

  it("reads any bytes or throws ParseError", () => {
    const reads = (bytes: Uint8Array): void => {
      try {
        readReport(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(ParseError);
      }
    };
    fc.assert(fc.property(fc.uint8Array({ maxLength: 2 * REPORT_LENGTH }), reads));
    fc.assert(
      fc.property(fc.nat(REPORT_LENGTH - 1), fc.nat(255), (offset, value) => {
        reads(report().with(offset, value));
      }),
    );
  });
});
