/**
 * Launch digests of SEV and SEV-ES guests, with everything that explains them.
 * @module
 */
import { MeasureError } from "../measure-error.ts";
import { makeMeasurement, type Measurement, type MeasureWarning } from "../measurement.ts";
import { type HashedBootInputs, planBoot } from "../snp/boot-plan.ts";
import { reservedFeatureWarnings } from "../snp/guest-features.ts";
import { cpuWarnings } from "../snp/measure-snp.ts";
import type { SevEsProfile } from "../snp/profile.ts";
import { chooseProfile } from "../snp/profiles.ts";
import {
  formatShape,
  type ResolvedGuest,
  resolveGuest,
  type ShapeJson,
  type SnpShape,
} from "../snp/shape.ts";
import { sevCoverage } from "./coverage.ts";
import { extendSevLaunchDigest, SEV_LAUNCH_DIGEST, SEV_START, type SevEvent } from "./sev-event.ts";
import { prepareSev, prepareSevEs } from "./sev-launch.ts";

/** The files of one guest. */
export interface SevInputs extends HashedBootInputs {
  readonly firmware: Uint8Array;
}

/** The shape of a plain SEV guest: nothing of its processors is measured. */
export interface SevShape {
  readonly profile?: string | undefined;
  readonly vmm?: string | undefined;
}

/** A SEV guest's shape as JSON. */
export type SevShapeJson = Pick<ShapeJson, "profile" | "vmm">;

/** Predicts the launch digest of a SEV guest. Throws ParseError or {@link MeasureError}. */
export function measureSev(inputs: SevInputs, shape: SevShape = {}): Measurement<SevShapeJson, SevEvent> {
  const { name, vmm } = chooseProfile("sev", shape);
  const boot = planBoot(inputs);
  const launch = prepareSev(inputs.firmware, boot.digests);
  return makeMeasurement({
    platform: "sev",
    shape: { profile: name, vmm },
    registers: { [SEV_LAUNCH_DIGEST]: launch.sevDigest() },
    start: SEV_START,
    extend: extendSevLaunchDigest,
    events: () => launch.sevEvents(),
    coverage: sevCoverage(undefined, { given: boot.given, hashed: boot.digests !== undefined }),
    warnings: [...launch.warnings, ...boot.warnings],
  });
}

/** Predicts the launch digest of a SEV-ES guest. Throws ParseError or {@link MeasureError}. */
export function measureSevEs(inputs: SevInputs, shape: SnpShape): Measurement<ShapeJson, SevEvent> {
  const { resolved, warnings } = resolveSevEs(shape);
  const boot = planBoot(inputs);
  const launch = prepareSevEs(inputs.firmware, boot.digests, resolved.profile);
  return makeMeasurement({
    platform: "sev-es",
    shape: formatShape(resolved),
    registers: { [SEV_LAUNCH_DIGEST]: launch.digest(resolved) },
    start: SEV_START,
    extend: extendSevLaunchDigest,
    events: () => launch.events(resolved),
    coverage: sevCoverage(resolved, { given: boot.given, hashed: boot.digests !== undefined }),
    warnings: [...warnings, ...launch.warnings, ...boot.warnings],
  });
}

/** A SEV-ES guest's shape, resolved and judged. */
export interface JudgedSevEsShape {
  readonly resolved: ResolvedGuest<SevEsProfile>;
  readonly warnings: readonly MeasureWarning[];
}

/** Resolves a SEV-ES guest's shape; throws {@link MeasureError} for what KVM does not start. */
export function resolveSevEs(shape: SnpShape): JudgedSevEsShape {
  const resolved = resolveGuest(shape, chooseProfile("sev-es", shape));
  return {
    resolved,
    warnings: [...checkSevEsFeatures(resolved), ...cpuWarnings(shape.cpu), ...vmTypeWarnings(shape)],
  };
}

/** Two VM types measure differently, and the tools that people come from know one of them each. */
function vmTypeWarnings({ profile }: SnpShape): MeasureWarning[] {
  if (profile !== undefined) return [];
  const message =
    "QEMU's default VM type is assumed (profile es-legacy); sev-snp-measure and snpguest print the digest of the other (es-init2, legacy-vm-type=off)";
  return [{ code: "BP-SEV-102", message, artifact: "vmm" }];
}

/** SNPActive and 65 bits belong to no SEV-ES guest, and the legacy call takes no features at all. */
function checkSevEsFeatures({ profile, guestFeatures }: ResolvedGuest<SevEsProfile>): MeasureWarning[] {
  if (guestFeatures === 0n) return [];
  const found = `0x${guestFeatures.toString(16)}`;
  if (!profile.takesGuestFeatures)
    throw new MeasureError("BP-SEV-001", `guests of profile ${profile.name} have no guest features`, {
      expected: "0x0",
      found,
      hint: "only KVM_SEV_INIT2 takes features: profile es-init2",
    });
  if (guestFeatures < 0n || guestFeatures > 0xffff_ffff_ffff_ffffn || (guestFeatures & 1n) === 1n)
    throw new MeasureError("BP-SEV-002", "guest features that no SEV-ES guest has", {
      expected: "64 bits with SNPActive (bit 0) clear",
      found,
    });
  return reservedFeatureWarnings(guestFeatures);
}
