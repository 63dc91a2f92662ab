import { formatHex, sha256 } from "@bootproof/bytes";
import {
  findGuidEntry,
  HASH_TABLE_GUID,
  parseSevFirmware,
  RESET_BLOCK_GUID,
  SECRET_AREA_GUID,
  SEV_METADATA_GUID,
  type SevSection,
} from "@bootproof/ovmf";
import { describe, expect, it } from "vitest";

import { explainLaunches } from "../explain/explain.ts";
import type { Explanation } from "../explain/explanation.ts";
import { explain as explainAny } from "../explain/index.ts";
import { type GuestFiles, measuredSide } from "../explain/measured-side.ts";
import { type Artifacts, type Side, sideOfDocument, sideOfMeasurement } from "../explain/side.ts";
import { formatTraceStep, parseLaunchDocument } from "../trace-document.ts";
import { traceReplay } from "../replay.ts";
import { firmwareSide, amdDescriber } from "./describe-launch.ts";
import { type FirmwareReference, measureFirmware } from "./firmware-reference.ts";
import { measureSnp } from "./measure-snp.ts";
import { extendLaunchDigest, START } from "./page-info.ts";
import type { SnpShape } from "./shape.ts";
import { snpTraceRule } from "./trace-rule.ts";
import { inputs, suffix } from "./vectors.testing.ts";

const FIRMWARE = suffix("ovmf_AmdSev_suffix.bin");
const KERNEL = inputs.get("kernel-a")!;
const INITRD = inputs.get("initrd-a")!;
const SHAPE: SnpShape = { vcpus: 4, cpu: "EPYC-v4" };
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

type Files = GuestFiles & { readonly firmware: Uint8Array };

interface Launch {
  readonly files: Files;
  readonly shape: SnpShape;
}

const BASE: Launch = { files: { firmware: FIRMWARE }, shape: SHAPE };
const BOOT: Launch = {
  files: { firmware: FIRMWARE, kernel: KERNEL, initrd: INITRD, cmdline: utf8("console=ttyS0") },
  shape: SHAPE,
};

function artifactsOf({ firmware, kernel, initrd, cmdline }: Files): Artifacts {
  const given = { firmware, kernel, initrd, cmdline: typeof cmdline === "string" ? utf8(cmdline) : cmdline };
  return Object.fromEntries(
    Object.entries(given).flatMap(([role, bytes]) => (bytes === undefined ? [] : [[role, bytes] as const])),
  );
}

/** With the files at hand. */
function known({ files, shape }: Launch): Side {
  return sideOfMeasurement(measureSnp(files, shape), artifactsOf(files));
}

/** What `measure --json` writes, with `--trace` or without, read back without any file at hand. */
function written({ files, shape }: Launch, trace: boolean): Side {
  const { platform, shape: resolved, registers, events, coverage } = measureSnp(files, shape);
  const document = {
    schema: "bootproof/measurement/1",
    platform,
    shape: resolved,
    registers,
    coverage,
    inputs: Object.entries(artifactsOf(files)).map(([role, bytes]) => ({
      role,
      size: bytes.length,
      sha256: formatHex(sha256(bytes)),
    })),
    ...(trace && { events: [...traceReplay(START, extendLaunchDigest, events)].map(formatTraceStep) }),
  };
  return sideOfDocument(parseLaunchDocument(utf8(JSON.stringify(document)), { snp: snpTraceRule }));
}

const explain = (a: Side, b: Side): Explanation => explainLaunches(a, b, { snp: amdDescriber });

function patched(...changes: [offset: number, value: number][]): Uint8Array<ArrayBuffer> {
  const copy = FIRMWARE.slice();
  const view = new DataView(copy.buffer);
  for (const [offset, value] of changes) view.setUint32(offset, value, true);
  return copy;
}

function withByte(offset: number): Uint8Array<ArrayBuffer> {
  const copy = FIRMWARE.slice();
  copy[offset] = (copy[offset] ?? 0) ^ 1;
  return copy;
}

const { table, metadata } = parseSevFirmware(FIRMWARE);
const section = (type: string): SevSection => metadata.sections.find(({ name }) => name === type)!;
const entry = (guid: string): number => findGuidEntry(table, guid)!.offset;

/** The image with two descriptors in each other's place. */
function swapped(one: number, other: number): Uint8Array<ArrayBuffer> {
  const copy = FIRMWARE.slice();
  const at = (index: number): number => metadata.sections[index]!.offset;
  copy.set(FIRMWARE.subarray(at(one), at(one) + 12), at(other));
  copy.set(FIRMWARE.subarray(at(other), at(other) + 12), at(one));
  return copy;
}

