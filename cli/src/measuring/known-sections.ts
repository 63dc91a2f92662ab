/**
 * Firmware whose metadata has sections of types that edk2 does not define. QEMU measures them as ZERO pages, every
 * other reader refuses them: whoever wants that digest has to say so.
 * @module
 */
import { ParseError } from "@bootproof/bytes";

import { MalformedFile } from "../errors/reading.ts";
import type { OpenGuest } from "./open-guest.ts";

const KNOWN = "a type that edk2 defines: 0x1, 0x2, 0x3, 0x4 or 0x10";
const HINT =
  "QEMU would measure its pages as ZERO, other VMMs and tools refuse it; for QEMU's digest add --allow-unknown-sections";

/** Refuses a guest whose firmware has sections of unknown types, unless they are allowed. */
export function demandKnownSections({ firmware, inputs }: OpenGuest, allowed: boolean): void {
  const metadata = firmware?.reference.metadata;
  const section = metadata?.sections.find(({ name }) => name === undefined);
  if (metadata === undefined || section === undefined || allowed) return;
  const { index, type, offset } = section;
  const found = `0x${type.toString(16)}`;
  const fault = new ParseError("UNSUPPORTED", `type of SEV metadata section ${index}`, {
    // In a reference a section has no place.
    ...(metadata.length > 0 && { offset: offset + 8 }),
    expected: KNOWN,
    found,
  });
  const path = inputs.find(({ role }) => role === "firmware")?.path ?? "";
  throw new MalformedFile(path, fault, HINT);
}
