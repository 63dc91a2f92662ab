import { describe, expect, it } from "vitest";
import fc from "fast-check";
import { asDigest, formatDigest, formatHex, parseHex, utf8 } from "@bootproof/bytes";
import { traceReplay } from "../replay.ts";
import { CPU_MODELS } from "./cpu-models.ts";
import { measureFirmware } from "./firmware-reference.ts";
import { hashDirectBoot } from "./kernel-hashes.ts";
import { prepareFromReference, prepareSnp } from "./launch.ts";
import { measureSnp } from "./measure-snp.ts";
import { extendLaunchDigest, PAGE_TYPE, START } from "./page-info.ts";
import { PROFILES } from "./profiles.ts";
import {
  checkReference,
  expandCounts,
  expandReference,
  launchOf,
  referenceOf,
  type SnpReference,
} from "./reference.ts";
import { resolveShape, type SnpShape } from "./shape.ts";
import { inputs, references, suffix, vectors } from "./vectors.testing.ts";

interface DigestVector {
  readonly name: string;
  readonly firmware: string;
  readonly vcpus?: number;
  readonly cpu?: string;
  readonly vcpuSig?: string;
  readonly guestFeatures?: string;
  readonly kernel?: string;
  readonly initrd?: string;
  readonly append?: string;
  readonly seed?: string | true;
  readonly want: string;
}

const digests = vectors<DigestVector>("launch-digests.json");

function shapeOf(vector: DigestVector): SnpShape {
  return {
    vcpus: vector.vcpus ?? 0,
    guestFeatures: BigInt(vector.guestFeatures ?? "0x1"),
    ...(vector.cpu === undefined ? { vcpuSig: Number(vector.vcpuSig) } : { cpu: vector.cpu }),
  };
}

function bootOf({ kernel, initrd, append }: DigestVector) {
  if (kernel === undefined) return undefined;
  return {
    kernel: inputs.get(kernel)!,
    initrd: initrd === undefined ? undefined : inputs.get(initrd)!,
    cmdline: append === undefined ? undefined : utf8(append),
  };
}

describe("launch digests: a guest that boots what was published is recognised", () => {
  it(`equals all ${digests.length} vectors, from firmware references`, () => {
    const wrong: string[] = [];
    for (const vector of digests) {
      const reference = references.get(vector.firmware)!;
      const seed =
        typeof vector.seed === "string" ? asDigest("sha384", parseHex(vector.seed, "seed")) : reference.seed;
      if (vector.seed === true) {
        if (formatDigest(seed) !== vector.want) wrong.push(vector.name);
        continue;
      }
      const boot = bootOf(vector);
      const launch = prepareFromReference({ ...reference, seed }, boot && hashDirectBoot(boot));
      const digest = formatDigest(launch.digest(resolveShape(shapeOf(vector))));
      if (digest !== vector.want) wrong.push(vector.name);
    }
    expect(wrong).toEqual([]);
    expect(digests.length).toBeGreaterThan(800);
  });

  it("equals the vectors of both suffix images from their bytes", () => {
    const own = digests.filter(({ firmware, seed }) => firmware.endsWith("suffix.bin") && seed === undefined);
    for (const vector of own) {
      const measurement = measureSnp(
        { firmware: suffix(vector.firmware), ...bootOf(vector) },
        shapeOf(vector),
      );
      expect(measurement.registers["launchDigest"], vector.name).toBe(vector.want);
    }
    expect(own.length).toBeGreaterThan(100);
  });

  it("reads from an image what the published reference says", () => {
    for (const name of ["ovmf_AmdSev_suffix.bin", "ovmf_OvmfX64_suffix.bin"]) {
      const { reference } = measureFirmware(suffix(name));
      const expected = references.get(name)!;
      expect(formatDigest(reference.seed)).toBe(formatDigest(expected.seed));
      expect(reference.resetAddress).toBe(expected.resetAddress);
      const { guestAddress, size } = reference.hashTable ?? {};
      expect(reference.hashTable && { guestAddress, size }).toEqual(expected.hashTable);
      const sections = (of: typeof reference) =>
        of.metadata.sections.map(({ guestAddress, size, type, name: title }) => [
          guestAddress,
          size,
          type,
          title,
        ]);
      expect(sections(reference)).toEqual(sections(expected));
    }
  });

  it("extends every page as the trace says: type, guest address, contents, digest after", () => {
    const { events } = measureSnp(
      {
        firmware: suffix("ovmf_AmdSev_suffix.bin"),
        kernel: inputs.get("kernel-a")!,
        initrd: inputs.get("initrd-a")!,
        cmdline: "console=ttyS0",
      },
      { vcpus: 2, cpu: "EPYC-v4" },
    );
    const steps = [...traceReplay(START, extendLaunchDigest, events)].map(({ event, after }) => [
      PAGE_TYPE[event.type],
      `0x${event.guestAddress.toString(16)}`,
      formatHex(event.digest),
      formatHex(after),
    ]);
    expect(steps).toEqual(vectors("trace.json"));
  });
});

