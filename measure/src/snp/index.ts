/**
 * @bootproof/measure/snp: launch digests of AMD SEV-SNP guests.
 * @module
 */
export { type BootInputs, type BootPlan, type HashedBootInputs, planBoot } from "./boot-plan.ts";
export { CPU_MODELS, type CpuIdentity, cpuModelSignature, cpuModelTrap, cpuSignature } from "./cpu-models.ts";
export { type FirmwareReference, measureFirmware, type MeasuredFirmware } from "./firmware-reference.ts";
export { type FirmwareInputs, openFirmware, type OpenedFirmware } from "./firmware-source.ts";
export { DEFAULT_GUEST_FEATURES, guestFeatureNames } from "./guest-features.ts";
export {
  type DirectBoot,
  type DirectBootDigests,
  encodeKernelHashes,
  hashDirectBoot,
  type HashedFile,
} from "./kernel-hashes.ts";
export {
  prepareFromReference,
  prepareMeasured,
  prepareSnp,
  SnpLaunch,
  type VmsaDigests,
  vmsaPages,
} from "./launch.ts";
export { combineAxes, type CpuNaming, type MatrixRow, measureMatrix, type ShapeAxes } from "./matrix.ts";
export { measureOpened, measureSnp, type SnpInputs } from "./measure-snp.ts";
export { extendLaunchDigest, LAUNCH_DIGEST, type PageEvent, type PageType, START } from "./page-info.ts";
export type {
  AmdPlatform,
  FixedPages,
  GeneralRegister,
  Profile,
  ProfileFacts,
  Segment,
  SevEsProfile,
  SevProfile,
  SnpProfile,
  StartState,
  VcpuRole,
  Vmm,
  VmsaProfile,
} from "./profile.ts";
export {
  chooseProfile,
  defaultProfile,
  profileNamed,
  PROFILES,
  sevEsProfile,
  snpProfile,
  SVSM_DEFAULT,
  VMMS,
} from "./profiles.ts";
export {
  checkReference,
  expandCounts,
  expandReference,
  type KernelHashesJson,
  launchOf,
  referenceOf,
  type SnpReference,
  type VmsaReference,
} from "./reference.ts";
export {
  FIRMWARE_REFERENCE_SCHEMA,
  type FirmwareReferenceJson,
  firmwareReferenceJson,
  formatFirmwareReference,
  isFirmwareReference,
  parseFirmwareReference,
  readFirmwareReference,
} from "./reference-json.ts";
export {
  formatSnpReference,
  type OpenedReference,
  openReference,
  parseSnpReference,
  SNP_REFERENCE_SCHEMA,
} from "./reference-document.ts";
export { measureRegions, type MeasuredRegion, prepareRegions, type RegionShapeJson } from "./regions.ts";
export {
  classicSvsmDigest,
  isClassicSvsmDigest,
  type MeasuredSvsm,
  measureSvsm,
  measureSvsmImages,
  prepareSvsm,
  type SvsmInputs,
  type SvsmShapeJson,
} from "./svsm.ts";
export {
  formatShape,
  MAX_VCPUS,
  type ResolvedShape,
  type ResolvedGuest,
  resolveProfile,
  resolveShape,
  type ShapeJson,
  type SnpShape,
} from "./shape.ts";
export { BSP_RESET_ADDRESS, buildVmsa, type VmsaState } from "./vmsa.ts";
export { snpTraceRule } from "./trace-rule.ts";
