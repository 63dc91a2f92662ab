import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { parseHex } from "@bootproof/bytes";
import {
  buildIgvm,
  guestPolicy,
  type HeaderPart,
  idBlock,
  pageData,
  platform,
  vpContext,
} from "@bootproof/ovmf/igvm-builder";
import { beforeAll, describe, expect, it } from "vitest";

import { run } from "../run.testing.ts";
import { scratchFolder } from "../scratch.testing.ts";

interface Document {
  readonly kind: string;
  readonly lint: {
    readonly findings: { readonly code: string; readonly severity: string }[];
    readonly readings: { readonly reading: string; readonly launchDigest?: string }[];
  };
}

const page = (byte: number): Uint8Array => new Uint8Array(4096).fill(byte);

/** A processor as KVM measures it: with the bits that KVM adds, and CR0 as igvmmeasure --check-kvm wants it. */
function processor(): Uint8Array {
  const vmsa = new Uint8Array(4096);
  vmsa[0x0d1] = 0x10; // EFER: SVME
  vmsa[0x148] = 0x40; // CR4: MCE
  vmsa[0x158] = 0x31; // CR0
  vmsa[0x170] = 0x02; // RFLAGS
  vmsa[0x3b0] = 0x01; // SEV_FEATURES: SNPActive
  vmsa[0x3e8] = 0x01; // XCR0: x87
  return vmsa;
}

const GUEST: readonly HeaderPart[] = [
  platform(),
  guestPolicy(),
  pageData({ address: 0x1000n, data: page(1) }),
  pageData({ address: 0x2000n, data: page(2) }),
  vpContext({ data: processor() }),
];

describe("inspect igvm", () => {
  let file: string;
  beforeAll(async () => {
    file = join(await scratchFolder(), "guest.igvm");
  });

  async function inspect(
    headers: readonly HeaderPart[],
  ): Promise<{ exit: number; text: string; document: Document }> {
    await writeFile(file, buildIgvm({ headers: [...headers] }));
    const { exit, stdout } = await run(["inspect", "igvm", file]);
    const json = await run(["inspect", file, "--json"]);
    expect(json.exit).toBe(exit);
    return { exit, text: stdout, document: JSON.parse(json.stdout) as Document };
  }

  const digests = ({ lint }: Document): Map<string, string | undefined> =>
    new Map(lint.readings.map(({ reading, launchDigest }) => [reading, launchDigest]));

  it("shows platforms, a row for pages in a row, and the one digest that all readings give", async () => {
    const { exit, text, document } = await inspect(GUEST);
    expect(exit).toBe(0);
    expect(document.kind).toBe("igvm");
    expect(text).toMatch(/^platform +snp, mask 0x1/m);
    expect(text).toMatch(/^2\.\.3 +PAGE_DATA +snp +0x1000 +0x2000 +2 pages NORMAL/m);
    expect(new Set(digests(document).values()).size).toBe(1);
    expect(text).toMatch(/^QEMU and KVM +launches: [0-9a-f]{96}$/m);
  });

  it("names what two readings make of the same header when their digests differ", async () => {
    const { exit, text, document } = await inspect([...GUEST, pageData({ address: 0x3000n, offset: 0 })]);
    expect(exit).toBe(0);
    const found = digests(document);
    expect(found.get("igvmmeasure-native-zero")).not.toBe(found.get("qemu"));
    expect(text).toMatch(/^igvmmeasure-native-zero differs: IGVM header 5 \(PAGE_DATA\): .*ZERO at 0x3000$/m);
    expect(document.lint.findings.map(({ code }) => code)).toContain("BP-LINT-121");
  });

  it("compares the digest that the file's ID block expects", async () => {
    const digest = digests((await inspect(GUEST)).document).get("qemu") ?? "";
    const codes = async (expected: Uint8Array): Promise<string[]> =>
      (await inspect([...GUEST, idBlock(expected)])).document.lint.findings.map(({ code }) => code);
    expect(await codes(parseHex(digest, "digest"))).toContain("BP-LINT-135");
    expect(await codes(new Uint8Array(48))).toContain("BP-LINT-132");
  });

  it("ends with 1 for a file that QEMU and KVM cannot launch, with a page for each finding", async () => {
    const { exit, text, document } = await inspect([...GUEST, pageData({ address: 0x2000n, data: page(3) })]);
    expect(exit).toBe(1);
    expect(text).toMatch(/^QEMU and KVM +does not launch: BP-LINT-103$/m);
    for (const { code } of document.lint.findings) expect((await run(["explain", code])).exit).toBe(0);
  });

  it("says so when the file serves no platform with a launch digest", async () => {
    const { exit, text } = await inspect([platform({ type: 3 })]);
    expect(exit).toBe(1);
    expect(text).toContain("BP-LINT-101");
  });

  it("refuses a file of another kind, and one that is cut off", async () => {
    await writeFile(file, buildIgvm({ headers: [...GUEST] }).subarray(0, 100));
    expect((await run(["inspect", "igvm", file])).exit).toBe(65);
    expect((await run(["inspect", "firmware", file])).exit).toBe(65);
    await writeFile(file, "no IGVM file");
    const { exit, stdout } = await run(["inspect", "igvm", file, "--json"]);
    expect(exit).toBe(65);
    expect(stdout).toContain("BP-FILE-008");
  });
});
