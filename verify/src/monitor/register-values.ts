/**
 * The register values that a release claims, as far as they are worth comparing.
 * @module
 */
import { MeasureError } from "@bootproof/measure";
import type { PlatformMeasurements } from "@bootproof/statement";
import { expandMeasurements } from "../expand.ts";
import { sectionValues, shapeText } from "../shape-text.ts";

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
  /** Whether equal values mean equal machines. */
  readonly telling: boolean;
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
          values.push(valueOf(platform, shapeText(shape), register, value));
        }
      // No PCR says where a section ends, so two claims can differ in nothing else.
      for (const { platform, shape, register, value } of sectionValues(entry))
        values.push(valueOf(platform, shape, register, value));
    } catch (error) {
      if (!(error instanceof MeasureError)) throw error;
      incomplete ??= error.message;
    }
  return incomplete === undefined ? { values } : { values, incomplete };
}

function valueOf(platform: string, shape: string, register: string, value: string): RegisterValue {
  const place = [platform, shape, register].filter((word) => word !== "").join(" ");
  return { place, value, telling: isTelling(platform, register, value) };
}

/**
 * Whether a value tells releases apart. Registers that nothing was measured into are all zeros or all ones. Of an enclave
 * only PCR0 hashes the whole image: many share a kernel and init (PCR1), have no second ramdisk (PCR2), or a signer (PCR8).
 */
const isTelling = (platform: string, register: string, value: string): boolean =>
  !/^(?:0*|f*)$/.test(value) && (platform !== "nitro" || register === "PCR0");
