import fc from "fast-check";
import { concatBytes, crc32, utf8 } from "@bootproof/bytes";
import { describe, expect, it } from "vitest";
import { encodeSectionHeader } from "./header.ts";
import { EIF_HEADER_SIZE, type EifSectionType } from "./layout.ts";
import { type EifReading, readEif } from "./read.ts";
import {
  build,
  type BuiltSection,
  type HeaderChange,
  image,
  IMAGE_NAMES,
  sectionsOf,
  sourceOf,
  withCrc,
} from "./vectors.testing.ts";

const read = (bytes: Uint8Array): Promise<EifReading> => readEif(sourceOf(bytes));

/** What keeps a file from having a layout. */
const faults = ({ findings }: EifReading): string[] =>
  findings.filter(({ severity }) => severity !== "notice").map(({ code }) => code.slice(-3));

/** What each broken image of the vectors is called; all others have a layout. */
const FAULTS: Readonly<Record<string, readonly string[]>> = {
  "empty.eif": ["002"],
  "header-only.eif": ["008"],
  "gap-hidden-ramdisk.eif": ["011", "013"],
  "hidden-section.eif": ["012", "013"],
  "hidden-section-crc-seq.eif": ["012", "013"],
  "hidden-section-both-crc.eif": ["012", "013"],
  "trailing-bytes.eif": ["012"],
  "huge-section-size.eif": ["009", "016"],
  "truncated.eif": ["008", "016"],
  "num-sections-33.eif": ["006"],
  "version-5.eif": ["003"],
  "no-ramdisk.eif": ["019"],
  "no-metadata.eif": ["019"],
  "two-kernels.eif": ["019"],
  "two-metadata.eif": ["019"],
  "order-ramdisk-before-kernel.eif": ["021"],
  "metadata-empty.eif": ["022"],
  "metadata-not-json.eif": ["020"],
  "signature-empty-array.eif": ["031"],
  "signature-bstr-cert.eif": ["032"],
};

describe("images of the vectors", () => {
  it.each(IMAGE_NAMES)("%s gets its verdict", async (name) => {
    const reading = await read(image(name));
    expect(faults(reading)).toEqual(FAULTS[name] ?? []);
    expect(reading.layout === undefined).toBe(name in FAULTS);
  });

  it("have a layout that a loader and AWS's reader share", async () => {
    const { layout, table, walk, parsedMetadata, cmdline } = await read(image("ok-2rd.eif"));
    expect(layout).toEqual({
      version: 4,
      flags: 0,
      architecture: "x86_64",
      defaultMemory: 1n << 30n,
      defaultCpus: 2n,
      sections: table,
      crc32: 281_433_000,
      size: 4903,
    });
    expect(walk).toEqual(table);
    expect(table.map(({ type, size }) => [type, size])).toEqual([
      ["kernel", 3001],
      ["cmdline", 69],
      ["metadata", 233],
      ["ramdisk", 364],
      ["ramdisk", 628],
    ]);
    expect(table[0]).toMatchObject({ headerOffset: 548, offset: 560, flags: 0, typeNumber: 1 });
    expect(new TextDecoder().decode(cmdline)).toBe(
      "reboot=k panic=30 pci=off nomodules console=ttyS0 random.trust_cpu=on",
    );
    expect(parsedMetadata).toMatchObject({ name: "research", buildTime: "1970-01-01T00:00:00+00:00" });
    expect((await read(image("ok-aarch64.eif"))).layout?.architecture).toBe("aarch64");
  });

  it("keep the order of the file, which is that of measuring", async () => {
    const { layout } = await read(image("order-ramdisk-before-cmdline.eif"));
    expect(layout?.sections.map(({ type }) => type)).toEqual([
      "kernel",
      "metadata",
      "ramdisk",
      "cmdline",
      "ramdisk",
    ]);
  });

  it("show a hidden section whose CRC is right for both readers", async () => {
    const { table, walk, findings } = await read(image("hidden-section-both-crc.eif"));
    expect([table.length, walk.length]).toEqual([5, 6]);
    expect(findings.find(({ code }) => code === "BP-EIF-013")).toMatchObject({
      severity: "ambiguous",
      offset: 4903,
      section: 5,
    });
  });
});

