/**
 * @bootproof/measure: what a machine will report after booting.
 * @module
 */
export type { ArtifactRole, EventSource, MeasuredEvent } from "./event.ts";
export { MeasureError, type MeasureErrorCode, type MeasureErrorDetail } from "./measure-error.ts";
export type { Coverage, CoveredInput, Measurement, MeasureWarning, UncoveredInput } from "./measurement.ts";
export { type ExtendRule, type Registers, replay, traceReplay, type TraceStep } from "./replay.ts";
export {
  CPU_MODELS,
  type CpuIdentity,
  cpuModelSignature,
  cpuModelTrap,
  cpuSignature,
} from "./snp/cpu-models.ts";
export { type FirmwareReference, measureFirmware, type MeasuredFirmware } from "./snp/firmware-reference.ts";
export { DEFAULT_GUEST_FEATURES, guestFeatureNames } from "./snp/guest-features.ts";
export {
  type DirectBoot,
  type DirectBootDigests,
  encodeKernelHashes,
  hashDirectBoot,
} from "./snp/kernel-hashes.ts";
export { prepareFromReference, prepareSnp, SnpLaunch, type VmsaDigests } from "./snp/launch.ts";
export { measureSnp, type SnpInputs } from "./snp/measure-snp.ts";
export { extendLaunchDigest, LAUNCH_DIGEST, type PageEvent, type PageType, START } from "./snp/page-info.ts";
export { snpProfile, type SnpProfile, type Vmm, VMMS } from "./snp/profiles.ts";
export {
  expandCounts,
  expandReference,
  referenceOf,
  type SnpReference,
  type VmsaReference,
} from "./snp/reference.ts";
export {
  formatShape,
  MAX_VCPUS,
  type ResolvedShape,
  resolveShape,
  type ShapeJson,
  type SnpShape,
} from "./snp/shape.ts";
export { BSP_RESET_ADDRESS, buildVmsa, type VmsaState } from "./snp/vmsa.ts";
