import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import fc from "fast-check";
import { ByteWriter, formatDigest, formatHex, parseGuid, parseHex, sha384, utf8 } from "@bootproof/bytes";
import { prepareFromReference, prepareSnp } from "./launch.ts";
import { CLASSIC_SVSM_VMSA, SVSM_DEFAULT, snpProfile } from "./profiles.ts";
import { formatFirmwareReference, parseFirmwareReference } from "./reference-json.ts";
import { resolveShape } from "./shape.ts";
import {
  classicSvsmDigest,
  isClassicSvsmDigest,
  measureSvsm,
  measureSvsmImages,
  prepareSvsm,
  type SvsmInputs,
} from "./svsm.ts";
import { suffix, vectors } from "./vectors.testing.ts";
import { buildVmsa } from "./vmsa.ts";

interface SvsmVector {
  readonly name: string;
  readonly varsSize: number;
  readonly vcpus: number;
  readonly cpu: string;
  readonly by: "hardware" | "classic tool";
  readonly want: string;
}

const { references } = JSON.parse(
  readFileSync(new URL("../../vectors/svsm.json", import.meta.url), "utf8"),
) as { references: Record<string, unknown> };
const rows = vectors<SvsmVector>("svsm.json");
const profile = snpProfile(SVSM_DEFAULT);
const shape = { vcpus: 4, cpu: "EPYC-Milan" };

const SVSM_INFO = "a789a612-0597-4c4b-a49f-cbb1fe9d1ddd";
const SEV_METADATA = "dc886566-984a-4798-a75e-5585a7bf67cc";
const FOOTER = "96b582de-1fb2-45f7-baea-a366c55a082d";

/** An SVSM image as coconut builds it: sections, then a GUIDed table that names them and the launch offset. */
function makeSvsm({ launch = 0x1000, sections = [[0, 0x9e000, 1]] as number[][] } = {}): Uint8Array {
  const metadata = new ByteWriter(16 + 12 * sections.length).bytes(utf8("ASEV"));
  metadata
    .u32le(16 + 12 * sections.length)
    .u32le(1)
    .u32le(sections.length);
  for (const section of sections) for (const value of section) metadata.u32le(value);
  const image = new Uint8Array(0x3000).fill(0xcc);
  const entries: [string, number[]][] = [
    [SEV_METADATA, [0x400]],
    [SVSM_INFO, [launch]],
  ];
  const table = new ByteWriter(18 + entries.length * 22);
  for (const [guid, values] of entries) {
    for (const value of values) table.u32le(value);
    table.u16le(22).bytes(parseGuid(guid, "GUID"));
  }
  table.u16le(18 + entries.length * 22).bytes(parseGuid(FOOTER, "GUID"));
  image.set(metadata.finish(), image.length - 0x400);
  const bytes = table.finish();
  image.set(bytes, image.length - 32 - bytes.length);
  return image;
}

const inputs: SvsmInputs = {
  firmware: suffix("ovmf_OvmfX64_suffix.bin"),
  svsm: makeSvsm(),
  varsSize: 0x21000,
};

describe("SVSM guests: hardware decides, not the tool that everyone used", () => {
  it.each(rows)("$by: $name, $vcpus x $cpu, variable store of $varsSize bytes", (row) => {
    const reference = parseFirmwareReference(utf8(JSON.stringify(references[row.varsSize])));
    const launch = prepareFromReference(reference, undefined, profile);
    const resolved = resolveShape({ profile: SVSM_DEFAULT, vcpus: row.vcpus, cpu: row.cpu });
    const digest = row.by === "hardware" ? launch.digest(resolved) : classicSvsmDigest(launch, resolved);
    expect(formatDigest(digest)).toBe(row.want);
    expect(isClassicSvsmDigest(launch, resolved, parseHex(row.want, "want"))).toBe(row.by !== "hardware");
  });

  it("gives a host that copies FPU state its own digest", () => {
    const reference = parseFirmwareReference(utf8(JSON.stringify(references[540672])));
    const fpu = snpProfile("svsm-fpu");
    const digest = prepareFromReference(reference, undefined, fpu).digest(
      resolveShape({ profile: fpu.name, vcpus: 4, cpu: "EPYC-v4" }),
    );
    expect(formatDigest(digest)).toMatch(/^a250e27d/);
  });

  it("builds the VMSA of the classic tool byte for byte", () => {
    const state = { resetAddress: 0xffaea000, cpuSignature: 0x800f12, guestFeatures: 1n };
    const [bsp, ap] = (["bsp", "ap"] as const).map((role) =>
      buildVmsa(CLASSIC_SVSM_VMSA, { role, ...state }),
    );
    expect(bsp).toEqual(ap);
    expect(formatHex(sha384(bsp!))).toMatch(/^9bcd6592450e93e3/);
  });
});

