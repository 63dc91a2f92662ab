/**
 * What a bundle's statement predicts, as one side of a comparison. Nothing is verified: what differs between two releases
 * is asked before it is decided whether to believe them.
 * @module
 */
import { ParseError } from "@bootproof/bytes";
import { parseTlogProof } from "@bootproof/log";
import type { Side } from "@bootproof/measure";
import { compactSide } from "@bootproof/measure/explain";
import { defaultProfile } from "@bootproof/measure/snp";
import { hasAxes, type PlatformMeasurements } from "@bootproof/statement";
import { readEntry } from "@bootproof/verify";

/** The first measurement that a bundle's release predicts; throws ParseError for a bundle without one. */
export function sideOfBundle(bytes: Uint8Array): Side {
  const { extra } = parseTlogProof(bytes);
  if (extra === undefined) throw new ParseError("MISSING", "statement in the bundle");
  const entry = readEntry(extra);
  const [first] = entry.kind === "boot-measurement" ? entry.statement.predicate.measurements : [];
  if (first === undefined) throw new ParseError("MISSING", "boot measurement in the bundle's statement");
  return sideOfEntry(first);
}

function sideOfEntry(entry: PlatformMeasurements): Side {
  if (hasAxes(entry)) {
    const profile = entry.profile ?? defaultProfile("snp", entry.vmm).name;
    return compactSide({ profile, ...entry.reference });
  }
  const { platform, shape, registers } = entry;
  return { platform, shape, registers, inputs: [], artifacts: {} };
}
