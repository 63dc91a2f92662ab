import { describe, expect, it } from "vitest";
import { formatHex, sha384, utf8 } from "@bootproof/bytes";
import { encodeKernelHashes, hashDirectBoot } from "./kernel-hashes.ts";
import { inputs, vectors } from "./vectors.testing.ts";

interface TableVector {
  readonly kernel: string;
  readonly initrd: string | null;
  readonly append: string | null;
  readonly kernel_sha256: string;
  readonly initrd_sha256: string;
  readonly cmdline_sha256: string;
  readonly table_hex: string;
  readonly page_sha384: string;
}

describe("kernel hashes: a guest with another kernel is noticed", () => {
  it.each(vectors<TableVector>("kernel-hashes.json"))("$kernel, $initrd, $append", (vector) => {
    const digests = hashDirectBoot({
      kernel: inputs.get(vector.kernel)!,
      initrd: vector.initrd === null ? undefined : inputs.get(vector.initrd)!,
      cmdline: vector.append === null ? undefined : utf8(vector.append),
    });
    expect(formatHex(digests.kernel)).toBe(vector.kernel_sha256);
    expect(formatHex(digests.initrd)).toBe(vector.initrd_sha256);
    expect(formatHex(digests.cmdline)).toBe(vector.cmdline_sha256);
    const table = encodeKernelHashes(digests);
    expect(formatHex(table)).toBe(vector.table_hex);
    const page = new Uint8Array(4096);
    page.set(table, 0xc00);
    expect(formatHex(sha384(page))).toBe(vector.page_sha384);
  });

  it("hashes a trailing newline and outer spaces, as QEMU does", () => {
    const kernel = new Uint8Array();
    const cmdline = (text: string) => formatHex(hashDirectBoot({ kernel, cmdline: utf8(text) }).cmdline);
    expect(new Set(["quiet", "quiet\n", " quiet", "quiet "].map(cmdline)).size).toBe(4);
  });
});
