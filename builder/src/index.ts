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
