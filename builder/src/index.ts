/**
 * @bootproof/builder: recipe, lock, inputs, input root, action, sandbox, rebuild.
 * @module
 */
export { BuildError, type BuildErrorCode, type BuildErrorDetail } from "./build-error.ts";
export type {
  BuildingLock,
  ComposingLock,
  Lock,
  LockedComponent,
  LockedPackage,
  LockedRelease,
  LockedSource,
  LockRequest,
  SourceOrigin,
} from "./lock.ts";
export {
  ARTIFACT_KINDS,
  DEBIAN_SUITES,
  type ArtifactKind,
  type BuildingRecipe,
  type BuiltOutput,
  type ComposedOutput,
  type ComposingRecipe,
  type DebianSource,
  type DebianSuite,
  type FileSource,
  type GitSource,
  type PlatformAxes,
  type Recipe,
  type RecipeSource,
  type Step,
  type Toolchain,
  type UrlSource,
} from "./recipe.ts";
export { formatLock, LOCK_FORMAT, MAX_LOCK_SIZE, parseLock } from "./lock-text.ts";
export { checkLockMatches, findLockDifferences, hasMatchingLock, requestOf } from "./lock-request.ts";
export {
  loadLockedRecipe,
  type LockedBuilding,
  type LockedComposition,
  type LockedRecipe,
} from "./locked-recipe.ts";
export {
  loadLock,
  loadRecipe,
  lockPathOf,
  writeLock,
  type LoadedLock,
  type LoadedRecipe,
} from "./recipe-files.ts";
export { recipeSchema } from "./recipe-schema.ts";
export { MAX_RECIPE_SIZE, parseRecipe } from "./recipe-text.ts";
export {
  describe as describeYamlValue,
  readYamlAs,
  strictKeys,
  text as yamlText,
  word as yamlWord,
  type YamlReading,
} from "./yaml-schema.ts";
export type { YamlPath, YamlValue } from "./yaml.ts";
export {
  ENCLAVE_ARCHITECTURES,
  type ComponentPart,
  type CpioPart,
  type EnclaveArchitecture,
  type EnclaveImage,
  type EnclaveProcess,
  type FilePart,
  type FolderPart,
  type ImagePart,
  type RamdiskPart,
  type UrlPart,
} from "./enclave/enclave.ts";
export type { AssemblyOrder } from "./enclave/assembly.ts";
export type { AssemblyFinding } from "./enclave/remembered.ts";
export { fetchInputs, type FetchOptions, type FetchProgress, type FetchSummary } from "./inputs.ts";
export { checkBeside } from "./check-beside.ts";
export { IMPLIED_PACKAGES, lockRecipe, type LockOptions, type NewLock } from "./lock-recipe.ts";
export { findMirrors, MIRROR_VARIABLE, mirrorName, type Mirror, type MirrorOptions } from "./mirrors.ts";
export {
  findActionResult,
  listRememberedBlobs,
  rememberActionResult,
  type ActionResult,
} from "./action-cache.ts";
export { prepareAction, type PreparedAction } from "./action.ts";
export {
  buildRecipe,
  type Artifact,
  type BuildEvent,
  type BuildOptions,
  type BuildResult,
  type BuiltAssembly,
  type BuiltComponent,
} from "./build.ts";
export {
  compareArtifacts,
  findFirstDifference,
  type ArtifactComparison,
  type Comparison,
  type FirstDifference,
  type SectionDescriber,
} from "./compare.ts";
export type { Conditions, Variation } from "./conditions.ts";
export type { BuildLimits } from "./control-group.ts";
export {
  defaultLimits,
  LocalExecutor,
  type ExecuteOptions,
  type Execution,
  type Executor,
  type StepEvent,
} from "./executor.ts";
export type { RemoteDigest } from "./remote-execution.ts";
export type { BuildStore } from "./toolchain-root.ts";
export { buildTwice, type TwiceComponent, type TwiceResult } from "./twice.ts";
export { checkHost, type HostCheck } from "./check-host.ts";
export { collectLeftovers, type CollectedLeftovers } from "./collect.ts";
