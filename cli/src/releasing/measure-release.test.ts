import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { formatHex, sha256, sha384, utf8 } from "@bootproof/bytes";
import type { PlatformAxes } from "@bootproof/builder";
import { measureSevEs } from "@bootproof/measure/sev";
import { expandReference, launchOf, measureSnp, resolveShape } from "@bootproof/measure/snp";
import { hasAxes, type ArtifactKind } from "@bootproof/statement";
import { checkMeasurements, expandMeasurements } from "@bootproof/verify";
import { describe, expect, it } from "vitest";

import type { LoadedArtifact } from "./artifacts.ts";
import { measureRelease } from "./measure-release.ts";

const VECTORS = join(import.meta.dirname, "../../../measure/vectors");
const firmware = new Uint8Array(await readFile(join(VECTORS, "ovmf_AmdSev_suffix.bin")));
const kernel = utf8("a kernel");

const artifact = (name: string, kind: ArtifactKind, bytes: Uint8Array): LoadedArtifact => ({
  name,
  kind,
  size: bytes.length,
  sha256: formatHex(sha256(bytes)),
  sha384: formatHex(sha384(bytes)),
  path: name,
  bytes: () => Promise.resolve(bytes),
});
const artifacts = [artifact("OVMF.fd", "firmware", firmware), artifact("vmlinuz", "kernel", kernel)];

const axes = (given: Partial<PlatformAxes>): PlatformAxes => ({
  platform: "snp",
  vmm: undefined,
  profile: undefined,
  vcpus: [1, 2, 4],
  cpu: ["EPYC-Milan", "EPYC-Genoa"],
  guestFeatures: [],
  kernelHashes: undefined,
  ...given,
});

describe("measuring a release: what is published must follow from its artifacts", () => {
  it("states firmware and kernel hashes in short, from which shapes beyond the axes follow", async () => {
    const [entry] = await measureRelease(artifacts, [axes({})]);
    if (entry === undefined || !hasAxes(entry)) throw new Error("no entry with axes");
    expect(entry).toMatchObject({ vmm: "qemu", profile: "qemu-kvm-mainline", kernelHashes: true });
    expect(checkMeasurements([entry])).toMatchObject({ answer: "yes" });
    const reference = { profile: "qemu-kvm-mainline", ...entry.reference };
    const beyond = { vcpus: 64, cpu: "EPYC-Turin" };
    const { registers } = measureSnp({ firmware, kernel }, beyond);
    expect(formatHex(expandReference(reference, beyond))).toBe(registers["launchDigest"]);
    const bare = formatHex(launchOf(reference, null).digest(resolveShape(beyond)));
    expect(bare).toBe(measureSnp({ firmware }, beyond).registers["launchDigest"]);
  });

  it.each(["ec2-rdx0", "gce-genoa", "qemu-amdese-old", "qemu-debug-swap"])(
    "measures profile %s",
    async (profile) => {
      const entries = await measureRelease(artifacts, [axes({ profile, kernelHashes: false })]);
      expect(checkMeasurements(entries)).toMatchObject({ answer: "yes" });
      const [first] = [...expandMeasurements(entries[0]!)];
      const shape = { profile, vcpus: 1, cpu: "EPYC-Genoa" };
      expect(first!.registers).toEqual(measureSnp({ firmware }, shape).registers);
      expect(first!.shape["profile"]).toBe(profile);
    },
  );

  it("measures SEV once and SEV-ES shape by shape", async () => {
    const entries = await measureRelease(artifacts, [
      axes({ platform: "sev" }),
      axes({ platform: "sev-es", vcpus: [1, 2] }),
    ]);
    const shapes = entries.flatMap((entry) => [...expandMeasurements(entry)]);
    expect(shapes.map(({ platform }) => platform)).toEqual(["sev", ...Array<string>(4).fill("sev-es")]);
    expect(shapes.at(-1)).toEqual({
      platform: "sev-es",
      shape: { vmm: "qemu", profile: "es-legacy", cpu: "EPYC-Milan", vcpus: "2", guestFeatures: "0x0" },
      registers: measureSevEs({ firmware, kernel }, { vcpus: 2, cpu: "EPYC-Milan" }).registers,
    });
    expect(checkMeasurements(entries)).toMatchObject({ answer: "yes" });
  });

  it("refuses platforms that nobody can measure and profiles of another VMM", async () => {
    const refused = async (given: Partial<PlatformAxes>, code: string) => {
      await expect(measureRelease(artifacts, [axes(given)])).rejects.toMatchObject({ code });
    };
    await refused({ platform: "vbs" }, "BP-RELEASE-001");
    await refused({ vmm: "ec2", profile: "gce-milan" }, "BP-RELEASE-001");
    await refused({ platform: "sev-es", cpu: [] }, "BP-RELEASE-001");
    await refused({ profile: "es-legacy" }, "BP-SNP-008");
    await refused({ platform: "sev-es", guestFeatures: ["0x20"] }, "BP-SEV-001");
  });
});
