import { describe, expect, it } from "vitest";
import fc from "fast-check";
import { asDigest, formatHex, utf8 } from "@bootproof/bytes";
import { measureFirmware } from "./firmware-reference.ts";
import { prepareFromReference, prepareSnp } from "./launch.ts";
import { measureSnp } from "./measure-snp.ts";
import { formatFirmwareReference, isFirmwareReference, parseFirmwareReference } from "./reference-json.ts";
import { resolveShape } from "./shape.ts";
import { references, suffix } from "./vectors.testing.ts";

const firmware = suffix("ovmf_AmdSev_suffix.bin");
const { reference } = measureFirmware(firmware);
const text = formatFirmwareReference(reference);
const milan = { vcpus: 4, cpu: "EPYC-Milan" };

const change = (from: string | RegExp, to: string): Uint8Array => {
  const changed = text.replace(from, to);
  if (changed === text) throw new Error(`${from} changes nothing`);
  return utf8(changed);
};

describe("firmware references: measuring without the image must not differ from measuring with it", () => {
  it("gives the image's digests from the document", () => {
    const read = parseFirmwareReference(utf8(text));
    const shape = resolveShape(milan);
    expect(prepareFromReference(read).digest(shape)).toEqual(prepareSnp(firmware).digest(shape));
    const [whole, short] = [firmware, read].map((given) => measureSnp({ firmware: given }, milan));
    expect(short!.registers).toEqual(whole!.registers);
    expect(short!.warnings).toEqual(whole!.warnings);
    const steps = [...short!.trace()];
    expect(steps[0]!.before).toEqual(reference.seed);
    expect(formatHex(steps.at(-1)!.after)).toBe(short!.registers["launchDigest"]);
    expect(steps.map(({ event }) => event.label)).toEqual(whole!.events.slice(1).map(({ label }) => label));
  });

  it("comes back as the same text, for every image that we know", () => {
    for (const [name, known] of references) {
      // QEMU does not launch it: its sections of size 0 are in the digests that other tools print.
      if (name === "sid-inteltdx.fd") continue;
      const written = formatFirmwareReference(known);
      expect(formatFirmwareReference(parseFirmwareReference(utf8(written)))).toBe(written);
      expect(isFirmwareReference(utf8(written))).toBe(true);
    }
    expect(isFirmwareReference(firmware)).toBe(false);
    expect(isFirmwareReference(new Uint8Array(4096).fill(0x20))).toBe(false);
  });

  it.each<[string, string | RegExp, string, string]>([
    ["another schema", "reference/1", "reference/2", "UNSUPPORTED"],
    ["no schema", /"schema": "[^"]+",/, "", "UNSUPPORTED"],
    ["an unknown key", '"size": 4096', '"size": 4096, "sise": 4096', "UNSUPPORTED"],
    ["a key twice", '"size": 4096', '"size": 4096, "size": 4096', "DUPLICATE"],
    ["no seed", /"seed": "[^"]+",/, "", "MISSING"],
    ["a seed in capitals", /"seed": "[^"]+"/, `"seed": "${"A".repeat(96)}"`, "BAD_ENCODING"],
    ["a short seed", /"seed": "../, '"seed": "', "BAD_ENCODING"],
    ["an odd size", '"size": 4096', '"size": 4097', "OUT_OF_RANGE"],
    ["a size as text", '"size": 4096', '"size": "4096"', "BAD_ENCODING"],
    ["a fraction of a page", '"size": 4096', '"size": 4096.5', "OUT_OF_RANGE"],
    ["a negative size", '"size": 4096', '"size": -4096', "OUT_OF_RANGE"],
    ["a size beyond QEMU's", '"size": 4096', '"size": 33554432', "TOO_LARGE"],
    ["no reset address", '"0x80b004"', '"0x0"', "OUT_OF_RANGE"],
    ["leading zeros", '"0x80b004"', '"0x0080b004"', "BAD_ENCODING"],
    ["33 bits", '"0x80b004"', '"0x180000000"', "BAD_ENCODING"],
    ["a section without its size", /"0x800000\+0x[0-9a-f]+ /, '"0x800000 ', "BAD_ENCODING"],
    ["a section of size 0", /"0x800000\+0x[0-9a-f]+ /, '"0x800000+0x0 ', "OUT_OF_RANGE"],
    ["an unaligned section", '"0x800000+', '"0x800001+', "OUT_OF_RANGE"],
    ["overlapping sections", /"0x800000\+0x[0-9a-f]+ /, '"0x800000+0xb000 ', "OUT_OF_RANGE"],
    ["a section as a number", /"0x800000\+[^"]+"/, "8388608", "BAD_ENCODING"],
    ["no sections", /"sections": \[[^\]]+\]/, '"sections": []', "MISSING"],
    ["sections as text", /"sections": \[[^\]]+\]/, '"sections": "none"', "BAD_ENCODING"],
    ["a hash table area without size", /"hashTable": "[^"]+"/, '"hashTable": "0x810c00"', "BAD_ENCODING"],
    ["text behind it", /\}\s*$/, "} {}", "TRAILING"],
  ])("refuses %s", (_, from, to, code) => {
    expect(() => parseFirmwareReference(change(from, to))).toThrow(
      expect.objectContaining({ name: "ParseError", code }) as Error,
    );
  });

  it("says nothing of offsets, as there is no file to look at", () => {
    expect(() => parseFirmwareReference(change('"0x800000+', '"0x800001+'))).toThrow(
      expect.objectContaining({ offset: undefined }) as Error,
    );
  });

  it("reads any bytes and any change of a document, or throws ParseError", () => {
    const cut = fc.tuple(fc.nat(text.length), fc.nat(6), fc.string({ maxLength: 4 }));
    const changed = cut.map(([at, length, put]) => utf8(text.slice(0, at) + put + text.slice(at + length)));
    fc.assert(
      fc.property(fc.oneof(changed, fc.uint8Array({ maxLength: 100 })), (bytes) => {
        try {
          const read = parseFirmwareReference(bytes);
          expect(prepareFromReference(read).digest(resolveShape(milan))).toHaveLength(48);
        } catch (error) {
          expect(error).toMatchObject({ name: "ParseError" });
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe("a digest of the firmware pages that was computed before", () => {
  const seed = asDigest("sha384", new Uint8Array(48).fill(7));

  it("takes the place of the image's, and says so when it is another's", () => {
    const own = measureSnp({ firmware, firmwareDigest: reference.seed }, milan);
    expect(own.warnings).toEqual([]);
    expect(own.events).toHaveLength(measureSnp({ firmware }, milan).events.length);
    const other = measureSnp({ firmware, firmwareDigest: seed }, milan);
    expect(other.warnings.map(({ code }) => code)).toEqual(["BP-SNP-115"]);
    expect(other.registers).toEqual(measureSnp({ firmware: { ...reference, seed } }, milan).registers);
    expect([...other.trace()][0]!.before).toEqual(seed);
  });
});