describe("shapes: one preparation answers for every guest of a release", () => {
  const launch = prepareSnp(suffix("ovmf_AmdSev_suffix.bin"));

  it("gives the same digest in any order of questions", () => {
    const shape = fc.record({
      vcpus: fc.integer({ min: 1, max: 40 }),
      cpu: fc.constantFrom(...CPU_MODELS),
      guestFeatures: fc.constantFrom(1n, 0x21n, 0x201n),
    });
    fc.assert(
      fc.property(fc.array(shape, { minLength: 1, maxLength: 8 }), (shapes) => {
        for (const one of shapes) {
          const alone = prepareFromReference(references.get("ovmf_AmdSev_suffix.bin")!).digest(
            resolveShape(one),
          );
          expect(formatDigest(launch.digest(resolveShape(one)))).toBe(formatDigest(alone));
        }
      }),
      { numRuns: 30 },
    );
  });

  it("derives every vCPU count from the compact reference, which is small", () => {
    const axes: SnpShape[] = ["EPYC-v4", "EPYC-Milan"].map((cpu) => ({ vcpus: 1, cpu }));
    const reference = referenceOf(launch, axes);
    for (const vcpus of [1, 2, 3, 17, 255, 512]) {
      const shape = { vcpus, cpu: "EPYC-Milan" };
      expect(formatDigest(expandReference(reference, shape))).toBe(
        formatDigest(launch.digest(resolveShape(shape))),
      );
    }
    expect(JSON.stringify(reference).length).toBeLessThan(1024);
    expect(JSON.stringify(referenceOf(launch, axes.reverse()))).toBe(JSON.stringify(reference));
  });

  it("derives all counts of a CPU in one pass, or a stranger's statement takes minutes to look through", () => {
    const reference = referenceOf(launch, [{ vcpus: 1, cpu: "EPYC-Milan" }]);
    const counts = [1, 2, 5, 64, 512];
    const alone = counts.map((vcpus) =>
      formatDigest(expandReference(reference, { vcpus, cpu: "EPYC-Milan" })),
    );
    const together = [...expandCounts(reference, { cpu: "EPYC-Milan" }, counts)].map(({ launchDigest }) =>
      formatDigest(launchDigest),
    );
    expect(together).toEqual(alone);
    expect(() => [...expandCounts(reference, { cpu: "EPYC-Milan" }, [2, 1])]).toThrow("ascend");
  });

  it("refuses to expand a reference to a CPU or feature set that it does not cover, and to another profile", () => {
    const reference = { ...referenceOf(launch, [{ vcpus: 1, cpu: "EPYC-Milan" }]), firmware: undefined };
    const refused = (from: SnpReference, shape: SnpShape) => {
      expect(() => expandReference(from, shape)).toThrow(
        expect.objectContaining({ code: "BP-SNP-006" }) as Error,
      );
    };
    refused(reference, { vcpus: 1, cpu: "EPYC-Genoa" });
    refused(reference, { vcpus: 1, cpu: "EPYC-Milan", guestFeatures: 0x21n });
    refused(reference, { vcpus: 1, cpu: "EPYC-Milan", vmm: "ec2" });
    refused(referenceOf(launch, []), { vcpus: 1, cpu: "EPYC-Milan", profile: "qemu-debug-swap" });
    expect(() => launchOf(reference)).toThrow(expect.objectContaining({ code: "BP-SNP-006" }) as Error);
  });
});

