import { utf8 } from "@bootproof/bytes";
import { describe, expect, it } from "vitest";
import { writeCpio } from "../cpio-write.ts";
import type { EifFinding } from "./finding.ts";
import type { EifSectionType } from "./layout.ts";
import { readEif } from "./read.ts";
import { build, sectionsOf, sourceOf } from "./vectors.testing.ts";

/** A bzImage of 4096 bytes as its header says: three sectors behind the first, 128 paragraphs. */
function bzImage(length = 4096, change: (view: DataView) => void = () => undefined): Uint8Array {
  const kernel = new Uint8Array(Math.max(length, 4096));
  const view = new DataView(kernel.buffer);
  kernel.set(utf8("MZ"), 0);
  view.setUint32(0x3c, 0x40, true);
  kernel.set(utf8("PE\0\0"), 0x40);
  view.setUint16(0x58, 0x20b, true);
  kernel[0x1f1] = 3;
  view.setUint32(0x1f4, 128, true);
  view.setUint16(0x1fe, 0xaa55, true);
  kernel.set(utf8("HdrS"), 0x202);
  view.setUint16(0x206, 0x020f, true);
  kernel[0x211] = 1;
  change(view);
  return kernel.slice(0, length);
}

/** An arm64 Image: code, text_offset, image_size, magic. */
function arm64(length = 256, { textOffset = 0x20_0000n, imageSize = 4096n } = {}): Uint8Array {
  const kernel = new Uint8Array(length);
  const view = new DataView(kernel.buffer);
  view.setBigUint64(8, textOffset, true);
  view.setBigUint64(16, imageSize, true);
  kernel.set(utf8("ARMd"), 0x38);
  return kernel;
}

const CPIO = writeCpio([{ name: "init", mode: 0o100755, data: utf8("#!/bin/sh\n") }], { mtime: 0 });

interface Parts {
  readonly kernel?: Uint8Array;
  readonly cmdline?: string | Uint8Array;
  readonly ramdisks?: readonly Uint8Array[];
  readonly flags?: number;
}

/** The notices about an image; it always has a layout. */
async function noticesOf({
  kernel = bzImage(),
  cmdline = "quiet",
  ramdisks = [CPIO],
  flags = 0,
}: Parts): Promise<readonly EifFinding[]> {
  const sections: { type: EifSectionType; data: Uint8Array }[] = [
    { type: "kernel", data: kernel },
    { type: "cmdline", data: typeof cmdline === "string" ? utf8(cmdline) : cmdline },
    sectionsOf("ok-2rd.eif")[2]!,
    ...ramdisks.map((data) => ({ type: "ramdisk" as const, data })),
  ];
  const { layout, findings } = await readEif(sourceOf(build(sections, { flags })));
  expect(layout).toBeDefined();
  expect(findings.every(({ severity }) => severity === "notice")).toBe(true);
  return findings;
}

const short = (findings: readonly EifFinding[]): string[] =>
  findings.map(({ code, message }) => `${code.slice(-3)} ${message}`);

describe("a kernel that does not end where its section does", () => {
  it("is not named when it does", async () => {
    expect(await noticesOf({})).toEqual([]);
    expect(await noticesOf({ kernel: arm64(), flags: 1 })).toEqual([]);
  });

  it("lacks bytes that the command line may start with: the PCRs are those of the whole one", async () => {
    const kernel = bzImage();
    const [moved] = await noticesOf({ kernel: kernel.subarray(0, -5), cmdline: kernel.subarray(-5) });
    expect(moved).toMatchObject({
      code: "BP-EIF-028",
      message:
        "the kernel lacks 5 of its bytes: the next section may begin with them, and the PCRs are the same",
      expected: "4096 bytes",
      found: "4091",
      section: 0,
      offset: 560 + 4091,
    });
  });

  it("has bytes behind it that could be the start of the command line", async () => {
    const [slack] = await noticesOf({ kernel: bzImage(4101) });
    expect(slack).toMatchObject({
      code: "BP-EIF-028",
      message:
        "5 bytes behind the kernel belong to no kernel; with them at the head of the command line, the PCRs are the same",
      offset: 560 + 4096,
    });
  });

  it("has a Secure Boot signature behind it, as Debian's has", async () => {
    const signed = bzImage(4096 + 1472, (view) => {
      view.setUint32(0x58 + 112 + 32, 4096, true);
      view.setUint32(0x58 + 112 + 36, 1472, true);
    });
    expect(short(await noticesOf({ kernel: signed }))).toEqual([
      "028 1472 bytes behind the kernel are its PE signature; with them at the head of the command line, the PCRs are the same",
    ]);
  });

  it("is longer than an arm64 kernel ever is in memory", async () => {
    const [slack] = await noticesOf({ kernel: arm64(5000), flags: 1 });
    expect(slack).toMatchObject({ code: "BP-EIF-028", offset: 560 + 4096 });
  });
});

