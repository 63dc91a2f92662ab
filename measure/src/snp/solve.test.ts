import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { concatBytes, parseDigest, sha256, sha384, type Sha384, utf8 } from "@bootproof/bytes";
import type { FirmwareReference } from "./firmware-reference.ts";
import { hashDirectBoot } from "./kernel-hashes.ts";
import { prepareFromReference } from "./launch.ts";
import { snpProfile } from "./profiles.ts";
import type { Climb } from "../solve/space.ts";
import { resolveShape, type SnpShape } from "./shape.ts";
import { solveSnp } from "./solve.ts";
import { imageLoaders, referenceLoader } from "./solve-loader.ts";
import { SnpSpace, type SnpClaim } from "./solve-space.ts";
import { amdStages } from "./solve-stages.ts";
import { inputs, references, suffix } from "./vectors.testing.ts";

const reference = references.get("ovmf_AmdSev_suffix.bin")!;
const kernel = inputs.get("kernel-bz")!;
const initrd = inputs.get("initrd-32k") ?? [...inputs.values()].find((blob) => blob !== kernel)!;
const text = "console=ttyS0 root=/dev/vda ro";
const boot = { kernel: sha256(kernel), initrd: sha256(initrd), cmdline: utf8(text) };
const claim: SnpClaim = {
  firmware: referenceLoader(reference),
  boot,
  vcpus: 4,
  cpu: { signature: 0x800f12, model: "EPYC-v4" },
};

interface Reality extends Partial<SnpShape> {
  readonly kernel?: Uint8Array;
  readonly initrd?: Uint8Array;
  readonly cmdline?: string;
  readonly hashes?: boolean;
}

/** What a machine with these inputs reports; what is not said is as claimed. */
function reported(
  { kernel: k, initrd: i, cmdline, hashes, ...shape }: Reality,
  from: FirmwareReference = reference,
) {
  const whole = { vcpus: 4, ...(shape.vcpuSig === undefined && { cpu: "EPYC-v4" }), ...shape };
  const digests = hashDirectBoot({
    kernel: k ?? kernel,
    initrd: i ?? initrd,
    cmdline: utf8(cmdline ?? text),
  });
  const profile = snpProfile(shape.profile ?? "qemu");
  return prepareFromReference(from, hashes === false ? undefined : digests, profile).digest(
    resolveShape(whole),
  );
}

const named = (observed: Sha384, from: SnpClaim = claim) => {
  const { verdict, match } = solveSnp(from, observed);
  return [verdict, ...(match?.differences ?? []).map(({ input, found }) => `${input}: ${found}`)];
};

describe("solveSnp: one planned deviation is named first, and alone", () => {
  it("says yes to the inputs as given", () => {
    expect(named(reported({}))).toEqual(["match"]);
  });

  it.each<[string, Reality, string]>([
    ["a wrong number of vCPUs", { vcpus: 8 }, "vcpus: 8 vCPUs"],
    ["one vCPU", { vcpus: 1 }, "vcpus: 1 vCPU"],
    ["512 vCPUs", { vcpus: 512 }, "vcpus: 512 vCPUs"],
    ["debug swap", { guestFeatures: 0x21n }, "guestFeatures: guest features 0x21 (SNPActive, DebugSwap)"],
    ["secure TSC", { guestFeatures: 0x201n }, "guestFeatures: guest features 0x201 (SNPActive, SecureTSC)"],
    ["another CPU model", { vcpuSig: 0xa00f11 }, "cpu: CPU EPYC-Milan (0xa00f11)"],
    ["-cpu host on Genoa", { vcpuSig: 0xa10f11 }, "cpu: CPU signature 0xa10f11 (Genoa)"],
    ["a stepping that nobody listed", { vcpuSig: 0xa10f17 }, "cpu: CPU signature 0xa10f17"],
    ["an old host", { profile: "qemu-amdese-old" }, "profile: profile qemu-amdese-old"],
    ["a newline at the end", { cmdline: `${text}\n` }, "cmdline: command line with a newline at its end"],
    ["Windows line ends", { cmdline: `${text}\r\n` }, "cmdline: command line with CR and LF at its end"],
    ["a NUL too many", { cmdline: `${text}\0` }, "cmdline: command line with a NUL of its own at its end"],
    ["a space before", { cmdline: ` ${text}` }, "cmdline: command line with a space before it"],
    ["quotes that no shell took", { cmdline: `"${text}"` }, "cmdline: command line in double quotes"],
    ["no command line", { cmdline: "" }, "cmdline: command line empty"],
    [
      "a word too few",
      { cmdline: "console=ttyS0 ro" },
      'cmdline: command line without the word "root=/dev/vda"',
    ],
    ["swapped files", { kernel: initrd, initrd: kernel }, "bootFiles: kernel and initrd swapped"],
    ["no initrd", { initrd: new Uint8Array() }, "bootFiles: no initrd (or an empty one)"],
    ["kernel hashes off", { hashes: false }, "kernelHashes: kernel hashes off"],
  ])("%s", (_name, reality, difference) => {
    expect(named(reported(reality))).toEqual(["other-shape", difference]);
  });

  it("takes the newline off again where the file had one and the guest did not", () => {
    const from = { ...claim, boot: { ...boot, cmdline: utf8(`${text}\n`) } };
    expect(named(reported({}), from)).toEqual([
      "other-shape",
      "cmdline: command line without the newline at its end",
    ]);
  });

  it("keeps every byte of a command line that is no ASCII", () => {
    const from = { ...claim, boot: { ...boot, cmdline: utf8("name=à") } };
    expect(named(reported({ cmdline: "name=à\n" }), from)[1]).toBe(
      "cmdline: command line with a newline at its end",
    );
    const { finding } = solveSnp(from, reported({ cmdline: "name=à\n" }));
    expect(finding?.cmdline.text).toEqual(utf8("name=à\n"));
  });

  it("says which profile has the features that it found", () => {
    const { equivalent } = solveSnp(claim, reported({ guestFeatures: 0x21n }));
    expect(equivalent.map(({ differences }) => differences.map(({ found }) => found))).toEqual([
      ["profile qemu-debug-swap"],
    ]);
  });
});

