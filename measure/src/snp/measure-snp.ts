/**
 * The launch digest of one guest, with everything that explains it.
 * @module
 */
import { makeMeasurement, type Measurement, type MeasureWarning } from "../measurement.ts";
import { type BootInputs, type BootPlan, planBoot } from "./boot-plan.ts";
import { snpCoverage } from "./coverage.ts";
import { cpuModelTrap } from "./cpu-models.ts";
import { checkGuestFeatures } from "./guest-features.ts";
import { type FirmwareInputs, openFirmware, type OpenedFirmware } from "./firmware-source.ts";
import { prepareMeasured } from "./launch.ts";
import { extendLaunchDigest, LAUNCH_DIGEST, type PageEvent } from "./page-info.ts";
import { formatShape, type ResolvedShape, resolveShape, type ShapeJson, type SnpShape } from "./shape.ts";

/** The files of one guest. */
export interface SnpInputs extends BootInputs, FirmwareInputs {}

/** Predicts the launch digest. Throws ParseError for firmware that cannot launch, MeasureError for an impossible shape. */
export function measureSnp(inputs: SnpInputs, shape: SnpShape): Measurement<ShapeJson, PageEvent> {
  return measureOpened(openFirmware(inputs), planBoot(inputs), shape);
}

/** Like {@link measureSnp}, of firmware and a direct boot that are hashed already: many guests share the hashing. */
export function measureOpened(
  firmware: OpenedFirmware,
  boot: BootPlan,
  shape: SnpShape,
): Measurement<ShapeJson, PageEvent> {
  const resolved = resolveShape(shape);
  const launch = prepareMeasured(firmware, boot.digests, resolved.profile);
  return makeMeasurement({
    platform: "snp",
    shape: formatShape(resolved),
    registers: { [LAUNCH_DIGEST]: launch.digest(resolved) },
    start: launch.start,
    extend: extendLaunchDigest,
    events: () => launch.events(resolved),
    coverage: snpCoverage(resolved, { given: boot.given, hashed: boot.digests !== undefined }),
    warnings: [...shapeWarnings(shape, resolved), ...launch.warnings, ...boot.warnings],
  });
}

/** What a person should know about a shape; throws {@link MeasureError} for guest features that no guest has. */
export function shapeWarnings(shape: SnpShape, { profile, guestFeatures }: ResolvedShape): MeasureWarning[] {
  const warnings = checkGuestFeatures(guestFeatures);
  if (profile.vmsa.rdx === "cpu signature") return [...warnings, ...cpuWarnings(shape.cpu)];
  if ([shape.cpu, shape.vcpuSig, shape.family].every((part) => part === undefined)) return warnings;
  const message = `profile ${profile.name} measures no CPU: the one given does not matter`;
  return [...warnings, { code: "BP-SNP-114", message, artifact: "vmm" }];
}

/** What people get wrong about a CPU model's name. */
export function cpuWarnings(cpu: string | undefined): MeasureWarning[] {
  const message = cpu === undefined ? undefined : cpuModelTrap(cpu);
  return message === undefined ? [] : [{ code: "BP-SNP-102", message, artifact: "vmm" }];
}
