/**
 * The launch digest of one guest, with everything that explains it.
 * @module
 */
import { makeMeasurement, type Measurement, type MeasureWarning } from "../measurement.ts";
import { type BootInputs, planBoot } from "./boot-plan.ts";
import { snpCoverage } from "./coverage.ts";
import { cpuModelTrap } from "./cpu-models.ts";
import { checkGuestFeatures } from "./guest-features.ts";
import { prepareSnp } from "./launch.ts";
import { extendLaunchDigest, LAUNCH_DIGEST, type PageEvent, START } from "./page-info.ts";
import { formatShape, resolveShape, type ShapeJson, type SnpShape } from "./shape.ts";

/** The files of one guest. */
export interface SnpInputs extends BootInputs {
  readonly firmware: Uint8Array;
}

/** Predicts the launch digest. Throws ParseError for firmware that cannot launch, MeasureError for an impossible shape. */
export function measureSnp(inputs: SnpInputs, shape: SnpShape): Measurement<ShapeJson, PageEvent> {
  const resolved = resolveShape(shape);
  const shapeWarnings = [...checkGuestFeatures(resolved.guestFeatures), ...cpuWarnings(shape.cpu)];
  const boot = planBoot(inputs);
  const launch = prepareSnp(inputs.firmware, boot.digests, resolved.profile);
  return makeMeasurement({
    platform: "snp",
    shape: formatShape(resolved),
    registers: { [LAUNCH_DIGEST]: launch.digest(resolved) },
    start: START,
    extend: extendLaunchDigest,
    events: () => launch.events(resolved),
    coverage: snpCoverage({ given: boot.given, hashed: boot.digests !== undefined }),
    warnings: [...shapeWarnings, ...launch.warnings, ...boot.warnings],
  });
}

/** What people get wrong about a CPU model's name. */
export function cpuWarnings(cpu: string | undefined): MeasureWarning[] {
  const message = cpu === undefined ? undefined : cpuModelTrap(cpu);
  return message === undefined ? [] : [{ code: "BP-SNP-102", message, artifact: "vmm" }];
}
