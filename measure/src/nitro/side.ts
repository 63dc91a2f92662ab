/**
 * An enclave image as one side of a comparison.
 * @module
 */
import { type Artifacts, type KnownSection, type Side, sideOfMeasurement } from "../explain/side.ts";
import { formatManifest } from "./manifest.ts";
import type { NitroMeasurement } from "./measure-nitro.ts";
import { sectionNames } from "./section.ts";
import type { PlannedSection } from "./section.ts";

/**
 * A measured image. `artifacts` are bytes at hand, under the names of {@link sectionNames} (`kernel`, `ramdisk 0`) and
 * `certificate` (DER); what is absent is compared by digest.
 */
export const nitroSide = (measurement: NitroMeasurement, artifacts: Artifacts = {}): Side => ({
  ...sideOfMeasurement(measurement, artifacts),
  sections: formatManifest(measurement.sections),
});

/** A section of one side with its name and what stands before it among the measured ones. */
export interface NamedSection extends KnownSection {
  readonly name: string;
}

/** The sections of a side by name; undefined when nobody says what they are. */
export function namedSections({ sections }: Side): readonly NamedSection[] | undefined {
  if (sections === undefined) return undefined;
  const names = sectionNames(sections as readonly PlannedSection[]);
  return sections.map((section, index) => ({ ...section, name: names[index] ?? "" }));
}

/** Names of the sections that both sides have and that differ: their bytes tell why. */
export function differingSections(a: Side, b: Side): string[] {
  const others = new Map(namedSections(b)?.map(({ name, sha384 }) => [name, sha384]));
  return (namedSections(a) ?? [])
    .filter(({ name, sha384 }) => others.has(name) && others.get(name) !== sha384)
    .map(({ name }) => name);
}
