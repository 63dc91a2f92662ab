/**
 * Shapes in words, and every register value that a boot measurement claims.
 * @module
 */
import { hasAxes, type PlatformMeasurements } from "@bootproof/statement";
import { measuredSections } from "@bootproof/measure/nitro/manifest";
import { expandMeasurements, type ExpandedMeasurement } from "./expand.ts";

/** One register of one shape. */
export interface ShapeValue {
  readonly platform: string;
  /** The shape in words, such as `qemu EPYC-v4 x 4`. */
  readonly shape: string;
  readonly register: string;
  readonly value: string;
}

/** A shape in words: `qemu EPYC-v4 x 4`, with the guest features when they are not the usual 0x1; `x86_64 app.eif`. */
export function shapeText(shape: ExpandedMeasurement["shape"]): string {
  const { vmm, architecture, image, cpu, vcpus, guestFeatures, ...rest } = shape;
  const words = [vmm, architecture, image, cpu, vcpus === undefined ? undefined : `x ${vcpus}`];
  if (guestFeatures !== undefined && guestFeatures !== "0x1") words.push(`features ${guestFeatures}`);
  words.push(...Object.entries(rest).map(([key, value]) => `${key} ${value}`));
  return words.filter((word) => word !== undefined).join(" ");
}

/**
 * Lists the registers of every shape of an entry, and of an enclave image the digests of the sections that its PCRs see:
 * where one section ends no PCR says. Throws MeasureError for shapes that cannot be derived here.
 */
export function shapeValues(entry: PlatformMeasurements): ShapeValue[] {
  return [...registerValues(entry), ...sectionValues(entry)];
}

/** The digests of an enclave image's measured sections, where an entry states them. */
export function sectionValues(entry: PlatformMeasurements): ShapeValue[] {
  if (hasAxes(entry) || entry.sections === undefined) return [];
  const { platform, shape, sections } = entry;
  return measuredSections(sections).map(({ name, sha384 }) => ({
    platform,
    shape: shapeText(shape),
    register: `section ${name}`,
    value: sha384,
  }));
}

function registerValues(entry: PlatformMeasurements): ShapeValue[] {
  return [...expandMeasurements(entry)].flatMap(({ platform, shape, registers }) =>
    Object.entries(registers).map(([register, value]) => ({
      platform,
      shape: shapeText(shape),
      register,
      value,
    })),
  );
}
