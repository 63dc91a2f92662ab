/**
 * @bootproof/measure: what a machine will report after booting. The core that all platforms share; each platform is
 * a subpath of its own.
 * @module
 */
export {
  type ArtifactCoverage,
  claimsOf,
  type CoverageClaim,
  type CoverageMap,
  type CoverageRange,
  type CoveredArtifact,
  mapCoverage,
  type ParameterCoverage,
  type Sight,
  summariseCoverage,
} from "./coverage-map.ts";
export type { ArtifactRole, EventSource, MeasuredEvent } from "./event.ts";
export { type ChangeGroup, eventOf, groupChanges } from "./explain/change-groups.ts";
export {
  type ChangeKind,
  compareEvents,
  type EventChange,
  type PlacedEvent,
} from "./explain/compare-events.ts";
export { describeGroup, type GroupSummary } from "./explain/describe-events.ts";
export { explainLaunches } from "./explain/explain.ts";
export type { ComparedRegister, Explanation, Finding } from "./explain/explanation.ts";
export {
  type Artifacts,
  type Describer,
  type Side,
  sideOfDocument,
  sideOfMeasurement,
} from "./explain/side.ts";
export { MeasureError, type MeasureErrorCode, type MeasureErrorDetail } from "./measure-error.ts";
export {
  type Coverage,
  type CoveredInput,
  eachOnce,
  makeMeasurement,
  type Measurement,
  type MeasurementParts,
  type MeasureWarning,
  type UncoveredInput,
} from "./measurement.ts";
export { type ExtendRule, type Registers, replay, traceReplay, type TraceStep } from "./replay.ts";
export {
  type DocumentInput,
  formatEvent,
  formatTraceStep,
  type LaunchDocument,
  MEASUREMENT_SCHEMA,
  parseLaunchDocument,
  TRACE_SCHEMA,
} from "./trace-document.ts";
export type { TraceRule } from "./trace-replay.ts";