describe("compact references: what follows from one must be what the image gives", () => {
  const image = suffix("ovmf_AmdSev_suffix.bin");
  const boot = hashDirectBoot({ kernel: inputs.get("kernel-a")!, cmdline: utf8("quiet") });
  const other = hashDirectBoot({ kernel: inputs.get("kernel-b")!, initrd: inputs.get("initrd-a")! });
  const shapes = fc.record({
    vcpus: fc.integer({ min: 1, max: 512 }),
    cpu: fc.constantFrom(...CPU_MODELS),
    guestFeatures: fc.constantFrom(undefined, 1n, 0x21n, 0x201n),
    profile: fc.constantFrom(
      ...PROFILES.filter((profile) => profile.platform === "snp" && profile.image === "ovmf").map(
        ({ name }) => name,
      ),
    ),
  });

  it("derives every shape of every profile, with its own kernel, another or none, from the reference of one shape", () => {
    fc.assert(
      fc.property(shapes, fc.constantFrom(undefined, null, other), fc.boolean(), (shape, swap, booted) => {
        const resolved = resolveShape(shape);
        const own = booted ? boot : undefined;
        const whole = prepareSnp(image, own, resolved.profile);
        const reference = JSON.parse(
          JSON.stringify(referenceOf(whole, [{ ...shape, vcpus: 1, cpu: "EPYC-v1", guestFeatures: 1n }])),
        ) as SnpReference;
        expect(expandReference(reference, shape)).toEqual(whole.digest(resolved));
        const wanted = swap === undefined ? own : (swap ?? undefined);
        expect(launchOf(reference, swap).digest(resolved)).toEqual(
          prepareSnp(image, wanted, resolved.profile).digest(resolved),
        );
        expect(() => checkReference(reference)).not.toThrow();
      }),
      { numRuns: 60 },
    );
  });

  it("takes less than a kilobyte for one CPU, with firmware and kernel hashes", () => {
    for (const known of references.values()) {
      const area = known.metadata.sections.some(({ type }) => type === 0x10);
      const launch = prepareFromReference(known, area && known.hashTable !== undefined ? boot : undefined);
      const reference = referenceOf(launch, [{ vcpus: 1, cpu: "EPYC-Milan" }]);
      expect(JSON.stringify(reference).length).toBeLessThan(1024);
    }
  });

  it("is found out when it states what does not follow", () => {
    const reference = referenceOf(prepareSnp(image, boot), [{ vcpus: 1, cpu: "EPYC-Milan" }]);
    const [vmsa] = reference.vmsas;
    const digest = "1".repeat(96);
    const liars: SnpReference[] = [
      { ...reference, prefix: digest },
      { ...reference, vmsas: [{ ...vmsa!, bsp: digest }] },
      { ...reference, vmsas: [{ ...vmsa!, ap: digest }] },
      { ...reference, vmsas: [{ ...vmsa!, cpuSignature: "0xa00f12" }] },
      { ...reference, profile: "qemu-amdese-old" },
      { ...reference, kernelHashes: undefined },
      { ...reference, firmware: { ...reference.firmware!, seed: digest } },
      { ...reference, firmware: { ...reference.firmware!, resetAddress: "0x80b008" } },
    ];
    for (const liar of liars)
      expect(() => checkReference(liar)).toThrow(expect.objectContaining({ code: "BP-SNP-011" }) as Error);
  });
});