const GOOD = sectionsOf("ok-2rd.eif");
const SIGNED = sectionsOf("signed-es384.eif");
const only = (...types: readonly EifSectionType[]): BuiltSection[] =>
  GOOD.filter(({ type }) => types.includes(type));
const without = (...types: readonly EifSectionType[]): BuiltSection[] =>
  GOOD.filter(({ type }) => !types.includes(type));
const extra: BuiltSection = { type: "ramdisk", data: GOOD[3]!.data };

type Change = HeaderChange | Parameters<typeof build>[1];

/** Named changes of the good image's header. */
const HEADERS: readonly (readonly [string, Change, readonly string[]])[] = [
  ["nothing changed", {}, []],
  ["version 0", { version: 0 }, ["003"]],
  ["version 1", { version: 1 }, ["003"]],
  ["version 65535", { version: 65535 }, ["003"]],
  ["flag PCIE", { flags: 0x40 }, ["004"]],
  ["flag PCIE_VIRTIO on aarch64", { flags: 0x201 }, ["004"]],
  ["flags of Bottlerocket", { flags: 0x240 }, ["004"]],
  ["flag 2", { flags: 2 }, ["004"]],
  ["a reserved field", { reserved: 1 }, ["005"]],
  ["the unused field", { unused: 0x8000_0000 }, ["005"]],
  ["no sections", (header) => ({ ...slots(header, () => [0n, 0n]), sectionCount: 0 }), ["006", "013", "013", "013", "013", "013", "012", "019", "019", "019", "019"]], // prettier-ignore
  ["no sections counted", { sectionCount: 0 }, ["006", "007", "012", "013", "013", "013", "013", "013", "019", "019", "019", "019"]], // prettier-ignore
  ["one section counted", { sectionCount: 1 }, ["006", "007", "012", "013", "013", "013", "013", "019", "019", "019"]], // prettier-ignore
  ["a section less counted", { sectionCount: 4 }, ["007", "012", "013"]],
  ["a section more counted", { sectionCount: 6 }, ["008"]],
  ["32 sections counted", { sectionCount: 32 }, ["008"]],
  ["33 sections counted", { sectionCount: 33 }, ["006"]],
  ["65535 sections counted", { sectionCount: 65_535 }, ["006"]],
  [
    "an offset behind the count",
    (header) => slots(header, (at, slot) => (at === 31 ? [548n, 0n] : slot)),
    ["007"],
  ],
  ["a size behind the count", (header) => slots(header, (at, slot) => (at === 5 ? [0n, 1n] : slot)), ["007"]],
  ["an offset of 0", (header) => slots(header, (at, slot) => (at === 0 ? [0n, slot[1]] : slot)), ["008"]],
  [
    "an offset into the header",
    (header) => slots(header, (at, slot) => (at === 1 ? [547n, slot[1]] : slot)),
    ["008"],
  ],
  [
    "an offset of the file's size",
    (header) => slots(header, (at, slot) => (at === 4 ? [4903n, 0n] : slot)),
    ["008"],
  ],
  [
    "an offset of 2^64-1",
    (header) => slots(header, (at, slot) => (at === 4 ? [MAX, slot[1]] : slot)),
    ["008"],
  ],
  [
    "offset and size whose sum wraps",
    (header) => slots(header, (at, slot) => (at === 4 ? [slot[0], MAX - slot[0] - 11n] : slot)),
    ["008"],
  ],
  [
    "an offset of 2^63",
    (header) => slots(header, (at, slot) => (at === 4 ? [1n << 63n, slot[1]] : slot)),
    ["008"],
  ],
  ["a size of 2^64-1", (header) => slots(header, (at, slot) => (at === 0 ? [slot[0], MAX] : slot)), ["008"]],
  ["a size one less", (header) => slots(header, (at, slot) => (at === 4 ? [slot[0], slot[1] - 1n] : slot)), ["009", "014", "013", "012"]], // prettier-ignore
  ["a size one more in the middle", (header) => slots(header, (at, slot) => (at === 3 ? [slot[0], slot[1] + 1n] : slot)), ["009", "014", "013", "010"]], // prettier-ignore
  [
    "a section twice in the table",
    (header) => slots(header, (at, slot, all) => (at === 4 ? all[3]! : slot)),
    ["015", "010", "012", "013"],
  ],
  [
    "two sections in another order",
    (header) => slots(header, (at, slot, all) => (at === 3 ? all[4]! : at === 4 ? all[3]! : slot)),
    ["015"],
  ],
  [
    "kernel and command line in another order",
    (header) => slots(header, (at, slot, all) => (at < 2 ? all[1 - at]! : slot)),
    ["015"],
  ],
];

