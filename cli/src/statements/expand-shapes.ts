/**
 * Every register value that a boot measurement claims, shape by shape.
 * @module
 */
import { formatDigest } from "@bootproof/bytes";
import { expandReference, type SnpReference } from "@bootproof/measure";
import { hasAxes, parseCounts, type PlatformMeasurements, type SnpMeasurements } from "@bootproof/statement";

/** One register of one shape. */
export interface ShapeValue {
  readonly platform: string;
  /** The shape in words, such as `qemu EPYC-v4 x 4`. */
  readonly shape: string;
  readonly register: string;
  readonly value: string;
}

/** Lists the registers of an entry of a boot measurement; throws MeasureError for a shape it does not cover. */
export function expandShapes(entry: PlatformMeasurements): ShapeValue[] {
  if (hasAxes(entry)) return expandSnp(entry);
  const shape = Object.entries(entry.shape).map(([key, value]) => `${key}=${value}`);
  return Object.entries(entry.registers).map(([register, value]) => ({
    platform: entry.platform,
    shape: shape.join(" "),
    register,
    value,
  }));
}

function expandSnp({ vmm, axes, reference }: SnpMeasurements): ShapeValue[] {
  const values: ShapeValue[] = [];
  for (const cpu of axes.cpu)
    for (const features of axes.guestFeatures)
      for (const vcpus of parseCounts(axes.vcpus, "vcpus"))
        values.push({
          platform: "snp",
          shape: snpShapeText({ vmm, cpu, vcpus, features, plain: axes.guestFeatures.length === 1 }),
          register: "launchDigest",
          value: formatDigest(
            expandReference({ ...reference, vmm } as SnpReference, {
              vmm,
              vcpus,
              cpu,
              guestFeatures: BigInt(features),
            }),
          ),
        });
  return values;
}

function snpShapeText(shape: {
  vmm: string;
  cpu: string;
  vcpus: number;
  features: string;
  plain: boolean;
}): string {
  const features = shape.plain && shape.features === "0x1" ? "" : ` features ${shape.features}`;
  return `${shape.vmm} ${shape.cpu} x ${String(shape.vcpus)}${features}`;
}