describe("solveSnp: several deviations at once", () => {
  it.each<[string, Reality, string[]]>([
    ["vCPUs and CPU", { vcpus: 96, vcpuSig: 0xa00f12 }, ["vcpus", "cpu"]],
    [
      "old host with debug swap",
      { profile: "qemu-amdese-old", guestFeatures: 0x21n },
      ["profile", "guestFeatures"],
    ],
    ["newline, no initrd", { cmdline: `${text}\n`, initrd: new Uint8Array() }, ["bootFiles", "cmdline"]],
    ["EC2 has no kernel hashes", { profile: "ec2-rdx0", hashes: false }, ["kernelHashes", "profile"]],
    [
      "four of them",
      { vcpus: 17, vcpuSig: 0xa10f11, guestFeatures: 0x221n, cmdline: "" },
      ["vcpus", "cmdline", "guestFeatures", "cpu"],
    ],
  ])("%s", (_name, reality, changed) => {
    const { verdict, match } = solveSnp(claim, reported(reality));
    expect(verdict).toBe("other-shape");
    expect(match?.differences.map(({ input }) => input)).toEqual(changed);
  });
});

describe("solveSnp: shapes that are known in part", () => {
  it("fills in vCPUs and CPU, and says yes where nothing that was said is wrong", () => {
    const part = { ...claim, vcpus: undefined, cpu: undefined };
    expect(named(reported({ vcpus: 12, vcpuSig: 0xa10f10 }), part)).toEqual([
      "match",
      "vcpus: 12 vCPUs",
      "cpu: CPU EPYC-Genoa (0xa10f10)",
    ]);
  });

  it("tries the report's own processor", () => {
    const part = { ...claim, cpu: undefined, reportedCpu: 0xb30f51 };
    expect(named(reported({ vcpuSig: 0xb30f51 }), part)).toEqual([
      "match",
      "cpu: CPU signature 0xb30f51, the report's own",
    ]);
  });

  it("asks for no CPU where the VMM measures none", () => {
    const from: SnpClaim = { firmware: referenceLoader(reference), profile: "ec2-rdx600", vcpus: 4 };
    expect(named(reported({ profile: "ec2-rdx600", hashes: false }), from)).toEqual(["match"]);
  });
});

