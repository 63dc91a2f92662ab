import { describe, expect, it } from "vitest";
import fc from "fast-check";
import { ByteWriter, concatBytes, ParseError, parseGuid, parseHex } from "@bootproof/bytes";
import { openSevImage, sevHashTableArea, sevResetAddress } from "../sev/sev-firmware.ts";
import { measureFirmware } from "./firmware-reference.ts";
import { hashDirectBoot } from "./kernel-hashes.ts";
import { lintFirmware } from "./lint-firmware.ts";
import { LINT_RULES } from "./lint-rules.ts";
import { buildMalformed, type MalformedVector } from "./malformed.testing.ts";
import { prepareSnp } from "./launch.ts";
import { suffix, vectors } from "./vectors.testing.ts";

const AMDSEV = suffix("ovmf_AmdSev_suffix.bin");
const GENERIC = suffix("ovmf_OvmfX64_suffix.bin");
const malformed = vectors<MalformedVector>("malformed.json");
const METADATA_AT = 4096 - 0x554;
/** Data of the SEV hash table area's entry. */
const HASH_TABLE_AT = 0xf84;
const boot = hashDirectBoot({ kernel: new Uint8Array(4096) });

const codes = (image: Uint8Array): string[] => lintFirmware(image).findings.map(({ code }) => code);

/** Whether a function refuses by ParseError; anything else that is thrown fails the test. */
function refuses(engine: () => unknown): boolean {
  try {
    engine();
    return false;
  } catch (error) {
    if (error instanceof ParseError) return true;
    throw error;
  }
}

/** The linter's answers beside the engine's. */
function agree(image: Uint8Array): void {
  const { findings, launches, kernelHashes } = lintFirmware(image);
  const refused = refuses(() => measureFirmware(image));
  const grave = findings.filter(({ severity }) => severity === "cannot launch");
  expect(
    { refused, launches: launches.qemu.snp.answer, grave: grave.length > 0 },
    JSON.stringify(grave),
  ).toEqual({ refused, launches: refused ? "no" : "yes", grave: refused });
  expect(launches.qemu.sev.answer === "yes").toBe(!refuses(() => openSevImage(image)));
  expect(launches.qemu["sev-es"].answer === "yes").toBe(!refuses(() => sevResetAddress(openSevImage(image))));
  if (launches.qemu.sev.answer === "yes")
    expect(kernelHashes.sev.usable).toBe(!refuses(() => sevHashTableArea(openSevImage(image))));
  if (!refused) expect(kernelHashes.snp.usable).toBe(!refuses(() => prepareSnp(image, boot)));
}

function sections(list: readonly (readonly [number, number, number])[], count = list.length): Uint8Array {
  const image = AMDSEV.slice();
  const view = new DataView(image.buffer);
  view.setUint32(METADATA_AT + 4, 16 + 12 * list.length, true);
  view.setUint32(METADATA_AT + 12, count, true);
  list.forEach((section, index) => {
    section.forEach((value, field) => {
      view.setUint32(METADATA_AT + 16 + 12 * index + 4 * field, value, true);
    });
  });
  return image;
}

const NEEDED = [
  [0x80_0000, 0x1000, 1],
  [0x80_1000, 0x1000, 2],
  [0x80_2000, 0x1000, 3],
] as const;

describe("the firmware linter agrees with the engine: no digest for what it calls unlaunchable, and only for that", () => {
  it.each(malformed)("$name: $why", (vector) => {
    agree(buildMalformed(vector));
  });

  it("on any bytes, without throwing", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 9000, size: "max" }), (bytes) => {
        agree(bytes);
      }),
    );
  });

  it("on every truncation and every extension by part of a page", () => {
    for (let length = 0; length <= AMDSEV.length; length += 61) agree(AMDSEV.subarray(0, length));
    for (const more of [1, 50, 4095, 4096, 61_440]) agree(concatBytes(new Uint8Array(more), AMDSEV));
  });

  it("on changes of up to four bytes, most of them in the table and the metadata", () => {
    const place = fc.oneof(
      fc.integer({ min: 0xf00, max: 0xfdf }),
      fc.integer({ min: METADATA_AT, max: METADATA_AT + 100 }),
      fc.nat(4095),
    );
    const value = fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 0x12, 0x16, 0xff));
    fc.assert(
      fc.property(
        fc.constantFrom(AMDSEV, GENERIC),
        fc.array(fc.tuple(place, value), { minLength: 1, maxLength: 4 }),
        (base, changes) => {
          const image = base.slice();
          for (const [offset, byte] of changes) image[offset] = byte;
          agree(image);
        },
      ),
      { numRuns: 3000 },
    );
  });

  it("on any list of sections and any area for kernel hashes", () => {
    const address = fc.oneof(
      fc.integer({ min: 0x7fe, max: 0x80a }).map((page) => page * 0x1000),
      fc.constantFrom(0, 0x80_0001, 0x7fff_f000, 0xffff_e000, 0xffff_f000),
      fc.nat(0xffff_ffff),
    );
    const size = fc.oneof(
      fc.constantFrom(0x1000, 0x1000, 0x1000, 0, 0x2000, 0xfff, 0x400_0000, 0xffff_f000),
      fc.nat(0xffff_ffff),
    );
    const type = fc.constantFrom(0, 1, 2, 3, 4, 5, 0x10, 0x101, 0xffff_ffff);
    const area = fc.tuple(
      fc.oneof(address, fc.constantFrom(0x80_0c00, 0x80_0fc0)),
      fc.constantFrom(0, 64, 176, 1024),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(address, size, type), { maxLength: 7 }), area, (list, [base, length]) => {
        const image = sections(list);
        const view = new DataView(image.buffer);
        view.setUint32(HASH_TABLE_AT, base, true);
        view.setUint32(HASH_TABLE_AT + 4, length, true);
        agree(image);
      }),
      { numRuns: 1500 },
    );
  });
});

