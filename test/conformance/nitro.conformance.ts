/**
 * Enclave images before AWS's own library, both ways: images that it wrote are measured and their signatures checked by
 * us, images that we wrote are described and checked by it; some hundred shapes, three curves. Where the two differ on
 * images that no honest tool writes, the difference is written down here with its reason.
 *
 *     vitest run --config test/conformance/vitest.config.ts nitro.conformance
 * @module
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createPrivateKey } from "node:crypto";
import { tmpdir } from "node:os";
import path from "node:path";
import {
  formatEifMetadata,
  parseSignatureSection,
  readEif,
  type EifReading,
  type EifSectionType,
  type EifSource,
} from "@bootproof/boot/eif";
import { signEif, verifyEifSignature } from "@bootproof/boot/eif/signing";
import { writeEifFile, type EifPart } from "@bootproof/builder/eif-file";
import { crc32 } from "@bootproof/bytes";
import {
  EifHasher,
  joinEifDigests,
  measureNitro,
  measureNitroBytes,
  pcrOf,
  type PlannedSection,
} from "@bootproof/measure/nitro";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eifCrate, type EifAnswer, type EifCrate, type EifOrder } from "../bench/peers/eif-crate.ts";
import { Random } from "../fuzz/random.ts";

const BOOTPROOF = path.resolve(import.meta.dirname, "../../cli/bin/bootproof");
const SHAPES = 250;
const SEED = 5;
const CURVES = ["P-256", "P-384", "P-521"] as const;

let folder = "";
let crate: EifCrate | undefined;
const at = (name: string): string => path.join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "bootproof-nitro-"));
  const found = await eifCrate();
  if ("why" in found) console.log(`skipped: ${found.name} cannot be had here (${found.why})`);
  else crate = found;
  for (const curve of CURVES)
    await execa("openssl", [
      ...["req", "-x509", "-newkey", "ec", "-pkeyopt", `ec_paramgen_curve:${curve}`, "-nodes"],
      ...[
        "-days",
        "30",
        "-subj",
        `/CN=${curve}/O=Bootproof`,
        "-keyout",
        at(`${curve}.key`),
        "-out",
        at(`${curve}.pem`),
      ],
    ]);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** An image in parts. */
interface Shape {
  readonly kernel: Uint8Array;
  readonly cmdline: string;
  readonly ramdisks: readonly Uint8Array[];
  readonly metadata: Parameters<typeof formatEifMetadata>[0];
  readonly curve: (typeof CURVES)[number] | undefined;
  readonly aarch64: boolean;
}

const KERNEL_SIZES = [1, 511, 512, 4096, 70_001];
const RAMDISK_SIZES = [1, 47, 48, 128, 4097, 65_536, 200_003];

function makeShape(random: Random): Shape {
  const bytes = (sizes: readonly number[]): Uint8Array =>
    Uint8Array.from({ length: random.pick(sizes) }, () => random.below(256));
  const text = (most: number, from = 0x20, to = 0x7e): string =>
    String.fromCharCode(
      ...Array.from({ length: random.below(most) }, () => from + random.below(to - from + 1)),
    );
  return {
    kernel: bytes(KERNEL_SIZES),
    cmdline: text(random.oneIn(4) ? 4000 : 90),
    ramdisks: Array.from({ length: 1 + random.below(random.oneIn(8) ? 28 : 4) }, () => bytes(RAMDISK_SIZES)),
    metadata: {
      name: text(20, 0x20, 0xd7ff),
      version: text(12),
      buildTool: "tool",
      buildToolVersion: text(8),
      operatingSystem: "Linux",
      kernelVersion: text(8),
      custom: random.oneIn(3) ? { note: text(30, 0x20, 0xd7ff), list: [1, true, null] } : null,
    },
    curve: random.oneIn(4) ? undefined : random.pick(CURVES),
    aarch64: random.oneIn(3),
  };
}

const shapes = (seed: number): Shape[] =>
  Array.from({ length: SHAPES }, (_, index) => makeShape(new Random(seed, index)));

/** Writes a shape's parts to files. */
async function spread(shape: Shape, index: number): Promise<{ kernel: string; ramdisks: string[] }> {
  const base = at(`${index}`);
  await mkdir(base, { recursive: true });
  const kernel = path.join(base, "kernel");
  await writeFile(kernel, shape.kernel);
  const ramdisks = shape.ramdisks.map((_, which) => path.join(base, `ramdisk${which}`));
  for (const [which, file] of ramdisks.entries()) await writeFile(file, shape.ramdisks[which] ?? "");
  return { kernel, ramdisks };
}

