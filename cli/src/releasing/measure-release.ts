/**
 * What machines will report after booting a release's artifacts, for every shape that the recipe names.
 * @module
 */
import type { PlatformAxes } from "@bootproof/builder";
import {
  defaultProfile,
  hashDirectBoot,
  prepareSnp,
  referenceOf,
  type SnpShape,
} from "@bootproof/measure/snp";
import { formatCounts, type PlatformMeasurements, type SnpMeasurements } from "@bootproof/statement";

import { reading } from "../errors/to-failure.ts";
import { EXIT } from "../frame/exit-code.ts";
import { Failure } from "../frame/failure.ts";
import { onlyArtifact, type LoadedArtifact } from "./artifacts.ts";

/** Measures every platform of a recipe; throws a failure for a platform or shape that cannot be. */
export function measureRelease(
  artifacts: readonly LoadedArtifact[],
  platforms: readonly PlatformAxes[],
): PlatformMeasurements[] {
  return platforms.map((axes) => {
    if (axes.platform !== "snp")
      throw cannotMeasure(`platform ${axes.platform} cannot be measured yet`, "snp", axes.platform);
    return measureSnpAxes(artifacts, axes);
  });
}

function measureSnpAxes(artifacts: readonly LoadedArtifact[], axes: PlatformAxes): SnpMeasurements {
  const vmm = axes.vmm ?? "qemu";
  const guestFeatures = axes.guestFeatures.length === 0 ? ["0x1"] : [...axes.guestFeatures].sort();
  const cpu = [...axes.cpu].sort();
  if (axes.vcpus.length === 0) throw cannotMeasure("platform snp needs vcpus", 'vcpus: "1..8"', "none");
  if (cpu.length === 0) throw cannotMeasure("platform snp needs cpu", "cpu: [EPYC-v4]", "none");
  const firmware = onlyArtifact(artifacts, "firmware");
  if (firmware === undefined)
    throw cannotMeasure("platform snp needs an output of kind firmware", "one", "none");
  const kernel = onlyArtifact(artifacts, "kernel");
  const kernelHashes = kernel !== undefined && axes.kernelHashes !== false;
  const [initrd, cmdline] = [
    onlyArtifact(artifacts, "initrd")?.bytes,
    onlyArtifact(artifacts, "cmdline")?.bytes,
  ];
  const boot = kernelHashes ? hashDirectBoot({ kernel: kernel.bytes, initrd, cmdline }) : undefined;
  const launch = reading(firmware.name, () => prepareSnp(firmware.bytes, boot, defaultProfile("snp", vmm)));
  const shapes: SnpShape[] = cpu.flatMap((model) =>
    guestFeatures.flatMap((features) =>
      axes.vcpus.map((vcpus) => ({ vmm, cpu: model, vcpus, guestFeatures: BigInt(features) })),
    ),
  );
  const { prefix, vmsas } = referenceOf(launch, shapes);
  return {
    platform: "snp",
    vmm,
    kernelHashes,
    axes: { vcpus: formatCounts(axes.vcpus), cpu, guestFeatures },
    reference: { prefix, vmsas },
  };
}

function cannotMeasure(message: string, expected: string, found: string): Failure {
  const hint = "correct `platforms` in the recipe";
  return new Failure("BP-RELEASE-001", EXIT.badConfig, message, { expected, found, hint });
}
