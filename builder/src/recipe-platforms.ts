/**
 * The platforms of a recipe: axes of shapes, checked for spelling and size but not for meaning;
 * which platforms and CPU models exist is for the measuring side to say.
 * @module
 */
import * as v from "valibot";
import type { PlatformAxes } from "./recipe.ts";
import { describe, strictKeys, text } from "./yaml-schema.ts";

const MAX_VCPUS = 4096;
const MAX_AXIS = 256;
const RANGE = /^([1-9][0-9]{0,4})\.\.([1-9][0-9]{0,4})$/;

const vcpuCount = v.pipe(
  v.number((issue) => `expected a number of vCPUs, found ${describe(issue.input)}`),
  v.check(
    (count) => Number.isInteger(count) && count >= 1 && count <= MAX_VCPUS,
    `expected 1 to ${MAX_VCPUS} vCPUs`,
  ),
);

const vcpuRange = v.pipe(
  text(RANGE, 'a range such as "1..64"'),
  v.transform(rangeEnds),
  v.check(({ first, last }) => first <= last, "expected a range that counts up"),
  v.check(({ last }) => last <= MAX_VCPUS, `expected at most ${MAX_VCPUS} vCPUs`),
  v.transform(({ first, last }) => Array.from({ length: last - first + 1 }, (_, index) => first + index)),
);

/** `4`, `"1..64"` or `[1, 2]`, as a list. */
const vcpuAxis = v.lazy((input: unknown): v.GenericSchema<unknown, number[]> => {
  if (typeof input === "string") return vcpuRange;
  if (Array.isArray(input)) return axisList(vcpuCount);
  return v.pipe(
    vcpuCount,
    v.transform((count) => [count]),
  );
});

const textAxis = (item: v.GenericSchema<unknown, string>) =>
  v.lazy((input: unknown): v.GenericSchema<unknown, string[]> => {
    if (Array.isArray(input)) return axisList(item);
    return v.pipe(
      item,
      v.transform((value) => [value]),
    );
  });

const axisList = <T>(item: v.GenericSchema<unknown, T>) =>
  v.pipe(
    v.array(item),
    v.minLength(1, "expected at least 1 value on this axis"),
    v.maxLength(MAX_AXIS, `expected at most ${MAX_AXIS} values on this axis`),
    v.check((values) => new Set(values).size === values.length, "a value appears twice on this axis"),
  );

const platformName = text(/^[a-z0-9][a-z0-9-]{0,62}$/, "a name of lower-case letters, digits and -");

/** One entry of `platforms`. */
export const platformAxes: v.GenericSchema<unknown, PlatformAxes> = v.pipe(
  strictKeys({
    platform: platformName,
    vmm: v.optional(platformName),
    profile: v.optional(platformName),
    vcpus: v.optional(vcpuAxis),
    cpu: v.optional(textAxis(text(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, "a CPU model's name"))),
    guestFeatures: v.optional(
      textAxis(text(/^0x[0-9a-f]{1,16}$/, 'guest features in quotes, such as "0x1"')),
    ),
    kernelHashes: v.optional(v.boolean((issue) => `expected true or false, found ${describe(issue.input)}`)),
  }),
  v.transform(({ platform, vmm, profile, vcpus = [], cpu = [], guestFeatures = [], kernelHashes }) => ({
    platform,
    vmm,
    profile,
    vcpus,
    cpu,
    guestFeatures,
    kernelHashes,
  })),
);

function rangeEnds(range: string): { first: number; last: number } {
  const [, first, last] = RANGE.exec(range) ?? [];
  return { first: Number(first), last: Number(last) };
}