interface Measured {
  readonly reading: EifReading;
  readonly registers: Readonly<Record<string, string>>;
  readonly crcHolds: boolean;
  readonly signature: readonly string[];
}

const sourceOf = (name: string, bytes: Uint8Array): EifSource => ({
  name,
  size: bytes.length,
  read: (offset, length) => Promise.resolve(bytes.slice(offset, offset + length)),
});

/** What we say of a file, through the library. */
async function measure(file: string): Promise<Measured> {
  const image = await readFile(file);
  const reading = await readEif(sourceOf(file, image));
  const { layout, signature } = reading;
  if (layout === undefined) throw new Error(JSON.stringify(reading.findings));
  const hasher = new EifHasher(layout.sections);
  hasher.update(image);
  const digests = joinEifDigests(hasher.finish());
  const parsed = signature === undefined ? undefined : parseSignatureSection(signature);
  const checks = parsed === undefined ? [] : verifyEifSignature(parsed, pcrOf(digests.inner0), new Date());
  return {
    reading,
    registers: measureNitro({ ...digests, certificateDer: parsed?.certificateDer }).registers,
    crcHolds: digests.crc32 === layout.crc32,
    signature: checks.map(({ answer }) => answer),
  };
}

const ZERO = "0".repeat(96);

/** The crate's registers as ours: it leaves out PCR8 when nothing is signed. */
const registersOf = ({ pcrs = {} }: EifAnswer): Record<string, string> => {
  const { PCR0, PCR1, PCR2, PCR8 = ZERO } = pcrs;
  return { PCR0: PCR0 ?? "", PCR1: PCR1 ?? "", PCR2: PCR2 ?? "", PCR8 };
};

async function privateKey(curve: string): Promise<Uint8Array> {
  const { d = "" } = createPrivateKey(await readFile(at(`${curve}.key`))).export({ format: "jwk" });
  return Buffer.from(d, "base64url");
}

describe("enclave images before AWS's own library", () => {
  it(`measures ${SHAPES} images that it wrote as it does, and finds its signatures good`, async ({
    skip,
  }) => {
    if (crate === undefined) return skip();
    const all = shapes(SEED);
    const orders: EifOrder[] = [];
    for (const [index, shape] of all.entries()) {
      const files = await spread(shape, index);
      const { name, version, buildTool, buildToolVersion, operatingSystem, kernelVersion, custom } =
        shape.metadata;
      orders.push({
        do: "build",
        file: at(`aws-${index}.eif`),
        ...files,
        cmdline: shape.cmdline,
        metadata: {
          ImageName: name,
          ImageVersion: version,
          BuildMetadata: {
            BuildTime: "1970-01-01T00:00:00+00:00",
            BuildTool: buildTool,
            BuildToolVersion: buildToolVersion,
            OperatingSystem: operatingSystem,
            KernelVersion: kernelVersion,
          },
          DockerInfo: null,
          CustomMetadata: custom,
        },
        flags: shape.aarch64 ? 1 : 0,
        ...(shape.curve !== undefined && {
          key: at(`${shape.curve}.key`),
          certificate: at(`${shape.curve}.pem`),
        }),
      });
    }
    const answers = await crate.ask(orders);
    for (const [index, shape] of all.entries()) {
      const { registers, crcHolds, signature, reading } = await measure(at(`aws-${index}.eif`));
      expect(registers, `shape ${index}`).toEqual(registersOf(answers[index] ?? {}));
      expect(crcHolds).toBe(true);
      expect(
        signature.every((answer) => answer !== "no") && signature.length > 0 === (shape.curve !== undefined),
      ).toBe(true);
      expect(reading.layout?.architecture).toBe(shape.aarch64 ? "aarch64" : "x86_64");
      const parts = { kernel: shape.kernel, cmdline: Buffer.from(shape.cmdline), ramdisks: shape.ramdisks };
      expect(measureNitroBytes(parts).registers["PCR0"]).toBe(registers["PCR0"]);
    }
  });

  it(`has it describe ${SHAPES} images that we wrote as we do, in every order of sections`, async ({
    skip,
  }) => {
    if (crate === undefined) return skip();
    const all = shapes(SEED + 1);
    for (const [index, shape] of all.entries()) await writeOurs(shape, index);
    const answers = await crate.ask(
      all.map((_, index) => ({ do: "describe", file: at(`ours-${index}.eif`) })),
    );
    expect(answers).toHaveLength(all.length);
    for (const [index, shape] of all.entries()) {
      const { registers, crcHolds, signature } = await measure(at(`ours-${index}.eif`));
      const answer = answers[index] ?? {};
      expect(answer.error ?? answer.panic, `shape ${index}`).toBeUndefined();
      expect(registers, `shape ${index}`).toEqual(registersOf(answer));
      expect([answer.crc, crcHolds]).toEqual([true, true]);
      expect(answer.metadata).toMatchObject({
        ImageName: shape.metadata.name,
        CustomMetadata: shape.metadata.custom,
      });
      if (shape.curve === undefined) continue;
      expect([answer.signed, answer.verified, signature.includes("no")]).toEqual([true, null, false]);
    }
  });

  it("writes byte for byte what it writes, when nothing is signed", async ({ skip }) => {
    if (crate === undefined) return skip();
    const shape = { ...makeShape(new Random(SEED, 0)), curve: undefined, aarch64: false };
    const files = await spread(shape, 9000);
    await writeOurs(shape, 9000, "aws");
    const metadata: unknown = JSON.parse(Buffer.from(formatEifMetadata(shape.metadata)).toString());
    const { cmdline } = shape;
    await crate.ask([
      { do: "build", file: at("theirs.eif"), ...files, cmdline, metadata: metadata as object, flags: 0 },
    ]);
    expect((await readFile(at("theirs.eif"))).equals(await readFile(at("ours-9000.eif")))).toBe(true);
  });

  it("says through the command what it says", async ({ skip }) => {
    if (crate === undefined) return skip();
    for (const [index, curve] of CURVES.entries()) {
      const shape = { ...makeShape(new Random(SEED + 2, index)), curve };
      await writeOurs(shape, index);
      const file = at(`ours-${index}.eif`);
      const [answer] = await crate.ask([{ do: "describe", file }]);
      const { stdout } = await execa(BOOTPROOF, ["measure", "nitro", file, "--json"]);
      const { registers } = JSON.parse(stdout) as { registers: Record<string, string> };
      expect(registers).toMatchObject(registersOf(answer ?? {}));
    }
  });
});

