/**
 * What machines will report after booting a release's artifacts, for every shape that the recipe names.
 * @module
 */
import type { PlatformAxes } from "@bootproof/builder";
import { measureSev, prepareSevEs, resolveSevEs } from "@bootproof/measure/sev";
import {
  type AmdPlatform,
  chooseProfile,
  type DirectBoot,
  hashDirectBoot,
  prepareSnp,
  type Profile,
  referenceOf,
  type SnpShape,
} from "@bootproof/measure/snp";
import { formatDigest } from "@bootproof/bytes";
import {
  formatCounts,
  type PlatformMeasurements,
  type ShapeRegisters,
  type SnpMeasurements,
} from "@bootproof/statement";

import { reading } from "../errors/to-failure.ts";
import { EXIT } from "../frame/exit-code.ts";
import { Failure } from "../frame/failure.ts";
import { onlyArtifact, type LoadedArtifact } from "./artifacts.ts";
import { measureEnclaves } from "./measure-enclaves.ts";

/** Measures every platform of a recipe; throws a failure for a platform or shape that cannot be. */
export async function measureRelease(
  artifacts: readonly LoadedArtifact[],
  platforms: readonly PlatformAxes[],
): Promise<PlatformMeasurements[]> {
  const inMemory = platforms.some(({ platform }) => isGuestPlatform(platform))
    ? await readGuest(artifacts)
    : [];
  const enclaves = platforms.some(({ platform }) => platform === "nitro")
    ? await measureEnclaves(artifacts)
    : [];
  return platforms.flatMap((axes): PlatformMeasurements[] => {
    switch (axes.platform) {
      case "snp":
        return [measureSnpAxes(inMemory, axes)];
      case "sev":
        return [measureSevRelease(inMemory, axes)];
      case "sev-es":
        return measureSevEsAxes(inMemory, axes);
      case "nitro":
        return enclavesOf(enclaves, axes);
      default:
        throw cannotMeasure(
          `platform ${axes.platform} cannot be measured yet`,
          "snp, sev, sev-es, nitro",
          axes.platform,
        );
    }
  });
}

/** No axis of virtual machines is one of enclaves: an image measures the same whatever it is started with. */
function enclavesOf(enclaves: readonly ShapeRegisters[], axes: PlatformAxes): ShapeRegisters[] {
  const { vmm, profile, vcpus, cpu, guestFeatures, kernelHashes } = axes;
  const given = Object.entries({
    vmm,
    profile,
    kernelHashes,
    vcpus: vcpus[0],
    cpu: cpu[0],
    guestFeatures: guestFeatures[0],
  })
    .filter(([, value]) => value !== undefined)
    .map(([name]) => name);
  if (given.length > 0)
    throw cannotMeasure(
      "platform nitro has no such axes: no PCR depends on them",
      "{platform: nitro}",
      given.join(", "),
    );
  if (enclaves.length > 0) return [...enclaves];
  throw cannotMeasure("platform nitro needs an output of kind eif", "one at least", "none");
}

/** A guest's file in memory: firmware, kernel, initrd or command line. */
type GuestFile = Pick<LoadedArtifact, "name" | "kind"> & { readonly bytes: Uint8Array };

const isGuestPlatform = (platform: string): boolean => ["snp", "sev", "sev-es"].includes(platform);
const GUEST_KINDS: readonly string[] = ["firmware", "kernel", "initrd", "cmdline"];

function readGuest(artifacts: readonly LoadedArtifact[]): Promise<GuestFile[]> {
  return Promise.all(
    artifacts
      .filter(({ kind }) => GUEST_KINDS.includes(kind))
      .map(async ({ name, kind, bytes }) => ({ name, kind, bytes: await bytes() })),
  );
}

