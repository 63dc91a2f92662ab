import { readFileSync } from "node:fs";

import { ParseError, utf8 } from "@bootproof/bytes";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { MeasureError } from "../measure-error.ts";
import { hashDirectBoot } from "./kernel-hashes.ts";
import { prepareSnp } from "./launch.ts";
import { formatSnpReference, openReference, SNP_REFERENCE_SCHEMA } from "./reference-document.ts";
import { referenceOf } from "./reference.ts";
import { formatFirmwareReference } from "./reference-json.ts";

const firmware = new Uint8Array(
  readFileSync(new URL("../../vectors/ovmf_AmdSev_suffix.bin", import.meta.url)),
);
const boot = hashDirectBoot({ kernel: new Uint8Array(4096), cmdline: utf8("quiet") });
const launch = prepareSnp(firmware, boot);
const reference = referenceOf(launch, [{ vcpus: 1, cpu: "EPYC" }]);
const document = JSON.parse(formatSnpReference(reference)) as Record<string, unknown>;
const bytesOf = (value: unknown): Uint8Array => utf8(JSON.stringify(value));

describe("references in files", () => {
  it("open to the firmware, kernel hashes and profile that they were made from", () => {
    const opened = openReference(utf8(formatSnpReference(reference)));
    expect(opened.directBoot).toEqual(boot);
    expect(opened.profile).toBe("qemu-kvm-mainline");
    expect(opened.firmware.seed).toEqual(launch.prefix.firmware!.seed);
    const alone = openReference(utf8(formatFirmwareReference(opened.firmware)));
    expect(alone).toMatchObject({ directBoot: undefined, profile: undefined });
  });

  it.each([
    ["another schema", { schema: "bootproof/other/1" }, "schema"],
    ["an unknown key", { surprise: 1 }, "key of the reference"],
    ["no prefix", { prefix: undefined }, "prefix of the reference"],
    ["an upper-case prefix", { prefix: "AB".repeat(48) }, "prefix of the reference"],
    ["no firmware", { firmware: undefined }, "firmware of the reference"],
    ["a firmware that is none", { firmware: [] }, "firmware reference"],
    ["kernel hashes without the initrd", { kernelHashes: { kernel: "00", cmdline: "00" } }, "initrd"],
    ["VMSAs that are no list", { vmsas: {} }, "VMSAs"],
    [
      "a VMSA with two spellings of features",
      { vmsas: [{ ...reference.vmsas[0], guestFeatures: "0x01" }] },
      "features",
    ],
    [
      "a CPU signature beyond 32 bits",
      { vmsas: [{ ...reference.vmsas[0], cpuSignature: "0x100000000" }] },
      "signature",
    ],
  ])("with %s are refused instead of half read", (_name, change, message) => {
    const attempt = (): unknown => openReference(bytesOf({ ...document, ...change }));
    expect(attempt).toThrow(ParseError);
    expect(attempt).toThrow(message);
  });

  it("whose digests do not follow from the firmware are refused: nobody could have measured both", () => {
    const other = bytesOf({ ...document, prefix: "ab".repeat(48) });
    expect(() => openReference(other)).toThrow(MeasureError);
  });

  it("of any bytes open or are refused with a reason", () => {
    const text = formatSnpReference(reference);
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.string({ maxLength: 3 }), (at, insert) => {
        try {
          openReference(utf8(text.slice(0, at) + insert + text.slice(at + 1)));
        } catch (error) {
          if (!(error instanceof ParseError || error instanceof MeasureError)) throw error;
        }
      }),
      { numRuns: 300 },
    );
    expect(SNP_REFERENCE_SCHEMA).toBe(document["schema"]);
  });
});