async function writeOurs(shape: Shape, index: number, order?: "aws"): Promise<void> {
  const files = await spread(shape, index);
  const random = new Random(SEED + 3, index);
  const ramdisks = files.ramdisks.map((file): EifPart => ({ type: "ramdisk", path: file }));
  const boot: EifPart[] = [
    { type: "kernel", path: files.kernel },
    { type: "cmdline", bytes: Buffer.from(shape.cmdline) },
    { type: "metadata", bytes: formatEifMetadata(shape.metadata) },
  ];
  const sections: EifPart[] = [...boot, ...ramdisks];
  // The kernel stays before the ramdisks; everything else goes anywhere.
  for (const type of ["cmdline", "metadata"] as const) {
    const from = sections.findIndex((section) => section.type === type);
    const [moved] = sections.splice(from, 1);
    if (moved !== undefined) sections.splice(random.below(sections.length + 1), 0, moved);
  }
  const { curve } = shape;
  const images = sections.map((section) => ("bytes" in section ? section.bytes : undefined));
  const contents: Uint8Array[] = [];
  for (const [which, section] of sections.entries())
    contents.push(images[which] ?? ("path" in section ? await readFile(section.path) : new Uint8Array()));
  const sign = async (): Promise<Uint8Array> => {
    const planned = sections.map(({ type }, which): PlannedSection => ({
      type,
      size: contents[which]?.length ?? 0,
    }));
    const hasher = new EifHasher(planned, { headers: false });
    for (const bytes of contents) hasher.update(bytes);
    const certificate = await readFile(at(`${curve ?? ""}.pem`));
    return signEif(certificate, await privateKey(curve ?? ""), pcrOf(joinEifDigests(hasher.finish()).inner0));
  };
  const input = {
    architecture: shape.aarch64 ? "aarch64" : "x86_64",
    sections: order === undefined ? sections : [...boot, ...ramdisks],
    order: order ?? "given",
  } as const;
  await writeEifFile(input, at(`ours-${index}.eif`), curve === undefined ? {} : { sign });
}

/** An image no honest tool writes. */
interface Hostile {
  readonly what: string;
  readonly make: (image: Buffer) => Uint8Array;
  /** What the crate says of it. */
  readonly theirs: Partial<EifAnswer>;
  /** What we find in it. */
  readonly ours: string;
}

const SECTION = (type: number, bytes: Uint8Array): Buffer => {
  const header = Buffer.alloc(12);
  header.writeUInt16BE(type, 0);
  header.writeBigUInt64BE(BigInt(bytes.length), 4);
  return Buffer.concat([header, bytes]);
};

/** The image with a CRC over all of it, as the crate computes it. */
function sealed(image: Buffer): Buffer {
  image.writeUInt32BE(crc32(image.subarray(548), crc32(image.subarray(0, 0x220))), 0x220);
  return image;
}

