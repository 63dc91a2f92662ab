/**
 * An enclave image whose bytes are none of a release's, beside the section manifests that the release states: which
 * section differs first, or that only bytes differ which no PCR sees.
 * @module
 */
import { compareManifests, type SectionLine } from "@bootproof/measure/nitro/manifest";
import {
  hasAxes,
  releaseArtifacts,
  type BootMeasurement,
  type ShapeRegisters,
  type Statement,
} from "@bootproof/statement";
import type { Check } from "./answer.ts";

/** What an enclave image consists of, and what it measures. */
export interface EifContents {
  readonly architecture: string;
  readonly sections: readonly SectionLine[];
  /** Lower-case hex by name; zero values and all. */
  readonly registers: Readonly<Record<string, string>>;
}

/** Compares with the image that is likest; undefined when the release states no manifest. */
export function compareEif(
  statement: Statement<BootMeasurement>,
  name: string,
  found: EifContents,
): Pick<Check, "answer" | "reason"> | undefined {
  const answers = manifestsOf(statement).map(({ image, entry }) => ({
    image,
    ...compareOne(image, entry, found),
  }));
  // Another artifact's image is no better than none: with several, only equal sections or an equal name count.
  return (
    answers.find(({ answer }) => answer !== "no") ?? answers.find(({ image }) => image === name) ?? answers[0]
  );
}

interface StatedImage {
  readonly image: string;
  readonly entry: ShapeRegisters & { readonly sections: readonly SectionLine[] };
}

/** Entries with a manifest, under the name of the image: a release of one image need not name it again. */
function manifestsOf(statement: Statement<BootMeasurement>): StatedImage[] {
  const images = releaseArtifacts(statement).filter(({ kind }) => kind === "eif");
  return statement.predicate.measurements.flatMap((entry) => {
    if (hasAxes(entry) || entry.sections === undefined) return [];
    const image = entry.shape["image"] ?? images[0]?.name ?? "the release's image";
    return [{ image, entry: { ...entry, sections: entry.sections } }];
  });
}

function compareOne(
  image: string,
  { shape, registers, sections }: StatedImage["entry"],
  found: EifContents,
): Pick<Check, "answer" | "reason"> {
  const no = (why: string): Pick<Check, "answer" | "reason"> => ({
    answer: "no",
    reason: `differs from ${image} in ${why}`,
  });
  const { outcome, first } = compareManifests(sections, found.sections);
  const register = imageRegisters(registers, found).find(([, want, have]) => want !== have);
  if (outcome === "differs")
    return no(
      `${first ?? "its sections"}${register === undefined ? "; every PCR is the same, as no PCR tells where a section ends" : ""}`,
    );
  const { architecture } = shape;
  if (architecture !== undefined && architecture !== found.architecture)
    return no(`its architecture: expected ${architecture}, found ${found.architecture}`);
  // The signing certificate is in no measured section, and yet in PCR8.
  if (register !== undefined) {
    const [name, want, have] = register;
    return no(`${name}: expected ${want ?? "none: not signed"}, found ${have ?? "none: not signed"}`);
  }
  const what = outcome === "same" ? "the header (default memory, CPUs or version)" : first;
  return {
    answer: "undecided",
    reason: `MEASUREMENT-EQUAL to ${image}: every PCR and every measured section is the same, the bytes are not: ${what ?? ""}`,
  };
}

/** The PCRs of images; those of the parent instance are no matter of the file. */
function imageRegisters(
  registers: Readonly<Record<string, string>>,
  found: EifContents,
): [string, string | undefined, string | undefined][] {
  const known = (value: string | undefined): string | undefined =>
    value === undefined || /^0*$/.test(value) ? undefined : value;
  return ["PCR0", "PCR1", "PCR2", "PCR8"].map((name) => [
    name,
    known(registers[name]),
    known(found.registers[name]),
  ]);
}
