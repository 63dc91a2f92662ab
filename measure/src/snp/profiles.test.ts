import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { formatDigest, formatHex, utf8 } from "@bootproof/bytes";
import { hashDirectBoot } from "./kernel-hashes.ts";
import { prepareFromReference } from "./launch.ts";
import { measureSnp } from "./measure-snp.ts";
import { PAGE_TYPE } from "./page-info.ts";
import {
  chooseProfile,
  defaultProfile,
  profileNamed,
  PROFILES,
  sevEsProfile,
  snpProfile,
} from "./profiles.ts";
import { resolveShape, type SnpShape } from "./shape.ts";
import {
  directInput,
  readReferences,
  references,
  type ReferenceVector,
  suffix,
  vectors,
} from "./vectors.testing.ts";

interface DigestVector {
  readonly name: string;
  readonly profile: string;
  readonly firmware: string;
  readonly vcpus: number;
  readonly cpu?: string;
  readonly guestFeatures?: string;
  readonly kernel?: string;
  readonly initrd?: string;
  readonly append?: string;
  readonly want: string;
}

interface TraceVector {
  readonly name: string;
  readonly firmware: string;
  readonly profile: string;
  readonly vcpus: number;
  readonly steps: [number, string, string, string][];
}

const digests = vectors<DigestVector>("profile-digests.json");
const own = JSON.parse(
  readFileSync(new URL("../../vectors/profile-digests.json", import.meta.url), "utf8"),
) as { references: ReferenceVector[] };
const known = new Map([...references, ...readReferences(own.references)]);

function shapeOf({ profile, vcpus, cpu, guestFeatures }: DigestVector): SnpShape {
  return { profile, vcpus, cpu, guestFeatures: BigInt(guestFeatures ?? "0x1") };
}

describe("profiles: guests of clouds and of older hosts are recognised too", () => {
  it(`equals all ${digests.length} vectors of EC2, Google and peers' own tests, hardware among them`, () => {
    const wrong: string[] = [];
    for (const vector of digests) {
      const { kernel, initrd, append } = vector;
      const boot =
        kernel === undefined
          ? undefined
          : hashDirectBoot({
              kernel: directInput(kernel),
              initrd: initrd === undefined ? undefined : directInput(initrd),
              cmdline: append === undefined ? undefined : utf8(append),
            });
      const resolved = resolveShape(shapeOf(vector));
      const launch = prepareFromReference(known.get(vector.firmware)!, boot, resolved.profile);
      if (formatDigest(launch.digest(resolved)) !== vector.want) wrong.push(vector.name);
    }
    expect(wrong).toEqual([]);
    expect(digests.length).toBeGreaterThan(300);
  });

  it.each(vectors<TraceVector>("profile-traces.json"))("extends every page in its order: $name", (trace) => {
    const { firmware, profile, vcpus } = trace;
    const measurement = measureSnp({ firmware: suffix(firmware) }, { profile, vcpus });
    const seen = [...measurement.trace()].map(({ event, after }) => [
      PAGE_TYPE[event.type],
      `0x${event.guestAddress.toString(16)}`,
      formatHex(event.digest),
      formatHex(after),
    ]);
    expect(seen).toEqual(trace.steps);
    expect(measurement.events).toHaveLength(trace.steps.length);
  });

  it("equals Google's unit test with TDX metadata beside the SEV metadata", () => {
    const firmware = suffix("gce_synth_sev_tdx.bin");
    const { registers } = measureSnp({ firmware }, { vmm: "gce", vcpus: 1 });
    expect(registers["launchDigest"]).toMatch(/^301a56e0/);
  });
});

