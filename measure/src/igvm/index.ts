/**
 * @bootproof/measure/igvm: launch digests of guests that boot IGVM files, by every tool's reading.
 * @module
 */
export { type ReadingAnswer, type ReadingDifference } from "./compare-readings.ts";
export { type IgvmEvent } from "./igvm-digest.ts";
export {
  type IgvmIdBlockComparison,
  measureIgvm,
  type IgvmMeasurement,
  type IgvmShape,
  type IgvmShapeJson,
} from "./measure-igvm.ts";
export { type IgvmLint, type IgvmLintRow, type IgvmVerdict, lintIgvm } from "./lint-igvm.ts";
export { IGVM_LINT_RULES, type IgvmConsumer, type IgvmFinding, type IgvmLintCode } from "./lint-rules.ts";
export { IGVM_READINGS, igvmReading, type IgvmReading, type IgvmReadingName } from "./readings.ts";
