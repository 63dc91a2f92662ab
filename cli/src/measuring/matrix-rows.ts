/**
 * Rows of a matrix whose shapes have nothing in common that would be worth keeping.
 * @module
 */
import { eachOnce } from "@bootproof/measure";

import type { OpenGuest } from "./open-guest.ts";

/** Measures each shape by itself. */
export function rowsOf(measure: OpenGuest["measure"]): OpenGuest["rows"] {
  return function* (shapes, warn) {
    const warnOnce = eachOnce(warn);
    for (const given of shapes) {
      const { shape, registers, warnings } = measure(given);
      warnOnce(warnings);
      yield { shape, launchDigest: registers["launchDigest"] ?? "" };
    }
  };
}
