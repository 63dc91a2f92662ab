/**
 * The answer of every `measure` verb (design, section 3).
 * @module
 */
import type { ArtifactRole, MeasuredEvent } from "./event.ts";

/** An input that a register sees, and through what. */
export interface CoveredInput {
  readonly input: string;
  readonly register: string;
  readonly through: string;
}

/** An input that no register sees, and why. */
export interface UncoveredInput {
  readonly input: string;
  readonly why: string;
}

/** Which inputs the registers see, and which nobody does. */
export interface Coverage {
  readonly covered: readonly CoveredInput[];
  readonly notCovered: readonly UncoveredInput[];
}

/** Something that a person should know about an answer that is nevertheless exact. */
export interface MeasureWarning {
  readonly code: string;
  readonly message: string;
  readonly artifact?: ArtifactRole;
}

/** Predicted register values of one platform and shape. */
export interface Measurement<S, E extends MeasuredEvent = MeasuredEvent> {
  readonly platform: string;
  readonly shape: S;
  /** Lower-case hex by register name. */
  readonly registers: Readonly<Record<string, string>>;
  readonly events: readonly E[];
  readonly coverage: Coverage;
  readonly warnings: readonly MeasureWarning[];
}
