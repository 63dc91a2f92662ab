/**
 * Who published this digest: an artifact or a register.
 * @module
 */
import { MeasureError } from "@bootproof/measure";
import {
  BOOT_MEASUREMENT_TYPE,
  readBootMeasurement,
  type PlatformMeasurements,
  type Statement,
} from "@bootproof/statement";
import { expandMeasurements, type ExpandedMeasurement } from "./expand.ts";

/** Where a statement holds a digest. */
export type DigestMatch =
  | { readonly kind: "artifact"; readonly name: string; readonly algorithm: string }
  | {
      readonly kind: "register";
      readonly platform: string;
      readonly shape: ExpandedMeasurement["shape"];
      readonly register: string;
    };

/** Every place where a statement holds `digest` (lower-case hex), shapes expanded; throws ParseError. */
export function findDigest(statement: Statement, digest: string): DigestMatch[] {
  const artifacts = statement.subject.flatMap(({ name, digest: digests }) =>
    Object.entries(digests).flatMap(([algorithm, value]): DigestMatch[] =>
      value === digest ? [{ kind: "artifact", name, algorithm }] : [],
    ),
  );
  if (statement.predicateType !== BOOT_MEASUREMENT_TYPE) return artifacts;
  const { measurements } = readBootMeasurement(statement).predicate;
  return [...artifacts, ...measurements.flatMap((entry) => findRegister(entry, digest))];
}

function findRegister(entry: PlatformMeasurements, digest: string): DigestMatch[] {
  const matches: DigestMatch[] = [];
  try {
    for (const { platform, shape, registers } of expandMeasurements(entry))
      for (const [register, value] of Object.entries(registers))
        if (value === digest) matches.push({ kind: "register", platform, shape, register });
  } catch (error) {
    // A shape that only a newer predictor knows cannot match here; the other entries still may.
    if (!(error instanceof MeasureError)) throw error;
  }
  return matches;
}