describe("solveSnp: values that only tools print", () => {
  it("names the tool that prints a digest without VMSAs", () => {
    const observed = prepareFromReference(reference, hashDirectBoot({ kernel, initrd, cmdline: utf8(text) }))
      .prefix.digest;
    const { verdict, match } = solveSnp(claim, observed);
    expect(verdict).toBe("other-shape");
    expect(match?.tools.join()).toContain("sev-snp-measure");
  });

  it("says that snpguest trims the command line", () => {
    const from = { ...claim, boot: { ...boot, cmdline: utf8(` ${text}\n`) } };
    const { match } = solveSnp(from, reported({}));
    expect(match?.differences[0]?.cause).toContain("snpguest");
  });

  it("recognises a digest in reverse byte order", () => {
    const observed = reported({}).toReversed() as Sha384;
    expect(solveSnp(claim, observed)).toMatchObject({ verdict: "other-shape", match: { reversed: true } });
  });
});

describe("solveSnp: firmware that was split", () => {
  // A variable store of 8 KiB before a real image's end: 64 bytes of volume header, the rest erased.
  const code = paddedSuffix();
  const store = variableStore(8192);

  it("finds the code without the variable store in front of it", () => {
    const whole: SnpClaim = {
      firmware: imageLoaders(concatBytes(store, code)),
      vcpus: 2,
      cpu: { signature: 0x800f12 },
    };
    const observed = solveTarget(code);
    expect(named(observed, whole)[1]).toMatch(/^firmware: firmware without its variable store/);
  });

  it("joins code with the store beside it", () => {
    const split: SnpClaim = { firmware: imageLoaders(code, store), vcpus: 2, cpu: { signature: 0x800f12 } };
    expect(named(solveTarget(concatBytes(store, code)), split)).toEqual([
      "other-shape",
      "firmware: firmware joined with its variable store",
    ]);
  });

  function solveTarget(image: Uint8Array): Sha384 {
    const launch = imageLoaders(image).candidates[0].value.launch(snpProfile("qemu"), undefined);
    return launch.digest(resolveShape({ vcpus: 2, vcpuSig: 0x800f12 }));
  }
});

describe("solveSnp: no match", () => {
  it("tries everything that people get wrong within seconds, says so, and stops when told to", () => {
    let digests = 0;
    const solution = solveSnp(claim, sha384(utf8("of another guest")), {
      goOn: (progress) => (digests = progress.digests) < 1_000_000,
    });
    expect(solution.verdict).toBe("none");
    expect(solution.finding).toBeUndefined();
    expect(solution.stages.slice(0, 3).every(({ complete }) => complete)).toBe(true);
    expect(solution.stages.at(-1)?.complete).toBe(false);
    expect(solution.digests - digests).toBe(0);
    expect(solution.digests).toBeLessThan(1_000_000 + 512);
    expect(solution.axes).toContainEqual({ input: "vcpus", values: 512 });
  });
});

describe("the search space of SNP guests", () => {
  const space = new SnpSpace(claim);

  it("holds at least 24 CPU signatures and 16 feature sets in every combination with 512 vCPUs", () => {
    const usual = (name: string) =>
      space.axes.find((axis) => axis.name === name)!.candidates.filter(({ rare }) => rare !== true).length;
    expect(usual("cpu")).toBeGreaterThanOrEqual(20);
    expect(usual("guestFeatures")).toBeGreaterThanOrEqual(16);
    expect(usual("cpu") * usual("guestFeatures") * space.ladder.rungs).toBeGreaterThanOrEqual(196_608);
  });

  it("has no value twice on an axis: candidates would be tried again", () => {
    for (const { name, candidates } of space.axes)
      expect(new Set(candidates.map(({ label }) => label)).size, name).toBe(candidates.length);
  });

  it("finds any shape drawn from it, and names a guest with that digest", () => {
    const position = (name: string) =>
      fc.nat(
        space.axes.find((axis) => axis.name === name)!.candidates.filter(({ rare }) => rare !== true).length -
          1,
      );
    const shape = fc.record({
      profile: position("profile"),
      guestFeatures: position("guestFeatures"),
      cpu: position("cpu"),
      vcpus: fc.integer({ min: 1, max: 512 }),
    });
    fc.assert(
      fc.property(shape, ({ vcpus, ...positions }) => {
        const choice = space.axes.map(({ name }) => (positions as Record<string, number>)[name] ?? 0);
        const guess = space.guess(choice);
        const { profile, cpu, guestFeatures } = guess;
        const observed = reported({ profile: profile.name, vcpuSig: cpu.signature, guestFeatures, vcpus });
        const { finding } = solveSnp(claim, observed);
        expect(finding?.vcpus).toBe(vcpus);
        expect(
          reported({
            profile: finding!.profile.name,
            vcpuSig: finding!.cpu.signature,
            guestFeatures: finding!.guestFeatures,
            vcpus,
          }),
        ).toEqual(observed);
      }),
      { numRuns: 3 },
    );
  });

  it("finds any combination of files, hashes and command line", () => {
    const files = ["kernelHashes", "bootFiles", "cmdline", "sections"];
    const positions = fc.tuple(
      ...files.map((name) => fc.nat(space.axes.find((axis) => axis.name === name)!.candidates.length - 1)),
    );
    fc.assert(
      fc.property(positions, (drawn) => {
        const choice = space.axes.map(({ name }) => drawn[files.indexOf(name)] ?? 0);
        const climb = space.climb(choice) as Climb;
        const { finding, match } = solveSnp(claim, climb.digest(4) as Sha384);
        expect(finding?.vcpus).toBe(4);
        expect((space.climb(match!.choice) as Climb).key).toBe(climb.key);
      }),
      { numRuns: 3 },
    );
  });

  it("tries stages from the likeliest on", () => {
    expect(
      amdStages(space)
        .map(({ name }) => name)
        .slice(0, 3),
    ).toEqual(["the inputs as given", "one input changed", "every vCPU count, CPU, feature set and profile"]);
  });
});

