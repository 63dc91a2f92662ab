/**
 * Shapes in words, and every register value that a boot measurement claims.
 * @module
 */
import type { PlatformMeasurements } from "@bootproof/statement";
import { expandMeasurements, type ExpandedMeasurement } from "./expand.ts";

/** One register of one shape. */
export interface ShapeValue {
  readonly platform: string;
  /** The shape in words, such as `qemu EPYC-v4 x 4`. */
  readonly shape: string;
  readonly register: string;
  readonly value: string;
}

/** A shape in words: `qemu EPYC-v4 x 4`, with the guest features when they are not the usual 0x1. */
export function shapeText(shape: ExpandedMeasurement["shape"]): string {
  const { vmm, cpu, vcpus, guestFeatures, ...rest } = shape;
  const words = [vmm, cpu, vcpus === undefined ? undefined : `x ${vcpus}`];
  if (guestFeatures !== undefined && guestFeatures !== "0x1") words.push(`features ${guestFeatures}`);
  words.push(...Object.entries(rest).map(([key, value]) => `${key} ${value}`));
  return words.filter((word) => word !== undefined).join(" ");
}

/** Lists the registers of every shape of an entry; throws MeasureError for shapes that cannot be derived here. */
export function shapeValues(entry: PlatformMeasurements): ShapeValue[] {
  return [...expandMeasurements(entry)].flatMap(({ platform, shape, registers }) =>
    Object.entries(registers).map(([register, value]) => ({
      platform,
      shape: shapeText(shape),
      register,
      value,
    })),
  );
}
