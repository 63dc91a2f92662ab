/**
 * The register values that a release claims, as far as they are worth comparing.
 * @module
 */
import { MeasureError } from "@bootproof/measure";
import type { PlatformMeasurements } from "@bootproof/statement";
import { expandMeasurements } from "../expand.ts";
import { shapeText } from "../shape-text.ts";

/**
 * Values of one entry. A kibibyte can name 65,536 shapes, so that a hostile entry could make an index thousands of times
 * the size of its log; what goes beyond is reported as not compared.
 */
export const MAX_VALUES = 16_384;

/** One register of one shape, and its claimed value. */
export interface RegisterValue {
  /** Platform, shape and register: equal texts are the same register. */
  readonly place: string;
  readonly value: string;
}

/** The values of a release. */
export interface RegisterValues {
  readonly values: readonly RegisterValue[];
  /** Why some are missing. */
  readonly incomplete?: string;
}

/** Lists what measurements claim, shapes expanded. */
export function registerValues(measurements: readonly PlatformMeasurements[]): RegisterValues {
  const values: RegisterValue[] = [];
  let incomplete: string | undefined;
  for (const entry of measurements)
    try {
      for (const { platform, shape, registers } of expandMeasurements(entry))
        for (const [register, value] of Object.entries(registers)) {
          if (values.length >= MAX_VALUES)
            return { values, incomplete: `it claims more than ${MAX_VALUES} values` };
          const place = [platform, shapeText(shape), register].filter((word) => word !== "").join(" ");
          values.push({ place, value });
        }
    } catch (error) {
      if (!(error instanceof MeasureError)) throw error;
      incomplete ??= error.message;
    }
  return incomplete === undefined ? { values } : { values, incomplete };
}

/** Whether a value tells releases apart: registers that nothing was measured into are all zeros or all ones. */
export const isTelling = (value: string): boolean => !/^(?:0*|f*)$/.test(value);
