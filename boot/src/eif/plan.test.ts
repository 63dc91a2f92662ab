import fc from "fast-check";
import { concatBytes, crc32 } from "@bootproof/bytes";
import { describe, expect, it } from "vitest";
import { EIF_CRC_OFFSET, type EifSectionType } from "./layout.ts";
import { type EifPlanInput, planEif } from "./plan.ts";
import { readEif } from "./read.ts";
import { image, sectionsOf, sourceOf } from "./vectors.testing.ts";

interface Section {
  readonly type: EifSectionType;
  readonly data: Uint8Array;
}

/** Writes what was planned. */
function assemble(sections: readonly Section[], input: Omit<EifPlanInput, "sections">): Uint8Array {
  const sized = sections.map(({ type, data }) => ({ type, size: data.length }));
  const plan = planEif({ ...input, sections: sized });
  const body = plan.sections.flatMap(({ header, index }) => [header, sections[index]!.data]);
  const bytes = concatBytes(plan.header, ...body);
  expect(bytes).toHaveLength(plan.size);
  for (const { index, offset } of plan.sections)
    expect(bytes.subarray(offset, offset + sections[index]!.data.length)).toEqual(sections[index]!.data);
  const crc = body.reduce(
    (value, part) => crc32(part, value),
    crc32(plan.header.subarray(0, EIF_CRC_OFFSET)),
  );
  new DataView(bytes.buffer).setUint32(plan.crcOffset, crc);
  return bytes;
}

const sizes = (...types: readonly EifSectionType[]): { type: EifSectionType; size: number }[] =>
  types.map((type) => ({ type, size: 1 }));

describe("planned images", () => {
  it.each(["a1.eif", "a3.eif", "h512.eif", "s_es256.eif", "s_es512.eif", "ok-2rd.eif", "signed-es384.eif"])(
    "are byte for byte what AWS's eif_build writes: %s, in whatever order the sections are given",
    (name) => {
      const sections = sectionsOf(name);
      expect(assemble(sections, { architecture: "x86_64" })).toEqual(image(name));
      const [kernel, cmdline, ...rest] = sections;
      expect(assemble([...rest, cmdline!, kernel!], { architecture: "x86_64" })).toEqual(image(name));
    },
  );

  it("keep another order when told to, as Bottlerocket's have", () => {
    const name = "ok-metadata-last.eif";
    const sections = sectionsOf(name);
    expect(assemble(sections, { architecture: "x86_64", order: "given" })).toEqual(image(name));
    expect(assemble(sections, { architecture: "x86_64" })).toEqual(image("ok-2rd.eif"));
  });

  it("say the architecture, and memory and vCPUs when asked", async () => {
    expect(assemble(sectionsOf("ok-aarch64.eif"), { architecture: "aarch64" })).toEqual(
      image("ok-aarch64.eif"),
    );
    const bytes = assemble(sectionsOf("ok-2rd.eif"), {
      architecture: "x86_64",
      defaultMemory: 7n,
      defaultCpus: 9n,
    });
    expect((await readEif(sourceOf(bytes))).layout).toMatchObject({ defaultMemory: 7n, defaultCpus: 9n });
  });

  it("stay of version 3 when told to: such a file needs no metadata to be signed", async () => {
    const sections = sectionsOf("signed-es384.eif").filter(({ type }) => type !== "metadata");
    const bytes = assemble(sections, { architecture: "x86_64", version: 3 });
    expect((await readEif(sourceOf(bytes))).layout?.version).toBe(3);
    expect(() => assemble(sections, { architecture: "x86_64" })).toThrow("no metadata section");
    expect(() => assemble(sections, { architecture: "x86_64", version: 5 })).toThrow("version 5");
  });

  it("place sections of many gigabytes", () => {
    const plan = planEif({
      architecture: "x86_64",
      sections: [...sizes("kernel", "cmdline", "metadata"), { type: "ramdisk", size: 2 ** 40 }],
    });
    expect(plan.size).toBe(548 + 4 * 12 + 3 + 2 ** 40);
  });

  it.each([
    ["no kernel", sizes("cmdline", "ramdisk", "metadata"), "these sections make no EIF: no kernel section"],
    ["no ramdisk", sizes("kernel", "cmdline", "metadata"), "these sections make no EIF: no ramdisk section"],
    ["no metadata", sizes("kernel", "cmdline", "ramdisk"), "these sections make no EIF: no metadata section"],
    [
      "two kernels",
      sizes("kernel", "kernel", "cmdline", "ramdisk", "metadata"),
      "more than one kernel section",
    ],
    ["33 sections", sizes("kernel", "cmdline", "metadata", ...Array.from({ length: 30 }, () => "ramdisk" as const)), "at most 32 sections, not 33"], // prettier-ignore
    ["an empty ramdisk", [...sizes("kernel", "cmdline", "metadata"), { type: "ramdisk" as const, size: 0 }], "a ramdisk section cannot have 0 bytes"], // prettier-ignore
    ["half a byte", [{ type: "kernel" as const, size: 0.5 }], "a kernel section cannot have 0.5 bytes"],
  ])("are refused with %s", (_, sections, message) => {
    expect(() => planEif({ architecture: "x86_64", sections })).toThrow(message);
  });

  it("are refused with a ramdisk before the kernel", () => {
    const sections = sizes("ramdisk", "kernel", "cmdline", "metadata");
    expect(() => planEif({ architecture: "x86_64", sections, order: "given" })).toThrow(
      "a ramdisk stands before the kernel",
    );
  });

  it("have a layout, and the sections that were asked for, whatever these are", async () => {
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 50 });
    const good = sectionsOf("ok-2rd.eif");
    await fc.assert(
      fc.asyncProperty(
        bytes,
        fc.uint8Array({ maxLength: 50 }),
        fc.array(bytes, { minLength: 1, maxLength: 29 }),
        async (kernel, cmdline, ramdisks) => {
          const sections: Section[] = [
            { type: "kernel", data: kernel },
            { type: "cmdline", data: cmdline },
            good[2]!,
            ...ramdisks.map((data): Section => ({ type: "ramdisk", data })),
          ];
          const file = assemble(sections, { architecture: "x86_64" });
          const { layout } = await readEif(sourceOf(file));
          expect(
            layout?.sections.map(({ type, offset, size }) => ({
              type,
              data: file.slice(offset, offset + size),
            })),
          ).toEqual(sections);
        },
      ),
    );
  });
});