const MAX = (1n << 64n) - 1n;
type Slot = readonly [bigint, bigint];

/** Every place of the table, changed. */
function slots(
  { sectionOffsets, sectionSizes }: { sectionOffsets: readonly bigint[]; sectionSizes: readonly bigint[] },
  change: (at: number, slot: Slot, all: readonly Slot[]) => Slot,
): HeaderChange {
  const all = sectionOffsets.map((offset, at): Slot => [offset, sectionSizes[at] ?? 0n]);
  const changed = all.map((slot, at) => change(at, slot, all));
  return { sectionOffsets: changed.map(([offset]) => offset), sectionSizes: changed.map(([, size]) => size) };
}

describe("headers: what could be read in two ways is refused by name", () => {
  it.each(HEADERS)("%s", async (_, change, expected) => {
    const reading = await read(build(GOOD, change));
    expect(faults(reading).toSorted()).toEqual(expected.toSorted());
    expect(reading.layout === undefined).toBe(expected.length > 0);
  });

  it("names the flags whose measurement is not public", async () => {
    const { findings } = await read(build(GOOD, { flags: 0x341 }));
    expect(findings[0]).toMatchObject({
      code: "BP-EIF-004",
      severity: "refused",
      message: "header flags PCIE, PCIE_VIRTIO, 0x100: how such an image is measured is not public",
      found: "0x341",
      offset: 6,
    });
  });

  it("says that a section wraps around, not that it is fine", async () => {
    const { findings } = await read(build(GOOD, (header) => slots(header, (at, slot) => (at === 4 ? [slot[0], MAX - slot[0] - 11n] : slot)))); // prettier-ignore
    expect(findings.find(({ code }) => code === "BP-EIF-008")).toMatchObject({
      found: "0x10000000000000000",
      section: 4,
    });
  });
});

/** Images of other sections. */
const SECTIONS: readonly (readonly [string, readonly BuiltSection[], HeaderChange, readonly string[]])[] = [
  ["nothing", [], {}, ["006", "019", "019", "019", "019"]],
  ["no kernel", without("kernel"), {}, ["019"]],
  ["no command line", without("cmdline"), {}, ["019"]],
  ["two command lines", [...GOOD, ...only("cmdline")], {}, ["019"]],
  ["two signatures", [...SIGNED, SIGNED.at(-1)!], {}, ["019"]],
  ["version 4 without metadata", without("metadata"), {}, ["019"]],
  ["version 3 without metadata", without("metadata"), { version: 3 }, []],
  ["version 2 without metadata", without("metadata"), { version: 2 }, []],
  ["version 3 with metadata", GOOD, { version: 3 }, []],
  ["version 3 with a signature", SIGNED.filter(({ type }) => type !== "metadata"), { version: 3 }, []],
  ["version 2 with a signature", SIGNED.filter(({ type }) => type !== "metadata"), { version: 2 }, ["023"]],
  ["type 0", [...GOOD, { type: 0, data: Uint8Array.of(1) }], {}, ["017"]],
  ["type 6", [...GOOD, { type: 6, data: Uint8Array.of(1) }], {}, ["017"]],
  ["type 65535", [...GOOD, { type: 65_535, data: Uint8Array.of(1) }], {}, ["017"]],
  ["an empty section of type 6", [...GOOD, { type: 6, data: new Uint8Array() }], {}, ["017", "022"]],
  [
    "section flags",
    GOOD.map((section) => ({ ...section, flags: 1 })),
    {},
    ["018", "018", "018", "018", "018"],
  ],
  ["an empty kernel", replaced("kernel", 0), {}, ["022"]],
  ["an empty command line", replaced("cmdline", 0), {}, []],
  ["an empty metadata section", replaced("metadata", 0), {}, ["022"]],
  ["empty ramdisks", replaced("ramdisk", 0), {}, ["022", "022"]],
  ["an empty signature", [...GOOD, { type: "signature", data: new Uint8Array() }], {}, ["022"]],
  ["a ramdisk before the kernel", [GOOD[3]!, ...without("ramdisk"), GOOD[4]!], {}, ["021"]],
  ["32 sections", [...GOOD, ...Array.from({ length: 27 }, () => extra)], {}, []],
  ["33 sections, 32 in the table", [...GOOD, ...Array.from({ length: 28 }, () => extra)], { sectionCount: 32 }, ["016"]], // prettier-ignore
  ["a command line of 64 KiB", replaced("cmdline", 2 ** 16), {}, []],
  ["a command line of more", replaced("cmdline", 2 ** 16 + 1), {}, ["024"]],
  ["metadata of more than 1 MiB", replaced("metadata", 2 ** 20 + 1), {}, ["024"]],
  ["a signature of more than 32 KiB", [...GOOD, { type: "signature", data: new Uint8Array(2 ** 15 + 1) }], {}, ["039"]], // prettier-ignore
  ["a section header of another size", GOOD.map((section, at) => ({ ...section, size: BigInt(section.data.length - (at === 4 ? 1 : 0)) })), {}, ["009", "012", "013", "014"]], // prettier-ignore
  ["a section header of 2^64-1", GOOD.map((section, at) => ({ ...section, size: at === 1 ? MAX : BigInt(section.data.length) })), {}, ["009", "016"]], // prettier-ignore
];