/** The image with its metadata elsewhere and one section more or less. */
function withSections(edit: (sections: number[][]) => number[][]): Uint8Array<ArrayBuffer> {
  const copy = FIRMWARE.slice();
  const view = new DataView(copy.buffer);
  const sections = edit(metadata.sections.map(({ guestAddress, size, type }) => [guestAddress, size, type]));
  const offset = 0x100;
  copy.set(utf8("ASEV"), offset);
  [16 + 12 * sections.length, 1, sections.length].forEach((value, index) => {
    view.setUint32(offset + 4 + 4 * index, value, true);
  });
  sections.flat().forEach((value, index) => view.setUint32(offset + 16 + 4 * index, value, true));
  view.setUint32(entry(SEV_METADATA_GUID), FIRMWARE.length - offset, true);
  return copy;
}

const firmware = (image: Uint8Array, base: Launch = BASE): Launch => ({
  ...base,
  files: { ...base.files, firmware: image },
});
const boot = (files: Partial<Files>): Launch => ({ ...BOOT, files: { ...BOOT.files, ...files } });
const shape = (change: Partial<SnpShape>, base: Launch = BASE): Launch => ({
  ...base,
  shape: { ...base.shape, ...change },
});

/** The planned difference; what is named first with the files at hand, with traces, with measurements alone. */
type Planned = readonly [name: string, a: Launch, b: Launch, first: RegExp, trace?: RegExp, bare?: RegExp];

const HASHES = /^the kernel hashes table differs|^the kernel differs/;
const SECTION = /^the firmware differs/;