describe("profiles as data: each says what it is and differs from every other", () => {
  it("has one name or alias each, and the first of a platform and VMM is its default", () => {
    const names = PROFILES.flatMap(({ name, aliases }) => [name, ...aliases]);
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(profileNamed(name).name).toBeDefined();
    for (const vmm of ["qemu", "ec2", "gce", "libkrun", "cloud-hypervisor"])
      expect(defaultProfile("snp", vmm)).toBe(profileNamed(vmm));
    expect(defaultProfile("sev-es", "qemu").name).toBe("es-legacy");
    expect(defaultProfile("sev", "qemu").name).toBe("sev");
    expect(chooseProfile("snp", { profile: "ec2-rdx0", vmm: "qemu" }).name).toBe("ec2-rdx0");
  });

  it("says of each row when, what separates it, and on what evidence", () => {
    for (const { title, dates, differs, evidence } of PROFILES) {
      expect(evidence.length).toBeGreaterThan(0);
      for (const text of [title, dates, differs, ...evidence]) expect(text).toMatch(/\S{2}/);
    }
  });

  it("gives every profile that boots OVMF a digest of its own", () => {
    const firmware = suffix("ovmf_AmdSev_suffix.bin");
    const booting = PROFILES.filter((profile) => profile.platform === "snp" && profile.image === "ovmf");
    const values = booting.map(
      ({ name: profile }) =>
        measureSnp({ firmware }, { profile, vcpus: 2, cpu: "EPYC-Milan" }).registers["launchDigest"],
    );
    // cloud-hypervisor differs from QEMU in nothing that is known.
    expect(new Set(values).size).toBe(booting.length - 1);
  });

  it("refuses names of no profile and of another platform's, with a suggestion", () => {
    const refused = (call: () => unknown, detail: object) => {
      expect(call).toThrow(expect.objectContaining(detail) as Error);
    };
    refused(() => profileNamed("ec2-rdx"), { code: "BP-SNP-008", hint: "did you mean ec2-rdx600?" });
    refused(() => profileNamed("gce-turin"), { code: "BP-SNP-008", hint: "did you mean gce-milan?" });
    refused(() => profileNamed("constructor"), { code: "BP-SNP-008", hint: undefined });
    refused(() => profileNamed(""), { code: "BP-SNP-008", hint: undefined });
    refused(() => snpProfile("es-legacy"), { code: "BP-SNP-008" });
    refused(() => sevEsProfile("sev"), { code: "BP-SNP-008" });
    refused(() => defaultProfile("sev-es", "ec2"), { code: "BP-SNP-007", expected: "qemu" });
  });
});

describe("profiles: what a person should know", () => {
  const firmware = suffix("ovmf_AmdSev_suffix.bin");
  const codes = (inputs: { kernel?: Uint8Array }, shape: SnpShape) =>
    measureSnp({ firmware, ...inputs }, shape).warnings.map(({ code }) => code);

  it("needs no CPU where none is measured, and says that one given does not matter", () => {
    expect(codes({}, { vmm: "ec2", vcpus: 2 })).toEqual([]);
    expect(codes({}, { vmm: "ec2", vcpus: 2, cpu: "EPYC-v4" })).toEqual(["BP-SNP-114"]);
    expect(() => codes({}, { vmm: "ec2", vcpus: 2, cpu: "EPYC-v9" })).toThrow("unknown CPU model");
    const { shape, registers } = measureSnp({ firmware }, { vmm: "ec2", vcpus: 2, vcpuSig: 0xa00f11 });
    expect(shape).toMatchObject({ profile: "ec2-rdx600", vmm: "ec2", cpuSignature: "0x600" });
    expect(registers).toEqual(measureSnp({ firmware }, { profile: "ec2", vcpus: 2 }).registers);
  });

  it("says that no cloud guest reports a digest with kernel hashes", () => {
    const kernel = directInput("kernel-bz");
    expect(codes({ kernel }, { vmm: "gce", vcpus: 1 })).toContain("BP-SNP-113");
    expect(codes({ kernel }, { vmm: "qemu", vcpus: 1, cpu: "EPYC" })).not.toContain("BP-SNP-113");
  });

  it("takes guest features from the profile, unless others are asked for", () => {
    const features = (shape: SnpShape) => measureSnp({ firmware }, shape).shape.guestFeatures;
    expect(features({ profile: "debug-swap", vcpus: 1, cpu: "EPYC" })).toBe("0x21");
    expect(features({ profile: "debug-swap", vcpus: 1, cpu: "EPYC", guestFeatures: 1n })).toBe("0x1");
    expect(features({ vcpus: 1, cpu: "EPYC" })).toBe("0x1");
  });

  it("refuses a section type that Google's hypervisor does not know, where QEMU measures zeros", () => {
    const odd = suffix("ovmf_AmdSev_suffix.bin");
    const view = new DataView(odd.buffer);
    const { metadata } = references.get("ovmf_AmdSev_suffix.bin")!;
    const at = odd.length - 0x1000;
    const asev = Buffer.from(odd).indexOf("ASEV", at);
    expect(metadata.sections[0]!.type).toBe(1);
    view.setUint32(asev + 16 + 8, 0x77, true);
    expect(measureSnp({ firmware: odd }, { vmm: "qemu", vcpus: 1, cpu: "EPYC" }).events[1]!.type).toBe(
      "ZERO",
    );
    expect(() => measureSnp({ firmware: odd }, { vmm: "gce", vcpus: 1 })).toThrow(
      expect.objectContaining({ name: "ParseError", code: "UNSUPPORTED" }) as Error,
    );
  });
});