function measureSnpAxes(artifacts: readonly GuestFile[], axes: PlatformAxes): SnpMeasurements {
  const profile = profileOf("snp", axes);
  const guestFeatures = featuresOf(axes, profile);
  const cpu = processors(axes);
  const firmware = firmwareOf(artifacts, axes);
  const boot = bootOf(artifacts, axes);
  const hashes = boot && hashDirectBoot(boot);
  const launch = reading(firmware.name, () => prepareSnp(firmware.bytes, hashes, profile));
  const shapes: SnpShape[] = cpu.flatMap((model) =>
    guestFeatures.flatMap((features) =>
      axes.vcpus.map((vcpus) => ({
        profile: profile.name,
        cpu: model,
        vcpus,
        guestFeatures: BigInt(features),
      })),
    ),
  );
  const { profile: name, ...reference } = referenceOf(launch, shapes);
  return {
    platform: "snp",
    vmm: profile.vmm,
    profile: name,
    kernelHashes: boot !== undefined,
    axes: { vcpus: formatCounts(axes.vcpus), cpu, guestFeatures },
    reference,
  };
}

function measureSevRelease(artifacts: readonly GuestFile[], axes: PlatformAxes): ShapeRegisters {
  const { name, vmm } = profileOf("sev", axes);
  const firmware = firmwareOf(artifacts, axes);
  const inputs = { firmware: firmware.bytes, ...bootOf(artifacts, axes) };
  const { registers } = reading(firmware.name, () => measureSev(inputs, { profile: name }));
  return { platform: "sev", shape: { vmm }, registers };
}

/** No reference in short: SHA-256 cannot go on from a digest alone, so each shape is an entry. */
function measureSevEsAxes(artifacts: readonly GuestFile[], axes: PlatformAxes): ShapeRegisters[] {
  const profile = profileOf("sev-es", axes);
  const firmware = firmwareOf(artifacts, axes);
  const boot = bootOf(artifacts, axes);
  const hashes = boot && hashDirectBoot(boot);
  const launch = reading(firmware.name, () => prepareSevEs(firmware.bytes, hashes, profile));
  return processors(axes).flatMap((cpu) =>
    featuresOf(axes, profile).flatMap((guestFeatures) =>
      axes.vcpus.map((vcpus): ShapeRegisters => {
        const shape = { profile: profile.name, cpu, vcpus, guestFeatures: BigInt(guestFeatures) };
        const launchDigest = formatDigest(launch.digest(resolveSevEs(shape).resolved));
        return {
          platform: "sev-es",
          shape: { vmm: profile.vmm, profile: profile.name, cpu, vcpus: `${vcpus}`, guestFeatures },
          registers: { launchDigest },
        };
      }),
    ),
  );
}

function profileOf<P extends AmdPlatform>(
  platform: P,
  { profile, vmm }: PlatformAxes,
): Extract<Profile, { platform: P }> {
  const chosen = chooseProfile(platform, { profile, vmm });
  if (vmm !== undefined && vmm !== chosen.vmm)
    throw cannotMeasure(`profile ${chosen.name} is of another VMM`, chosen.vmm, vmm);
  return chosen;
}

const featuresOf = ({ guestFeatures }: PlatformAxes, profile: Profile): string[] =>
  guestFeatures.length === 0 ? [`0x${profile.guestFeatures.toString(16)}`] : [...guestFeatures].sort();

function processors({ platform, vcpus, cpu }: PlatformAxes): string[] {
  if (vcpus.length === 0) throw cannotMeasure(`platform ${platform} needs vcpus`, 'vcpus: "1..8"', "none");
  if (cpu.length === 0) throw cannotMeasure(`platform ${platform} needs cpu`, "cpu: [EPYC-v4]", "none");
  return [...cpu].sort();
}

function firmwareOf(artifacts: readonly GuestFile[], { platform }: PlatformAxes): GuestFile {
  const firmware = onlyArtifact(artifacts, "firmware");
  if (firmware !== undefined) return firmware;
  throw cannotMeasure(`platform ${platform} needs an output of kind firmware`, "one", "none");
}

/** The direct boot whose hashes are measured. */
function bootOf(artifacts: readonly GuestFile[], { kernelHashes }: PlatformAxes): DirectBoot | undefined {
  const kernel = onlyArtifact(artifacts, "kernel");
  if (kernel === undefined || kernelHashes === false) return undefined;
  return {
    kernel: kernel.bytes,
    initrd: onlyArtifact(artifacts, "initrd")?.bytes,
    cmdline: onlyArtifact(artifacts, "cmdline")?.bytes,
  };
}

function cannotMeasure(message: string, expected: string, found: string): Failure {
  const hint = "correct `platforms` in the recipe";
  return new Failure("BP-RELEASE-001", EXIT.badConfig, message, { expected, found, hint });
}