describe("SVSM images: where they lie and what they ask for", () => {
  it("measures both images, the SVSM's sections and VMSAs that start in it", () => {
    const { events, warnings, registers, coverage } = measureSvsm(inputs, shape);
    const base = 0x1_0000_0000 - 0x1000 - 0x21000 - 0x3000;
    expect(events.map(({ type, source }) => `${type} ${source.artifact}`)).toEqual([
      "NORMAL firmware",
      ...Array<string>(3).fill("NORMAL svsm"),
      ...Array<string>(0x9e).fill("ZERO firmware"),
      ...Array<string>(4).fill("VMSA vmm"),
    ]);
    expect(events[1]!.guestAddress).toBe(BigInt(base));
    const resolved = resolveShape({ ...shape, profile: SVSM_DEFAULT });
    const vmsa = buildVmsa(profile.vmsa, {
      role: "bsp",
      resetAddress: base + 0x1000,
      cpuSignature: resolved.cpuSignature,
      guestFeatures: 1n,
    });
    for (const event of events.slice(-4)) expect(event.digest).toEqual(sha384(vmsa));
    expect(warnings.map(({ code }) => code)).toEqual(["BP-SNP-107", "BP-SNP-107", "BP-SNP-116"]);
    expect(coverage.covered.map(({ input }) => input)).toContain("size of the variable store");
    const last = [...measureSvsm(inputs, shape).trace()].at(-1)!;
    expect(formatHex(last.after)).toBe(registers["launchDigest"]);
  });

  it("sees the size of the variable store, guest features and the CPU", () => {
    const digests = [
      measureSvsm(inputs, shape),
      measureSvsm({ ...inputs, varsSize: 0x22000 }, shape),
      measureSvsm(inputs, { ...shape, guestFeatures: 0x9n }),
      measureSvsm(inputs, { ...shape, cpu: "EPYC-Genoa" }),
      measureSvsm(inputs, { ...shape, profile: "svsm-fpu" }),
    ].map(({ registers }) => registers["launchDigest"]);
    expect(new Set(digests).size).toBe(5);
  });

  it("keeps SVSM, OVMF and libkrun launches apart", () => {
    const wrong = expect.objectContaining({ code: "BP-SNP-010" }) as Error;
    expect(() => measureSvsm(inputs, { ...shape, profile: "qemu" })).toThrow(wrong);
    expect(() => prepareSnp(inputs.firmware, undefined, profile)).toThrow(wrong);
    const written = formatFirmwareReference(measureSvsmImages(inputs).reference);
    const read = parseFirmwareReference(utf8(written));
    expect(() => prepareFromReference(read)).toThrow(wrong);
    const resolved = resolveShape({ ...shape, profile: SVSM_DEFAULT });
    expect(prepareFromReference(read, undefined, profile).digest(resolved)).toEqual(
      prepareSvsm(inputs).digest(resolved),
    );
  });

  it.each<[string, Partial<SvsmInputs>, string]>([
    ["part of a page as variable store", { varsSize: 0x21001 }, "size of the variable store"],
    ["a negative variable store", { varsSize: -4096 }, "size of the variable store"],
    ["a variable store beyond QEMU's", { varsSize: 0x2000000 }, "size of the variable store"],
    ["an SVSM of part of a page", { svsm: makeSvsm().subarray(0, 0x2fff) }, "firmware image size"],
    ["an SVSM without a table", { svsm: new Uint8Array(0x1000) }, "GUIDed table footer"],
    ["an image that is no SVSM", { svsm: suffix("ovmf_AmdSev_suffix.bin") }, "SVSM info"],
    ["a launch offset outside the image", { svsm: makeSvsm({ launch: 0x3000 }) }, "SVSM launch offset"],
    [
      "sections that overlap",
      {
        svsm: makeSvsm({
          sections: [
            [0, 0x2000, 1],
            [0x1000, 0x1000, 2],
          ],
        }),
      },
      "section 0",
    ],
    ["sections inside the images", { svsm: makeSvsm({ sections: [[0xfffdb000, 0x1000, 1]] }) }, "section 0"],
    ["no sections", { svsm: makeSvsm({ sections: [] }) }, "SEV metadata sections"],
  ])("refuses %s", (_, change, at) => {
    expect(() => prepareSvsm({ ...inputs, ...change })).toThrow(at);
    expect(() => prepareSvsm({ ...inputs, ...change })).toThrow(
      expect.objectContaining({ name: "ParseError" }) as Error,
    );
  });

  it("gives a digest or a ParseError for any change of the image's end", () => {
    const change = fc.tuple(fc.integer({ min: 0x2b00, max: 0x2fff }), fc.nat(255));
    fc.assert(
      fc.property(fc.array(change, { maxLength: 5 }), fc.nat(0x40000), (changes, varsSize) => {
        const svsm = makeSvsm();
        for (const [offset, value] of changes) svsm[offset] = value;
        try {
          expect(measureSvsm({ ...inputs, svsm, varsSize }, shape).registers).toHaveProperty("launchDigest");
        } catch (error) {
          expect(error).toMatchObject({ name: "ParseError" });
        }
      }),
    );
  });
});