describe("a kernel that Nitro does not start", () => {
  const first = (...bytes: number[]): Uint8Array =>
    Uint8Array.from({ length: 600 }, (_, at) => bytes[at] ?? 1);
  it.each([
    ["an ELF file", { kernel: first(0x7f, 0x45, 0x4c, 0x46) }, "is an ELF file, which Nitro does not start"],
    ["a gzip file", { kernel: first(0x1f, 0x8b) }, "is compressed with gzip: unpack it first"],
    [
      "a zboot image",
      { kernel: first(0x4d, 0x5a, 0, 0, 0x7a, 0x69, 0x6d, 0x67), flags: 1 },
      "is an EFI zboot image: unpack it first",
    ],
    [
      "a zImage",
      { kernel: bzImage(4096, (view) => view.setUint8(0x211, 0)) },
      "is a zImage, which Nitro does not start",
    ],
    [
      "a bzImage on aarch64",
      { kernel: bzImage(), flags: 1 },
      "is for x86_64, the file's header says otherwise",
    ],
    ["an arm64 Image on x86_64", { kernel: arm64() }, "is for aarch64, the file's header says otherwise"],
    [
      "an arm64 Image at address 0",
      { kernel: arm64(256, { textOffset: 0n }), flags: 1 },
      "has a text_offset of 0: Nitro then loads it to address 0 and fails",
    ],
    [
      "one byte",
      { kernel: Uint8Array.of(1) },
      "is neither a bzImage nor an arm64 Image: nothing says where it ends and the command line starts",
    ],
    [
      "a cut bzImage",
      { kernel: bzImage().subarray(0, 0x210) },
      "has a header that cannot be read: cannot read real-mode kernel code at offset 0x1f1: expected 2048 bytes, found 528",
    ],
  ])("%s", async (_, parts, message) => {
    expect(short(await noticesOf(parts))).toEqual([`027 the kernel ${message}`]);
  });
});

describe("a command line that is not what it seems", () => {
  it.each<readonly [string, string, readonly string[]]>([
    ["a newline at the end", "quiet\n", ["025 the command line ends with a newline, which is measured"]],
    [
      "a space at the start",
      " quiet",
      ["025 the command line begins or ends with white space, which is measured, and which some tools trim"],
    ],
    [
      "a NUL",
      "quiet\0lockdown=none",
      ["025 the command line contains a NUL: the kernel reads no further, all is measured"],
    ],
    ["an escape", "quiet\u001b[2K", ["025 the command line holds a byte that is not printable ASCII"]],
    ["a letter that is not ASCII", "ünn", ["025 the command line holds a byte that is not printable ASCII"]],
    [
      "more than a kernel keeps",
      "x".repeat(2048),
      ["025 the command line has 2048 bytes: an x86 kernel keeps 2047"],
    ],
    ["nothing", "", ["022 the cmdline section 1 is empty"]],
    [
      "restrictions",
      "lockdown=confidentiality module.sig_enforce=1 quiet lockdown=integrity",
      [
        "026 lockdown, module.sig_enforce: no PCR fixes where the command line starts, so such parameters belong into the kernel (CONFIG_CMDLINE) or init",
      ],
    ],
    ["a restriction of init, not of the kernel", "quiet -- lockdown", []],
  ])("%s", async (_, cmdline, expected) => {
    expect(short(await noticesOf({ cmdline }))).toEqual(expected);
  });

  it("points at the NUL", async () => {
    const [nul] = await noticesOf({ cmdline: "quiet\0x" });
    expect(nul?.offset).toBe(560 + 4096 + 12 + 5);
  });
});

describe("a ramdisk that the kernel does not unpack", () => {
  it.each<readonly [string, readonly Uint8Array[], readonly string[]]>([
    ["two archives", [CPIO, CPIO], []],
    ["gzip", [Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0)], []],
    [
      "an archive behind one that ends at an odd place",
      [CPIO.subarray(0, CPIO.length - 1), CPIO],
      ["029 the ramdisk in section 4 is not unpacked: the ramdisks before it do not end at a multiple of 4"],
    ],
    [
      "gzip behind one that ends at an odd place",
      [CPIO.subarray(0, CPIO.length - 1), Uint8Array.of(0x1f, 0x8b, 8)],
      [],
    ],
    [
      "zstd",
      [Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd)],
      ["029 the ramdisk in section 3 is compressed with zstd: not every kernel has the code to unpack it"],
    ],
    [
      "a file system",
      [new Uint8Array(512).fill(9)],
      ["029 the ramdisk in section 3 is neither a cpio archive nor compressed"],
    ],
    [
      "one byte",
      [Uint8Array.of(0x30)],
      ["029 the ramdisk in section 3 is neither a cpio archive nor compressed"],
    ],
  ])("%s", async (_, ramdisks, expected) => {
    expect(short(await noticesOf({ ramdisks }))).toEqual(expected);
  });
});