function replaced(type: EifSectionType, size: number): BuiltSection[] {
  return GOOD.map((section) =>
    section.type === type ? { type, data: new Uint8Array(size).fill(0x61) } : section,
  );
}

describe("sections: what makes no image is refused by name", () => {
  it.each(SECTIONS)("%s", async (_, sections, change, expected) => {
    const reading = await read(build(sections, change));
    expect(faults(reading).toSorted()).toEqual(expected.toSorted());
    expect(reading.layout === undefined).toBe(expected.length > 0);
  });
});

describe("bytes that one reader sees and the other does not", () => {
  const bytes = build(GOOD);
  const header = (size: number): Uint8Array =>
    encodeSectionHeader({ typeNumber: 3, flags: 0, size: BigInt(size) });

  it.each([
    ["one byte at the end", [Uint8Array.of(0)], ["012"]],
    ["eleven bytes at the end", [new Uint8Array(11)], ["012"]],
    ["an empty ramdisk at the end", [header(0)], ["012", "013"]],
    ["the head of a section that never ends", [header(1)], ["016"]],
    ["a hidden section and one byte", [header(1), Uint8Array.of(0, 0)], ["012", "012", "013"]],
  ])("%s", async (_, tail, expected) => {
    const reading = await read(withCrc(concatBytes(bytes, ...tail)));
    expect(faults(reading).toSorted()).toEqual(expected);
  });

  it("a table that jumps into a kernel, where a second image lies", async () => {
    // The walk meets one large kernel; the table finds kernel, command line and ramdisk inside of it.
    const inner = build(GOOD).subarray(EIF_HEADER_SIZE);
    const outer = build(
      [{ type: "kernel", data: inner }, ...without("kernel")],
      (header) =>
      slots(header, (at, slot) => [[560n, 3001n], [3573n, 69n], [3654n, 233n], [3899n, 364n], [4275n, 628n]][at] as Slot | undefined ?? slot), // prettier-ignore
    );
    const reading = await read(outer);
    expect(reading.table.map(({ type }) => type)).toEqual(GOOD.map(({ type }) => type));
    expect(reading.walk.map(({ type, size }) => [type, size])[0]).toEqual(["kernel", inner.length]);
    expect(reading.layout).toBeUndefined();
    expect(faults(reading)).toEqual(expect.arrayContaining(["011", "012", "013", "014"]));
  });

  it("350 million empty sections are not walked through", async () => {
    const many = concatBytes(bytes, ...Array.from({ length: 4000 }, () => header(0)));
    const source = sourceOf(many);
    const reading = await readEif(source);
    expect(reading.walk).toHaveLength(32);
    expect(source.bytesRead()).toBeLessThan(bytes.length * 3);
  });
});