describe("the firmware linter says", () => {
  it("nothing grave of firmware in use", () => {
    for (const image of [AMDSEV, GENERIC]) {
      expect(lintFirmware(image).findings.filter(({ severity }) => severity === "cannot launch")).toEqual([]);
      expect(lintFirmware(image).launches.qemu.snp.answer).toBe("yes");
    }
  });

  it("where kernel hashes go, or why nowhere", () => {
    expect(lintFirmware(AMDSEV).kernelHashes.snp).toEqual({
      usable: true,
      reasons: ["the table goes to 0x810c00, measured as NORMAL"],
    });
    expect(lintFirmware(GENERIC).kernelHashes.snp.usable).toBe(false);
    expect(codes(GENERIC)).toContain("BP-LINT-036");
  });

  it("what each VMM makes of each section", () => {
    const rows = lintFirmware(AMDSEV).sections.map(({ name, qemu, ec2, gce }) => [name, qemu, ec2, gce]);
    expect(rows).toEqual([
      ["SNP_SEC_MEM", "ZERO", "ZERO", "UNMEASURED"],
      ["SNP_SEC_MEM", "ZERO", "ZERO", "UNMEASURED"],
      ["SNP_SECRETS", "SECRETS", "SECRETS", "SECRETS"],
      ["CPUID", "CPUID", "CPUID, last", "CPUID"],
      ["SVSM_CAA", "ZERO", "not known", "ZERO"],
      ["SNP_KERNEL_HASHES", "ZERO or NORMAL", "not known", "ZERO or refused"],
      ["SNP_SEC_MEM", "ZERO", "ZERO", "UNMEASURED"],
    ]);
  });

  it("yes for everybody of the three types that everybody knows", () => {
    const { launches } = lintFirmware(sections(NEEDED));
    expect([launches.qemu.snp, launches.ec2.snp, launches.gce.snp].map(({ answer }) => answer)).toEqual([
      "yes",
      "yes",
      "yes",
    ]);
    expect(launches.gce.snp.measures).toContain("SNP_SEC_MEM as UNMEASURED");
  });

  it("that QEMU launches a type that nobody defines and Google's tool does not", () => {
    const { launches, findings } = lintFirmware(sections([...NEEDED, [0x80_3000, 0x1000, 5]]));
    expect(findings).toContainEqual(
      expect.objectContaining({ code: "BP-LINT-025", severity: "differs", section: 3, found: "0x5" }),
    );
    expect(launches.qemu.snp.answer).toBe("yes");
    expect(launches.ec2.snp.answer).toBe("could not decide");
    expect(launches.gce.snp).toMatchObject({
      answer: "no",
      reasons: [expect.stringContaining("(BP-LINT-025)")],
    });
  });

  it("all that is wrong at once, with the place in the file", () => {
    const image = sections([
      [0x80_0001, 0, 1],
      [0x80_1000, 0x2000, 2],
      [0x80_2000, 0x1000, 3],
      [0xffff_f000, 0x1000, 1],
    ]);
    expect(lintFirmware(image).findings.filter(({ severity }) => severity === "cannot launch")).toEqual([
      expect.objectContaining({
        code: "BP-LINT-019",
        section: 0,
        offset: METADATA_AT + 16,
        found: "0x800001",
      }),
      expect.objectContaining({ code: "BP-LINT-018", section: 0, offset: METADATA_AT + 20, found: "0x0" }),
      expect.objectContaining({ code: "BP-LINT-022", section: 1, offset: METADATA_AT + 28 }),
      expect.objectContaining({ code: "BP-LINT-023", section: 3, offset: METADATA_AT + 52 }),
    ]);
  });

  it("of an image without a table that it is no OVMF image, and that SEV guests do not mind", () => {
    const { launches, findings } = lintFirmware(new Uint8Array(65_536));
    expect(findings.map(({ code }) => code)).toEqual(["BP-LINT-003", "BP-LINT-014"]);
    expect(launches.qemu.sev.answer).toBe("yes");
    expect(launches.qemu["sev-es"].answer).toBe("no");
    expect(launches.gce.snp.answer).toBe("no");
  });

  it("that an old image with a bare SEV information block starts SEV-ES guests", () => {
    const image = new Uint8Array(65_536);
    image.set(parseHex("04b080001600de71f7007e1acb4f890e68c77e2fb44e", "block"), image.length - 54);
    const { launches, findings } = lintFirmware(image);
    expect(findings.map(({ code }) => code)).toContain("BP-LINT-048");
    expect(launches.qemu["sev-es"].answer).toBe("yes");
    expect(launches.qemu.snp.answer).toBe("no");
  });

  it("who takes which of two entries with one GUID", () => {
    const image = AMDSEV.slice();
    image.set(image.subarray(0xfbe, 0xfce), 0xfa8); // the secret area's GUID becomes the reset block's
    const found = lintFirmware(image).findings[0];
    expect(found).toMatchObject({ code: "BP-LINT-006", severity: "cannot launch", offset: 0xf9e });
    expect(found?.message).toMatch(
      /QEMU takes the one nearest the footer \(0xfb8\).*furthest from it \(0xf9e\)/,
    );
  });

  it.each([
    ["a size that -bios refuses", AMDSEV, "BP-LINT-042"],
    ["flash above 8 MiB", concatBytes(new Uint8Array(9 * 1024 * 1024 - 4096), AMDSEV), "BP-LINT-044"],
    ["more than 16 MiB", new Uint8Array(17 * 1024 * 1024), "BP-LINT-002"],
    ["part of a page", AMDSEV.subarray(1), "BP-LINT-001"],
    ["two CPUID sections", sections([...NEEDED, [0x80_3000, 0x1000, 3]]), "BP-LINT-029"],
    [
      "a CPUID section of two pages",
      sections([...NEEDED.slice(0, 2), [0x80_2000, 0x2000, 3]]),
      "BP-LINT-030",
    ],
    ["no CPUID section", sections(NEEDED.slice(0, 2)), "BP-LINT-026"],
    ["no secrets section", sections([NEEDED[0], NEEDED[2]]), "BP-LINT-027"],
    ["no SNP_SEC_MEM section", sections(NEEDED.slice(1)), "BP-LINT-028"],
    ["a section above 2 GiB", sections([...NEEDED, [0x8000_0000, 0x1000, 1]]), "BP-LINT-031"],
    ["bytes behind the last section", sections(NEEDED, 2), "BP-LINT-012"],
    ["an area for kernel hashes without its section", sections(NEEDED), "BP-LINT-037"],
    [
      "two sections for kernel hashes",
      sections([...NEEDED, [0x81_0000, 0x1000, 16], [0x81_1000, 0x1000, 16]]),
      "BP-LINT-041",
    ],
    [
      "a section for kernel hashes of two pages",
      sections([...NEEDED, [0x81_0000, 0x2000, 16]]),
      "BP-LINT-034",
    ],
    ["SEV sections that are placeholders in a TDX image", sections([...NEEDED, [0, 0, 4]]), "BP-LINT-045"],
    ["TDX metadata that lies outside", patched(0xf5a, 0xff), "BP-LINT-047"],
    ["a reset block with the data of two entries", patched(0xfbc, 22 + 26), "BP-LINT-017"],
    ["code without its variables", withVolume("8c8ce578-8a3d-4f1c-9935-896185c32dd3"), "BP-LINT-043"],
  ])("%s", (_, image, code) => {
    expect(codes(image)).toContain(code);
  });

  it("nothing of TDX when a section of an address has size 0", () => {
    expect(codes(sections([...NEEDED, [0x80_3000, 0, 4]]))).not.toContain("BP-LINT-045");
  });

  it("nothing of a missing variable store when there is one", () => {
    expect(codes(withVolume("fff12b8d-7696-4c8b-a985-2747075b4f50"))).not.toContain("BP-LINT-043");
  });

  it("each thing under a code of its own, and no code for nothing", () => {
    const seen = new Set(malformed.flatMap((vector) => codes(buildMalformed(vector))));
    for (const code of seen) expect(LINT_RULES).toHaveProperty(code);
    expect(seen.size).toBeGreaterThan(25);
  });
});

/** The end of an image with one byte changed. */
function patched(offset: number, byte: number): Uint8Array {
  const image = AMDSEV.slice();
  image[offset] = byte;
  return image;
}

/** The end of an image behind 60 KiB that start with an empty volume of a file system. */
function withVolume(fileSystem: string): Uint8Array {
  const volume = new ByteWriter()
    .zeros(16)
    .bytes(parseGuid(fileSystem, "file system"))
    .u64le(0x1000n)
    .u32le(0x4856_465f)
    .u32le(0)
    .u16le(0x48)
    .zeros(0x48 - 0x32)
    .finish();
  const view = new DataView(volume.buffer);
  let sum = 0;
  for (let at = 0; at < volume.length; at += 2) sum += view.getUint16(at, true);
  view.setUint16(0x32, -sum & 0xffff, true);
  return concatBytes(volume, new Uint8Array(61_440 - volume.length), AMDSEV);
}
