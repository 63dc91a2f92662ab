/**
 * Rows of a matrix whose shapes have nothing in common that would be worth keeping.
 * @module
 */
import type { OpenGuest } from "./open-guest.ts";

/** Measures each shape by itself. */
export function rowsOf(measure: OpenGuest["measure"]): OpenGuest["rows"] {
  return function* (shapes, warn) {
    const said = new Set<string>();
    for (const given of shapes) {
      const { shape, registers, warnings } = measure(given);
      for (const warning of warnings) if (!said.has(warning.message)) warn(warning);
      for (const { message } of warnings) said.add(message);
      yield { shape, launchDigest: Buffer.from(registers["launchDigest"] ?? "", "hex") };
    }
  };
}