describe("reading", () => {
  it("never reads a ramdisk, and of a kernel only the start", async () => {
    const large = new Uint8Array(2 ** 22);
    const source = sourceOf(build(GOOD.map((section) => ["kernel", "ramdisk"].includes(section.type) ? { ...section, data: large } : section))); // prettier-ignore
    expect((await readEif(source)).layout).toBeDefined();
    expect(source.bytesRead()).toBeLessThan(2 ** 18);
  });

  it("mentions metadata in a version that had none, and gives the layout", async () => {
    const { findings } = await read(build(GOOD, { version: 3 }));
    expect(findings).toContainEqual(
      expect.objectContaining({
        code: "BP-EIF-023",
        severity: "notice",
        message: "version 3 has no metadata sections",
      }),
    );
  });

  it("sorts findings by their places", async () => {
    const { findings } = await read(
      build([...GOOD, { type: 7, data: Uint8Array.of(1), flags: 1 }], { flags: 2, unused: 1 }),
    );
    const places = findings.map(({ offset }) => offset ?? Infinity);
    expect(places).toEqual(places.toSorted((a, b) => a - b));
    expect(places.length).toBeGreaterThan(3);
  });

  it("does not call a short file that starts as an EIF something else", async () => {
    expect(faults(await read(utf8(".eif")))).toEqual(["001"]);
    expect(faults(await read(image("ok-2rd.eif").subarray(0, 547)))).toEqual(["001"]);
    expect(faults(await read(utf8(".elf")))).toEqual(["002"]);
  });

  it("gives every kind of finding without notices a reason in words", async () => {
    for (const name of IMAGE_NAMES)
      for (const { message } of (await read(image(name))).findings) expect(message).toMatch(/^[^A-Z].*[^.]$/);
  });

  it("survives any bytes behind a good start, and a layout always accounts for every byte", async () => {
    const good = image("signed-es384.eif");
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 }),
        fc.option(fc.nat(good.length)),
        async (changes, cut) => {
          const bytes = good.slice(0, cut ?? good.length);
          for (const [at, byte] of changes) if (at < bytes.length) bytes[at] = byte;
          const { layout, findings } = await read(bytes);
          expect(layout === undefined).toBe(findings.some(({ severity }) => severity !== "notice"));
          if (layout === undefined) return;
          const end = layout.sections.reduce((position, { headerOffset, offset, size }) => {
            expect([headerOffset, offset]).toEqual([position, position + 12]);
            return offset + size;
          }, EIF_HEADER_SIZE);
          expect(end).toBe(bytes.length);
        },
      ),
      { numRuns: 3000 },
    );
  });

  it("survives headers of random offsets and sizes", async () => {
    const numbers = fc.oneof(fc.bigInt({ min: 0n, max: MAX }), fc.bigInt({ min: 0n, max: 5000n }));
    const change = fc.record({
      version: fc.integer({ min: 0, max: 6 }),
      sectionCount: fc.integer({ min: 0, max: 34 }),
      sectionOffsets: fc.array(numbers, { minLength: 32, maxLength: 32 }),
      sectionSizes: fc.array(numbers, { minLength: 32, maxLength: 32 }),
    });
    await fc.assert(
      fc.asyncProperty(change, async (changed) => {
        expect((await read(build(GOOD, changed))).layout).toBeUndefined();
      }),
      { numRuns: 500 },
    );
  });
});

describe("any change of one bit outside of sections' bytes", () => {
  it("is named, or the CRC is there to tell", async () => {
    const good = image("ok-2rd.eif");
    const crc = crc32(good.subarray(EIF_HEADER_SIZE), crc32(good.subarray(0, 0x220)));
    for (let bit = 0; bit < EIF_HEADER_SIZE * 8; bit++) {
      const bytes = good.slice();
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      const { layout } = await read(bytes);
      // Default memory and vCPUs, which nothing uses, the architecture, version 3 or 2 are no faults by themselves.
      if (layout === undefined) continue;
      expect(
        layout.crc32 === crc &&
          crc32(bytes.subarray(EIF_HEADER_SIZE), crc32(bytes.subarray(0, 0x220))) === crc,
      ).toBe(false);
    }
  });
});
