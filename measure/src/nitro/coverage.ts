/**
 * Which PCR sees which bytes of an image, and which bytes none does.
 * @module
 */
import { EIF_HEADER_SIZE, EIF_SECTION_HEADER_SIZE } from "@bootproof/boot/eif";
import {
  type CoverageClaim,
  type CoverageMap,
  mapCoverage,
  type ParameterCoverage,
  type Sight,
  summariseCoverage,
} from "../coverage-map.ts";
import type { Coverage } from "../measurement.ts";
import { certificateRange } from "./certificate-range.ts";
import { isMeasured, type PlannedSection, sectionNames } from "./section.ts";

const DATA = "SHA-384 over the data of the sections, in file order";
const CERTIFICATE = "SHA-384 of the first certificate's DER";
const TEXT = "the text itself";
const UNSEEN = "no PCR sees headers, metadata or signatures: data only, with no lengths between sections";

const PARAMETERS: readonly ParameterCoverage[] = [
  { name: "IAM role of the parent", register: "PCR3", through: TEXT },
  { name: "ID of the parent instance", register: "PCR4", through: TEXT },
  { name: "debug mode", register: "PCR0", through: "zeros instead of the image's values" },
  { name: "architecture", why: "a flag of the EIF header, which is not hashed" },
  {
    name: "where one section ends and the next begins",
    why: "the data is hashed as one byte string: compare the section manifest",
  },
  { name: "memory size, vCPUs, vsock CID", why: "given when the enclave is started" },
  {
    name: "words that the hypervisor adds to the command line",
    why: "virtio_mmio.device=... is added after the image was hashed",
  },
];

/** The coverage of an image in short. */
export function nitroCoverage(sections: readonly PlannedSection[], signed: boolean): Coverage {
  const names = sectionNames(sections);
  const parameters = summariseCoverage({ artifacts: [], parameters: PARAMETERS });
  const seen = sections.flatMap((section, index) =>
    sightsOf(section, names[index] ?? "").map((sight) => ({ input: names[index] ?? "", ...sight })),
  );
  const unseen = sections.flatMap(({ type }) =>
    type === "metadata" ? [{ input: "metadata", why: "never measured" }] : [],
  );
  const certificate = signed
    ? {
        covered: [{ input: "certificate", register: "PCR8", through: CERTIFICATE }],
        notCovered: [{ input: "signature", why: "PCR8 sees the certificate only" }],
      }
    : { covered: [], notCovered: [{ input: "certificate", why: "the image is not signed: PCR8 is zero" }] };
  return {
    covered: [...seen, ...certificate.covered, ...parameters.covered],
    notCovered: [
      { input: "EIF header and section headers", why: UNSEEN },
      ...unseen,
      ...certificate.notCovered,
      ...parameters.notCovered,
    ],
  };
}

/** A file of the measurement: the EIF as a whole, or its parts. */
export interface NitroFile {
  readonly role: string;
  readonly size: number;
  /** Needed of signature sections only, to find the certificate in them. */
  readonly bytes?: Uint8Array | undefined;
}

/** What is known of an image whose coverage is asked for. */
export interface CoveredImage {
  readonly sections: readonly PlannedSection[];
  /** Data of the signature section. */
  readonly signature?: Uint8Array | undefined;
  /** Debug mode: no register sees anything of the image. */
  readonly debug?: boolean | undefined;
}

/** Every byte of an EIF file, headers included, with the PCRs that see it. */
export function mapEif({ sections, signature, debug }: CoveredImage): CoverageMap {
  const names = sectionNames(sections);
  const claims: CoverageClaim[] = [];
  let end = EIF_HEADER_SIZE;
  for (const [index, section] of sections.entries()) {
    const offset = end + EIF_SECTION_HEADER_SIZE;
    end = offset + section.size;
    if (debug === true) continue;
    const sights = sightsOf(section, names[index] ?? "");
    claims.push(...sights.map((sight) => ({ artifact: "eif", offset, length: section.size, ...sight })));
    const range = section.type === "signature" && signature !== undefined && certificateRange(signature);
    if (range)
      claims.push({
        artifact: "eif",
        offset: offset + range.offset,
        length: range.length,
        register: "PCR8",
        through: CERTIFICATE,
      });
  }
  const unseen = debug === true ? "debug mode: the PCRs of the image are zero" : UNSEEN;
  return mapCoverage([{ role: "eif", size: end, unseen }], claims, PARAMETERS);
}

/** Parts that are given each as a file of its own, named as {@link sectionNames} does. */
export function mapParts({ sections, signature, debug }: CoveredImage): CoverageMap {
  const names = sectionNames(sections);
  const unseen = debug === true ? "debug mode: the PCRs of the image are zero" : "never measured";
  const artifacts = sections.map(({ size }, index) => ({ role: names[index] ?? "", size, unseen }));
  const whole = mapEif({ sections, signature, debug });
  const [eif] = whole.artifacts;
  let end = EIF_HEADER_SIZE;
  const claims = sections.flatMap((section, index): CoverageClaim[] => {
    const offset = end + EIF_SECTION_HEADER_SIZE;
    end = offset + section.size;
    const within = (eif?.ranges ?? []).filter(
      (range) => range.offset < end && range.offset + range.length > offset,
    );
    return within.flatMap((range) => {
      const start = Math.max(range.offset, offset);
      const length = Math.min(range.offset + range.length, end) - start;
      return range.seen.map((sight) => ({
        artifact: names[index] ?? "",
        offset: start - offset,
        length,
        ...sight,
      }));
    });
  });
  return mapCoverage(artifacts, claims, PARAMETERS);
}

function sightsOf(section: PlannedSection, name: string): Sight[] {
  if (!isMeasured(section)) return [];
  const second = section.type !== "ramdisk" || name === "ramdisk 0" ? "PCR1" : "PCR2";
  return [
    { register: "PCR0", through: DATA },
    { register: second, through: DATA },
  ];
}
