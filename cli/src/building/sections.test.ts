import { writeCpio } from "@bootproof/boot";
import { planEif } from "@bootproof/boot/eif";
import { utf8 } from "@bootproof/bytes";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { describeSection } from "./sections.ts";

function makeImage(): { image: Uint8Array; offsets: number[] } {
  const ramdisk = writeCpio([{ name: "app", mode: 0o100755, data: utf8("program") }]);
  const parts = [
    { type: "kernel" as const, bytes: utf8("a kernel") },
    { type: "cmdline" as const, bytes: utf8("quiet") },
    { type: "metadata" as const, bytes: utf8("{}") },
    { type: "ramdisk" as const, bytes: utf8("init") },
    { type: "ramdisk" as const, bytes: new Uint8Array(ramdisk) },
  ];
  const plan = planEif({
    architecture: "x86_64",
    sections: parts.map(({ type, bytes }) => ({ type, size: bytes.length })),
  });
  const image = new Uint8Array(plan.size);
  image.set(plan.header);
  const offsets: number[] = [];
  for (const section of plan.sections) {
    image.set(section.header, section.offset - section.header.length);
    image.set(parts[section.index]!.bytes, section.offset);
    offsets[section.index] = section.offset;
  }
  return { image, offsets };
}

describe("the place of a difference in an enclave image", () => {
  const { image, offsets } = makeImage();
  const [kernel = 0, cmdline = 0, , init = 0, app = 0] = offsets;
  it.each([
    [5, "EIF header"],
    [kernel - 1, "header of kernel"],
    [kernel + 2, "kernel, + 0x2"],
    [cmdline, "cmdline, + 0x0"],
    [init + 3, "ramdisk 1, + 0x3"],
    [app, "ramdisk 2, header of app"],
    [app + 0x74, "ramdisk 2, app + 0x0"],
  ])("byte %d lies in %s", (offset, place) => {
    expect(describeSection("app.eif", image, offset)).toBe(place);
  });

  it("nothing that is written in a header makes it fail", () => {
    fc.assert(
      fc.property(
        fc.nat(0x21f),
        fc.uint8Array({ minLength: 1, maxLength: 16 }),
        fc.nat(5000),
        (at, bytes, offset) => {
          const changed = image.slice();
          changed.set(bytes.subarray(0, changed.length - at), at);
          expect(() => describeSection("app.eif", changed, offset)).not.toThrow();
        },
      ),
    );
  });
});