const PLANNED: readonly Planned[] = [
  [
    "one byte of the code",
    BASE,
    firmware(withByte(0xbb0)),
    /^1 byte of .* differs/,
    /^the firmware differs: 1 page/,
    SECTION,
  ],
  [
    "the reset vector",
    BASE,
    firmware(withByte(0xff8)),
    /^1 byte of reset vector differs/,
    /^the firmware differs/,
    SECTION,
  ],
  [
    "a moved section",
    BASE,
    firmware(patched([section("CPUID").offset, 0x9f0000])),
    /^SEV metadata section \d \(CPUID\) has another guest address$/,
    /^SEV metadata section \d \(CPUID\) has another guest address$/,
    SECTION,
  ],
  [
    "a resized section",
    BASE,
    firmware(patched([section("SNP_SEC_MEM").offset + 4, 0x1000])),
    /^SEV metadata section \d \(SNP_SEC_MEM\) is resized$/,
    /^SEV metadata section \d \(SNP_SEC_MEM\) is resized$/,
    SECTION,
  ],
  [
    "a section of another type",
    BASE,
    firmware(patched([section("SNP_SECRETS").offset + 8, 1])),
    /^SEV metadata section \d \(SNP_SECRETS\) has another type$/,
    /^SEV metadata section \d \(SNP_SECRETS\) has another type$/,
    SECTION,
  ],
  [
    "sections in another order",
    BASE,
    firmware(swapped(0, 1)),
    /^the SEV metadata sections stand in another order, from position 0 on$/,
    /^the SEV metadata sections stand in another order, from position 0 on$/,
    SECTION,
  ],
  [
    "a section more",
    BASE,
    firmware(withSections((sections) => [...sections, [0x9f0000, 0x1000, 4]])),
    /^only B has SEV metadata section \d \(SVSM_CAA\), 0x1000 bytes at guest address 0x9f0000$/,
    /^only B has SEV metadata section \d \(SVSM_CAA\)/,
    SECTION,
  ],
  [
    "a section less",
    firmware(withSections((sections) => sections)),
    firmware(withSections((sections) => sections.slice(1))),
    /^only A has SEV metadata section 0 \(SNP_SEC_MEM\)/,
    /^only A has SEV metadata section 0 \(SNP_SEC_MEM\)/,
    SECTION,
  ],
  [
    "the AP reset address",
    BASE,
    firmware(patched([entry(RESET_BLOCK_GUID), 0x0080_c004])),
    /^the AP reset address differs$/,
    /^the AP reset address differs$/,
    SECTION,
  ],
  [
    "the hash table area",
    BASE,
    firmware(patched([entry(HASH_TABLE_GUID), 0x810800])),
    /^the area for the kernel hashes table differs$/,
    /^the firmware differs: 1 page/,
    SECTION,
  ],
  [
    "the secret area",
    BASE,
    firmware(patched([entry(SECRET_AREA_GUID) + 4, 0x800])),
    /^the area for injected secrets differs$/,
    /^the firmware differs: 1 page/,
    SECTION,
  ],
  [
    "a longer image",
    BASE,
    firmware(new Uint8Array([...new Uint8Array(4096), ...FIRMWARE])),
    /^the firmware images have different sizes/,
    /^the firmware images have different sizes/,
    /^the firmware images have different sizes/,
  ],
  ["the number of vCPUs", BASE, shape({ vcpus: 5 }), /^the number of vCPUs differs$/],
  ["one vCPU", shape({ vcpus: 1 }), shape({ vcpus: 2 }), /^the number of vCPUs differs$/],
  ["the CPU model", BASE, shape({ cpu: "EPYC-Milan" }), /^the CPU model differs$/],
  [
    "guest features",
    BASE,
    shape({ guestFeatures: 0x21n }),
    /^the guest features differ: only B has DebugSwap$/,
  ],
  ["a profile with other features", BASE, shape({ profile: "qemu-debug-swap" }), /^the profiles differ$/],
  ["a profile without FPU state", BASE, shape({ profile: "qemu-amdese-old" }), /^the profiles differ$/],
  ["EC2 for QEMU", BASE, shape({ vmm: "ec2" }), /^the profiles differ$/],
  ["GCE for QEMU", BASE, shape({ vmm: "gce" }), /^the profiles differ$/],
  ["EC2's epochs", shape({ profile: "ec2-rdx0" }), shape({ profile: "ec2-rdx600" }), /^the profiles differ$/],
  [
    "GCE's machines",
    shape({ profile: "gce-milan" }),
    shape({ profile: "gce-genoa" }),
    /^the profiles differ$/,
  ],
  ["the kernel", BOOT, boot({ kernel: KERNEL.with(0x300, 1) }), /^the kernel differs$/, HASHES],
  ["the initrd", BOOT, boot({ initrd: INITRD.with(5, INITRD[5]! ^ 1) }), /^the initrd differs$/],
  ["no initrd", BOOT, boot({ initrd: undefined }), /^only A has an initrd$/],
  ["the command line", BOOT, boot({ cmdline: "console=ttyS1" }), /^the command line differs$/],
  [
    "a trailing newline",
    BOOT,
    boot({ cmdline: "console=ttyS0\n" }),
    /^the command line differs: B is A with a trailing newline$/,
    /^the command line differs/,
    /^the command line differs/,
  ],
  [
    "a trailing NUL",
    boot({ cmdline: "console=ttyS0\0" }),
    BOOT,
    /^the command line differs: A is B with a trailing NUL$/,
    /^the command line differs/,
    /^the command line differs/,
  ],
  [
    "outer spaces",
    BOOT,
    boot({ cmdline: "  console=ttyS0 " }),
    /^the command line differs: B is A with white space around it$/,
    /^the command line differs/,
    /^the command line differs/,
  ],
  [
    "inner spaces",
    boot({ cmdline: "a b" }),
    boot({ cmdline: "a  b" }),
    /^the command line differs: only in white space$/,
    /^the command line differs/,
    /^the command line differs/,
  ],
  ["no command line", BOOT, boot({ cmdline: undefined }), /^only A has a command line$/],
  [
    "kernel and initrd swapped",
    BOOT,
    boot({ kernel: INITRD, initrd: KERNEL }),
    /^kernel and initrd are swapped$/,
  ],
  [
    "kernel hashes off",
    BOOT,
    boot({ kernelHashes: false }),
    /^only one side measures the hashes of kernel, initrd and command line$/,
  ],
  ["no kernel", BOOT, BASE, /^only one side measures the hashes/],
];

const ROWS = PLANNED.map(([name, a, b, first, trace = first, bare = trace]) => ({
  ...{ name, a, b },
  ...{ first, trace, bare },
}));

