import { describe, expect, it } from "vitest";
import { concatBytes, formatHex, sha256, utf8 } from "@bootproof/bytes";
import { CpioEncoder, type CpioMember } from "./cpio-encoder.ts";
import { FILE_TYPE, FILE_TYPE_MASK } from "./cpio-entry.ts";
import { type CpioEntry, readCpio } from "./cpio-read.ts";

type Member = Omit<CpioMember, "name"> & { readonly name: string; readonly data?: string };

/** The archive of `members`, as whoever streams one puts it together. */
function archive(members: readonly Member[], mtime = 0): Uint8Array {
  const encoder = new CpioEncoder(mtime);
  const parts = members.flatMap(({ name, data = "", ...member }) => {
    const { header, size, padding } = encoder.member({ ...member, name: utf8(name), size: data.length });
    return [header, utf8(data).subarray(0, size), new Uint8Array(padding)];
  });
  return concatBytes(...parts, encoder.end());
}

/**
 * What Linux has after unpacking: init/initramfs.c links a name to the first of its inode, and writes where a member
 * of it has bytes. Names by what they hold, linked ones by what they share.
 */
function unpackAsLinux(entries: readonly CpioEntry[]): Map<string, { bytes: string }> {
  const files = new Map<string, { bytes: string }>();
  const inodes = new Map<number, { bytes: string }>();
  for (const { name, mode, inode, links, data } of entries) {
    if ((mode & FILE_TYPE_MASK) !== FILE_TYPE.file) continue;
    const file = (links >= 2 ? inodes.get(inode) : undefined) ?? { bytes: "" };
    if (links >= 2) inodes.set(inode, file);
    if (data.length > 0) file.bytes = new TextDecoder().decode(data);
    files.set(name, file);
  }
  return files;
}

describe("members of a ramdisk, one by one: the guest gets owners, modes and hard links as they were given", () => {
  it("keeps owners and the bits above permissions, which a setuid program needs", () => {
    const bytes = archive([{ name: "su", mode: 0o104755, uid: 1000, gid: 2 ** 32 - 1, data: "x" }]);
    expect(readCpio(bytes).entries).toMatchObject([
      { mode: 0o104755, uid: 1000, gid: 2 ** 32 - 1, links: 1 },
    ]);
  });

  it("gives hard links one inode and their count, and the bytes once, behind the last", () => {
    const shared = { file: {}, links: 3 };
    const bytes = archive([
      { name: "a", mode: 0o100755, data: "bytes", shared },
      { name: "b", mode: 0o100644, data: "other" },
      { name: "c", mode: 0o100755, data: "bytes", shared },
      { name: "d", mode: 0o100755, data: "bytes", shared },
      { name: "e", mode: 0o100644 },
    ]);
    const { entries } = readCpio(bytes);
    expect(entries.map(({ inode, links, data }) => [inode, links, data.length])).toEqual([
      [1, 3, 0],
      [2, 1, 5],
      [1, 3, 0],
      [1, 3, 5],
      [3, 1, 0],
    ]);
    const files = unpackAsLinux(entries);
    expect([...files].map(([name, { bytes: held }]) => `${name}:${held}`)).toEqual([
      "a:bytes",
      "b:other",
      "c:bytes",
      "d:bytes",
      "e:",
    ]);
    expect(files.get("a")).toBe(files.get("d"));
  });

  it("writes the bytes that it always wrote, of which GNU cpio 2.13 and bsdcpio 3.6 make two names of one file", () => {
    const shared = { file: {}, links: 2 };
    const bytes = archive([
      { name: "a", mode: 0o104755, uid: 7, gid: 8, data: "x", shared },
      { name: "b", mode: 0o104755, uid: 7, gid: 8, data: "x", shared },
    ]);
    expect(formatHex(sha256(bytes))).toBe("8dc7d190906f6805b77f0557a2b40105d7195d46cd07fcb02abe91cce864bdee");
  });

  it("takes more than 65,536 members, whose inode numbers all differ", () => {
    const encoder = new CpioEncoder(0);
    const headers = Array.from({ length: 70_000 }, (_, at) =>
      encoder.member({ name: utf8(String(at).padStart(6, "0")), mode: 0o100644 }),
    );
    expect(readCpio(concatBytes(headers[69_999]!.header, encoder.end())).entries[0]?.inode).toBe(70_000);
  });

  it("refuses members out of order, and hard links that disagree or never come", () => {
    const file = (name: string, shared?: CpioMember["shared"]): Member => ({
      name,
      mode: 0o100644,
      ...(shared === undefined ? {} : { shared }),
    });
    const one = {};
    expect(() => archive([file("b"), file("a")])).toThrow(RangeError);
    expect(() => archive([file("a"), file("a")])).toThrow(RangeError);
    expect(() => archive([file("a", { file: one, links: 2 })])).toThrow(RangeError);
    expect(() => archive([file("a", { file: one, links: 2 }), file("b", { file: one, links: 3 })])).toThrow(
      RangeError,
    );
    expect(() => archive([file("a", { file: one, links: 0 })])).toThrow(RangeError);
  });

  it.each<[string, Partial<CpioMember>]>([
    ["a file of 4 GiB", { size: 2 ** 32 }],
    ["an owner beyond 32 bits", { uid: 2 ** 32 }],
    ["a negative group", { gid: -1 }],
    ["a pipe with bytes", { mode: 0o010644, size: 1 }],
  ])("refuses %s", (_what, change) => {
    const member = { name: utf8("a"), mode: 0o100644, ...change };
    expect(() => new CpioEncoder(0).member(member)).toThrow(RangeError);
  });
});
