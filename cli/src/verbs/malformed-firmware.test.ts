import { readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { beforeAll, describe, expect, it } from "vitest";

import { run } from "../run.testing.ts";
import { ROOT, scratchFolder } from "../scratch.testing.ts";

interface Vector {
  readonly name: string;
  readonly bytes?: string;
  readonly before?: string;
  readonly after?: string;
  readonly patch?: [number, string][];
  readonly want: string;
  readonly withKernel: string;
  readonly warnings?: readonly string[];
}

interface Answer {
  readonly registers?: { launchDigest: string };
  readonly error?: {
    code: string;
    message: string;
    offset?: number;
    expected?: string;
    found?: string;
    hint?: string;
  };
  readonly lint?: { findings: { code: string; severity: string }[] };
}

/** Images of which other tools print a digest and QEMU launches none, and what a person is told. */
const TOLD: Readonly<Record<string, readonly [message: RegExp, place: object]>> = {
  "empty-file": [/firmware image size/, { found: "0" }],
  "unaligned-prefix": [/firmware image size/, { found: "4196" }],
  "no-footer-guid": [/GUIDed table footer/, { offset: 4048, found: "00000000-0000-0000-0000-000000000000" }],
  "footer-size-65535": [/GUIDed table length/, { offset: 4046, expected: "18 to 4064", found: "65535" }],
  "no-reset-block": [
    /SEV-ES reset block/,
    { offset: 3928, found: expect.stringMatching(/^\d others$/) as string },
  ],
  "reset-eip-0": [/AP reset address/, { offset: 4024, expected: "not 0", found: "0" }],
  "metadata-offset-huge": [/SEV metadata offset/, { expected: "16 to 4096" }],
  "bad-signature": [
    /SEV metadata signature/,
    { offset: 2732, expected: '41534556 ("ASEV")', found: "41534557" },
  ],
  "version-2": [/SEV metadata version/, { offset: 2740, expected: "1", found: "2" }],
  "num-items-0": [/SEV metadata sections/, { offset: 2732 }],
  "num-items-8": [/number of SEV metadata sections/, { offset: 2744, found: "8" }],
  "size-0": [
    /size of SEV metadata section \d \(SNP_SEC_MEM\)/,
    { expected: "at least one page", found: "0x0" },
  ],
  "gpa-unaligned": [/guest address of SEV metadata section/, { found: "0x800001" }],
  overlap: [/end of SEV metadata section/, { expected: expect.stringContaining("SNP_SECRETS") as string }],
  "gpa-wrap": [/end of SEV metadata section/, { expected: "at most 4 GiB" }],
};

const ALLOWED = "--allow-unknown-sections";

describe("malformed firmware on the command line", () => {
  let folder: string;
  let base: Buffer;
  let vectors: Vector[];

  beforeAll(async () => {
    folder = await scratchFolder();
    const at = join(ROOT, "measure/vectors");
    base = await readFile(join(at, "ovmf_AmdSev_suffix.bin"));
    const file = await readFile(join(at, "malformed.json"), "utf8");
    vectors = (JSON.parse(file) as { vectors: Vector[] }).vectors;
    await writeFile(join(folder, "kernel"), Buffer.alloc(4096));
  });

  async function put({ name, bytes, before = "", after = "", patch = [] }: Vector): Promise<string> {
    const path = join(folder, `${name}.fd`);
    const image = Buffer.from(base);
    for (const [offset, hex] of patch) image.set(Buffer.from(hex, "hex"), offset);
    const parts = [Buffer.from(before, "hex"), image, Buffer.from(after, "hex")];
    await writeFile(path, bytes === undefined ? Buffer.concat(parts) : Buffer.from(bytes, "hex"));
    return path;
  }

  async function ask(argv: readonly string[]): Promise<{ exit: number; stderr: string; answer: Answer }> {
    const { exit, stdout, stderr } = await run([...argv, "--json"]);
    return { exit, stderr, answer: JSON.parse(stdout) as Answer };
  }

  const measure = (firmware: string, ...more: string[]): ReturnType<typeof ask> =>
    ask(["measure", "snp", "--ovmf", firmware, "--vcpus", "2", "--vcpu-type", "EPYC-v4", ...more]);

  it("gets a digest where QEMU launches it, else exit status 65 and no digest", async () => {
    expect(vectors).toHaveLength(53);
    for (const vector of vectors) {
      const { exit, answer } = await measure(await put(vector), ALLOWED);
      const launches = /^[0-9a-f]{96}$/.test(vector.want);
      expect({ name: vector.name, exit, digest: answer.registers?.launchDigest }).toEqual({
        name: vector.name,
        exit: launches ? 0 : 65,
        digest: launches ? vector.want : undefined,
      });
      if (!launches) expect(answer.error?.code, vector.name).toMatch(/^BP-PARSE-0\d\d$/);
    }
  });

  it("has its unknown sections measured only when someone says so", async () => {
    const unknown = vectors.filter(({ warnings }) => warnings?.includes("BP-SNP-103") === true);
    expect(unknown).toHaveLength(4);
    for (const vector of unknown) {
      const firmware = await put(vector);
      for (const more of [[], ["--reference"], ["--vcpu-sig", "1,2"]])
        expect(
          await ask(["measure", "snp", "--ovmf", firmware, "--vcpus", "1", "--vcpu-sig", "1", ...more]),
        ).toMatchObject({
          exit: 65,
          answer: {
            error: {
              code: "BP-PARSE-009",
              message: expect.stringContaining("type of SEV metadata section 0") as string,
              offset: 2756,
              expected: expect.stringContaining("0x1, 0x2, 0x3, 0x4 or 0x10") as string,
              found: expect.stringMatching(/^0x(0|5|101|80000001)$/) as string,
              hint: expect.stringContaining(ALLOWED) as string,
            },
          },
        });
      expect((await ask(["measure", "sev", "--ovmf", firmware])).exit, "SEV reads no sections").toBe(0);
    }
  });

  it("gets a digest with a kernel only where QEMU finds a place for its hash", async () => {
    for (const vector of vectors) {
      const { exit, answer } = await measure(
        await put(vector),
        ...[ALLOWED, "--kernel", join(folder, "kernel")],
      );
      const launches = vector.withKernel === "launches";
      expect({ name: vector.name, exit }).toEqual({ name: vector.name, exit: launches ? 0 : 65 });
      expect(answer.registers?.launchDigest !== undefined, vector.name).toBe(launches);
    }
  });

  it("is refused with the field, the place, what was expected and what was found", async () => {
    for (const [name, [message, place]] of Object.entries(TOLD)) {
      const vector = vectors.find((candidate) => candidate.name === name);
      if (vector === undefined) throw new Error(`no vector ${name}`);
      const { answer } = await measure(await put(vector));
      expect(answer.error?.hint).toContain("bootproof inspect firmware ");
      expect(answer.error, name).toMatchObject({
        message: expect.stringMatching(message) as string,
        ...place,
      });
    }
  });

  it("is not read when it is larger than any firmware, or never ends", async () => {
    const huge = join(folder, "huge.fd");
    await writeFile(huge, "");
    await truncate(huge, 2 ** 34);
    for (const file of ["/dev/zero", huge])
      expect(await measure(file)).toMatchObject({
        exit: 65,
        answer: { error: { code: "BP-FILE-004", expected: "at most 67108864 bytes" } },
      });
  });

  it("is examined all the same: inspect firmware says what is wrong and ends with 1", async () => {
    for (const vector of vectors) {
      const { exit, answer } = await ask(["inspect", "firmware", await put(vector)]);
      const grave = (answer.lint?.findings ?? []).filter(({ severity }) => severity === "cannot launch");
      const launches = /^[0-9a-f]{96}$/.test(vector.want);
      expect({ name: vector.name, exit, grave: grave.length > 0 }).toEqual({
        name: vector.name,
        exit: launches ? 0 : 1,
        grave: !launches,
      });
    }
  });
});