const HOSTILE: readonly Hostile[] = [
  {
    what: "a ramdisk behind the last section of the table: it counts it into PCR0 and PCR2, a loader does not load it",
    make: (image) => sealed(Buffer.concat([image, SECTION(3, Buffer.from("hidden"))])),
    theirs: { crc: true },
    ours: "BP-EIF-013",
  },
  {
    what: "eleven bytes behind the last section: its walk ends at them, and the CRC that it computes leaves them out",
    make: (image) => Buffer.concat([image, Buffer.alloc(11)]),
    theirs: { crc: true },
    ours: "BP-EIF-012",
  },
  {
    what: "another magic number: it never looks at it",
    make: (image) => (image.write("ELF!", 0), sealed(image)),
    theirs: { crc: true },
    ours: "BP-EIF-002",
  },
  {
    what: "a table that names no section at all: it never looks at it",
    make: (image) => (image.fill(0, 0x1a, 0x21c), sealed(image)),
    theirs: { crc: true },
    ours: "BP-EIF-006",
  },
  {
    what: "flags whose rule is not public: it measures as if they were not there",
    make: (image) => (image.writeUInt16BE(0x240, 6), sealed(image)),
    theirs: { crc: true },
    ours: "BP-EIF-004",
  },
  {
    what: "a second kernel: it hashes both into PCR0",
    make: (image) => sealed(Buffer.concat([image, SECTION(1, Buffer.from("kernel"))])),
    theirs: { crc: true },
    ours: "BP-EIF-013",
  },
  {
    what: "a signature section that is an empty list: it panics",
    make: (image) => sealed(Buffer.concat([image, SECTION(4, Buffer.from([0x80]))])),
    theirs: { panic: true },
    ours: "BP-EIF-013",
  },
  {
    what: "metadata that is no JSON: it gives up, we measure it and say so",
    make: (image) => sealed(Buffer.concat([image, SECTION(5, Buffer.from("{"))])),
    theirs: { error: expect.stringContaining("metadata") as string },
    ours: "BP-EIF-013",
  },
];

describe("images that no honest tool writes: where AWS's library and we differ, and why", () => {
  it.each(HOSTILE)("$what", async ({ make, theirs, ours }) => {
    const shape = { ...makeShape(new Random(SEED, 1)), curve: undefined, aarch64: false };
    await writeOurs(shape, 9100, "aws");
    const file = at("hostile.eif");
    await writeFile(file, make(await readFile(at("ours-9100.eif"))));
    const { layout, findings } = await readEif(sourceOf(file, await readFile(file)));
    expect(layout).toBeUndefined();
    expect(findings.map(({ code }) => code)).toContain(ours);
    if (crate === undefined) return;
    const [answer] = await crate.ask([{ do: "describe", file }]);
    expect(answer).toMatchObject(theirs);
  });

  it("a section of 2^62 bytes: it asks for that much memory and is ended; we say where the section leads", async () => {
    const shape = { ...makeShape(new Random(SEED, 1)), curve: undefined, aarch64: false };
    await writeOurs(shape, 9100, "aws");
    const image = await readFile(at("ours-9100.eif"));
    image.writeBigUInt64BE(2n ** 62n, 548 + 4);
    await writeFile(at("huge.eif"), image);
    const { findings } = await readEif(sourceOf("huge.eif", image));
    expect(findings.map(({ code }) => code)).toContain("BP-EIF-009");
    expect(await crate?.ask([{ do: "describe", file: at("huge.eif") }])).toEqual(crate && []);
  });

  it("a signature of another image: `run-enclave` takes it, `describe-eif` and we do not", async () => {
    const [shape, other] = [3, 4].map((index) => ({
      ...makeShape(new Random(SEED, index)),
      curve: CURVES[1],
    }));
    if (shape === undefined || other === undefined) throw new Error("no shapes");
    await writeOurs(other, 9200);
    await writeOurs({ ...shape, curve: undefined }, 9201);
    const { reading } = await measure(at("ours-9200.eif"));
    const file = at("transplanted.eif");
    const kept = (await measure(at("ours-9201.eif"))).reading.layout?.sections ?? [];
    const sections: EifPart[] = [
      ...kept.map(({ type, offset, size }) => ({ type, path: at("ours-9201.eif"), offset, size })),
      { type: "signature" satisfies EifSectionType, bytes: reading.signature ?? new Uint8Array() },
    ];
    await writeEifFile({ architecture: "x86_64", sections, order: "given" }, file);
    expect((await measure(file)).signature).toContain("no");
    if (crate === undefined) return;
    const [answer] = await crate.ask([{ do: "describe", file }]);
    expect(answer).toMatchObject({ crc: true, signed: false, verified: null });
  });
});