describe("explaining two launches that differ in one way", () => {
  it.each(ROWS)("names $name first", ({ a, b, first, trace, bare }) => {
    const withFiles = explain(known(a), known(b));
    expect(withFiles.verdict).toBe("differs");
    expect(withFiles.first?.what).toMatch(first);
    const traces = explain(written(a, true), written(b, true));
    expect(traces.verdict).toBe("differs");
    expect(traces.first?.what).toMatch(trace);
    const measurements = explain(written(a, false), written(b, false));
    expect(measurements.verdict).toBe("differs");
    expect(measurements.first?.what).toMatch(bare);
  });

  it.each(ROWS)("says nothing that is not so: $name", ({ a, b }) => {
    const { others, first } = explain(known(a), known(b));
    const unrelated = others.filter(({ subject }) => subject === "event" || subject === "vmsa");
    expect(unrelated, first?.what).toEqual([]);
  });

  it("finds no difference where there is none", () => {
    for (const side of [known(BOOT), written(BOOT, true), written(BOOT, false)]) {
      const same = explain(side, known(BOOT));
      expect(same).toMatchObject({ verdict: "same", others: [], unseen: [] });
      expect(same.first).toBeUndefined();
    }
  });

  it("tells of a kernel that no register sees, and calls the launches the same", () => {
    const [a, b] = [boot({ kernelHashes: false }), boot({ kernelHashes: false, kernel: KERNEL.with(9, 9) })];
    const { verdict, unseen } = explain(known(a), known(b));
    expect(verdict).toBe("same");
    expect(unseen.map(({ subject }) => subject)).toEqual(["kernel"]);
  });

  it("tells profiles that differ in name only from others", () => {
    const { verdict, unseen } = explain(known(BASE), known(shape({ profile: "clh-kvm" })));
    expect([verdict, unseen[0]?.what]).toEqual(["same", "the profiles differ in name only"]);
  });

  it("compares two firmwares alone, up to the VMSAs", () => {
    const moved = patched([section("CPUID").offset, 0x9f0000]);
    const { verdict, first, registers } = explain(firmwareSide(FIRMWARE), firmwareSide(moved));
    expect([verdict, first?.what]).toEqual([
      "differs",
      expect.stringMatching(/CPUID\) has another guest address/) as string,
    ]);
    expect(registers[0]?.a).not.toBe(registers[0]?.b);
    expect(explain(firmwareSide(FIRMWARE), firmwareSide(FIRMWARE)).verdict).toBe("same");
  });

  it("names the command line's cause even when only one side's text is at hand", () => {
    const { first } = explain(known(BOOT), written(boot({ cmdline: "console=ttyS0\n" }), false));
    expect(first?.what).toBe("the command line differs: B is A with a trailing newline");
  });

  it("gives the numbers: offsets, addresses, fields, both values", () => {
    expect(explain(known(BASE), known(shape({ cpu: "EPYC-Milan" }))).first).toMatchObject({
      a: "EPYC-v4 (0x800f12)",
      b: "EPYC-Milan (0xa00f11)",
      details: expect.arrayContaining(["RDX (VMSA offset 0x310): 0x800f12 and 0xa00f11"]) as string[],
    });
    const byte = explain(known(BASE), known(firmware(withByte(0xbb0)))).first;
    expect(byte?.details[0]).toBe(
      "first differing byte: file offset 0xbb0, guest address 0xfffffbb0, in the NORMAL page at 0xfffff000",
    );
  });
});

describe("explaining an image that cannot launch", () => {
  it("names what makes it differ all the same", () => {
    const overlapping = patched([section("CPUID").offset, section("SNP_SECRETS").guestAddress]);
    const { verdict, first, problems } = explain(firmwareSide(FIRMWARE), firmwareSide(overlapping));
    expect(verdict).toBe("differs");
    expect(problems).toEqual({
      b: expect.stringMatching(/^cannot read end of SEV metadata section/) as string,
    });
    expect(first?.what).toMatch(/\(CPUID\) has another guest address$/);
  });

  it("does not call two of them the same", () => {
    const zero = firmwareSide(patched([entry(RESET_BLOCK_GUID), 0]));
    expect(explain(zero, zero).verdict).toBe("undecided");
  });
});

describe("explaining firmware that one side knows by its digest", () => {
  const { reference } = measureFirmware(FIRMWARE);
  const known = (firmware: Uint8Array | FirmwareReference): Side =>
    measuredSide("snp", { firmware }, { vcpus: 2, cpu: "EPYC-v4" });

  it("calls an image and the reference of it the same", () => {
    for (const compare of [
      explainAny(known(FIRMWARE), known(reference)),
      explainAny(known(reference), known(FIRMWARE)),
      explainAny(firmwareSide(reference), firmwareSide(FIRMWARE)),
    ])
      expect(compare).toMatchObject({ verdict: "same", others: [], unseen: [] });
  });

  it("names what differs behind the firmware, whichever side has the image", () => {
    const other = measuredSide("snp", { firmware: reference }, { vcpus: 3, cpu: "EPYC-v4" });
    expect(explainAny(known(FIRMWARE), other).first?.subject).toBe("vcpus");
  });

  it("says that the firmware is another", () => {
    const other = measureFirmware(withByte(0xbb0)).reference;
    for (const compare of [
      explainAny(known(FIRMWARE), known(other)),
      explainAny(known(reference), known(other)),
    ])
      expect(compare).toMatchObject({
        verdict: "differs",
        first: { what: "the firmware differs: the launch digest after its pages is another" },
        others: [],
      });
  });
});