describe("values that hardware reported", () => {
  // aws/uefi issue 10: report read on m6a.xlarge (4 vCPUs), August 2023.
  const observed = parseDigest(
    "sha384",
    "25ac810f5c4750890fb1a158f097962e04d4d7fb640d1d08a99829cf4a70543a47cc6fb192bbe90aa713142361a66155",
  );
  const section = (guestAddress: number, size: number, type: number, index: number) => ({
    index,
    guestAddress,
    size,
    type,
    name: undefined,
    offset: 16 + 12 * index,
  });
  const ec2: FirmwareReference = {
    ...reference,
    seed: parseDigest(
      "sha384",
      "2027a27bb9f7acfd280e4c7bd68a73973b94bf0756e5b282e004b9395f597b8d0eb4defa7d8f6549375aa4d2b146f0f3",
    ),
    resetAddress: 0x80b004,
    metadata: {
      ...reference.metadata,
      sections: [
        section(0x800000, 0x9000, 1, 0),
        section(0x80a000, 0x3000, 1, 1),
        section(0x80d000, 0x1000, 2, 2),
        section(0x80e000, 0x1000, 3, 3),
        section(0x80f000, 0x11000, 1, 4),
      ],
    },
  };

  it("finds the older EC2 hosts for somebody who assumes today's, and tells them about snpguest", () => {
    const solution = solveSnp({ firmware: referenceLoader(ec2), vmm: "ec2", vcpus: 4 }, observed);
    expect(solution.verdict).toBe("other-shape");
    expect(solution.match?.differences).toMatchObject([
      { input: "profile", given: "profile ec2-rdx600", found: "profile ec2-rdx0" },
    ]);
    expect(solution.match?.differences[0]?.cause).toContain("snpguest");
    expect(solution.finding).toMatchObject({ vcpus: 4, guestFeatures: 1n, profile: { name: "ec2-rdx0" } });
  });

  it("finds them also for somebody who took it for a QEMU guest of another size", () => {
    const claimed = { firmware: referenceLoader(ec2), vcpus: 2, cpu: { signature: 0x800f12 } };
    expect(named(observed, claimed)).toEqual(["other-shape", "vcpus: 4 vCPUs", "profile: profile ec2-rdx0"]);
  });
});

function paddedSuffix(): Uint8Array {
  const end = suffix("ovmf_AmdSev_suffix.bin");
  const size = Math.ceil(end.length / 4096) * 4096;
  return concatBytes(new Uint8Array(size - end.length), end);
}

function variableStore(size: number): Uint8Array {
  const store = new Uint8Array(size).fill(0xff);
  const view = new DataView(store.buffer);
  store.fill(0, 0, 0x48);
  store.set(
    [0x8d, 0x2b, 0xf1, 0xff, 0x96, 0x76, 0x8b, 0x4c, 0xa9, 0x85, 0x27, 0x47, 0x07, 0x5b, 0x4f, 0x50],
    16,
  );
  view.setBigUint64(32, BigInt(size), true);
  store.set(utf8("_FVH"), 40);
  view.setUint16(48, 0x48, true);
  let sum = 0;
  for (let offset = 0; offset < 0x48; offset += 2) sum += view.getUint16(offset, true);
  view.setUint16(50, 0x1_0000 - (sum % 0x1_0000), true);
  return store;
}
