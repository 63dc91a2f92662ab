/**
 * @bootproof/measure: what a machine will report after booting. The core that all platforms share; each platform is
 * a subpath of its own.
 * @module
 */
export type { ArtifactRole, EventSource, MeasuredEvent } from "./event.ts";
export { MeasureError, type MeasureErrorCode, type MeasureErrorDetail } from "./measure-error.ts";
export {
  type Coverage,
  type CoveredInput,
  makeMeasurement,
  type Measurement,
  type MeasurementParts,
  type MeasureWarning,
  type UncoveredInput,
} from "./measurement.ts";
export { type ExtendRule, type Registers, replay, traceReplay, type TraceStep } from "./replay.ts";
