/**
 * SVSM guests of coconut's QEMU before IGVM: an OVMF image, the SVSM image below its variable store, the SVSM's metadata
 * sections, and VMSAs that start in the SVSM. Source: virtee/sev-snp-measure's snp:svsm mode, whose digests are wrong
 * today, and its test's value from hardware, which is right.
 * @module
 */
import { type ByteReader, equalBytes, formatDigest, ParseError, type Sha384 } from "@bootproof/bytes";
import { openGuidEntry, parseGuidTable, parseSevMetadata, SVSM_INFO_GUID } from "@bootproof/ovmf";
import { makeMeasurement, type Measurement, type MeasureWarning } from "../measurement.ts";
import { svsmCoverage } from "./coverage-svsm.ts";
import { checkImageSize, type FirmwareReference, imagePages } from "./firmware-reference.ts";
import { prepareMeasured, type SnpLaunch } from "./launch.ts";
import { checkSections } from "./launchable.ts";
import { shapeWarnings } from "./measure-snp.ts";
import { extendLaunchDigest, LAUNCH_DIGEST, PAGE_SIZE, type PageEvent, START } from "./page-info.ts";
import { extendRuns, normalRun, type PageRun } from "./page-run.ts";
import type { SnpProfile } from "./profile.ts";
import { CLASSIC_SVSM_VMSA, SVSM_DEFAULT, snpProfile } from "./profiles.ts";
import { formatShape, type ResolvedShape, resolveShape, type ShapeJson, type SnpShape } from "./shape.ts";

const FOUR_GIB = 0x1_0000_0000;
/** As for firmware: QEMU's own limit for max-fw-size. */
const MAX_VARIABLE_STORE = 16 * 1024 * 1024;

/** The files of an SVSM guest. */
export interface SvsmInputs {
  readonly firmware: Uint8Array;
  readonly svsm: Uint8Array;
  /** Bytes of the variable store between the two: not measured, but it decides where the SVSM lies. */
  readonly varsSize: number;
}

/** Both images, checked and hashed: a firmware reference of kind `svsm`, and their pages. */
export interface MeasuredSvsm {
  readonly reference: FirmwareReference;
  readonly runs: readonly PageRun[];
  readonly warnings: readonly MeasureWarning[];
}

/** Checks and hashes both images, or throws {@link ParseError} for what cannot launch. */
export function measureSvsmImages({ firmware, svsm, varsSize }: SvsmInputs): MeasuredSvsm {
  checkImageSize(firmware.length);
  checkImageSize(svsm.length);
  if (
    !Number.isInteger(varsSize) ||
    varsSize < 0 ||
    varsSize > MAX_VARIABLE_STORE ||
    varsSize % PAGE_SIZE !== 0
  )
    throw new ParseError("OUT_OF_RANGE", "size of the variable store", {
      expected: `a multiple of ${PAGE_SIZE} up to ${MAX_VARIABLE_STORE} bytes`,
      found: `${varsSize}`,
    });
  const end = FOUR_GIB - firmware.length - varsSize;
  const base = end - svsm.length;
  const table = parseGuidTable(svsm);
  const metadata = parseSevMetadata(svsm, table);
  const runs = [imagePages(firmware, FOUR_GIB), normalRun(svsm, BigInt(base), "SVSM page", "svsm")];
  const reference: FirmwareReference = {
    kind: "svsm",
    size: FOUR_GIB - base,
    seed: extendRuns(START[LAUNCH_DIGEST], runs),
    metadata,
    resetAddress: base + launchOffset(openGuidEntry(table, SVSM_INFO_GUID, 4), svsm.length),
    hashTable: undefined,
  };
  return { reference, runs, warnings: checkSections(metadata, reference.size) };
}

/** Prepares a launch of both images, or throws {@link ParseError}. */
export function prepareSvsm(inputs: SvsmInputs, profile: SnpProfile = snpProfile(SVSM_DEFAULT)): SnpLaunch {
  const { reference, runs, warnings } = measureSvsmImages(inputs);
  return prepareMeasured({ reference, pages: runs, warnings }, undefined, profile);
}

/** A shape with what else the SVSM's place depends on. */
export interface SvsmShapeJson extends ShapeJson {
  readonly varsSize: number;
}

/** Predicts the launch digest of an SVSM guest. Throws {@link ParseError} or MeasureError. */
export function measureSvsm(inputs: SvsmInputs, shape: SnpShape): Measurement<SvsmShapeJson, PageEvent> {
  const resolved = resolveShape({ ...shape, profile: shape.profile ?? SVSM_DEFAULT });
  const launch = prepareSvsm(inputs, resolved.profile);
  return makeMeasurement({
    platform: "snp",
    shape: { ...formatShape(resolved), varsSize: inputs.varsSize },
    registers: { [LAUNCH_DIGEST]: launch.digest(resolved) },
    start: launch.start,
    extend: extendLaunchDigest,
    events: () => launch.events(resolved),
    coverage: svsmCoverage(resolved),
    warnings: [...shapeWarnings(shape, resolved), ...launch.warnings, classicWarning(launch, resolved)],
  });
}

/**
 * What sev-snp-measure 0.0.13 prints for this launch: MXCSR without FCW, and features 0x1 whatever is asked for. No
 * processor starts so.
 */
export function classicSvsmDigest(launch: SnpLaunch, shape: ResolvedShape): Sha384 {
  const { profile } = launch.prefix;
  const classic: SnpProfile = { ...profile, name: "svsm-classic-tool", vmsa: CLASSIC_SVSM_VMSA };
  const copy = launch.withProfile(classic);
  return copy.digest({ ...shape, profile: classic, guestFeatures: 0x1n });
}

/** Whether a digest is the classic tool's for this launch, and therefore no guest's. */
export const isClassicSvsmDigest = (launch: SnpLaunch, shape: ResolvedShape, digest: Uint8Array): boolean =>
  equalBytes(classicSvsmDigest(launch, shape), digest);

function classicWarning(launch: SnpLaunch, shape: ResolvedShape): MeasureWarning {
  const digest = formatDigest(classicSvsmDigest(launch, shape));
  return {
    code: "BP-SNP-116",
    message: `sev-snp-measure 0.0.13 prints ${digest} for these files: it sets half of the FPU state, and no guest reports it`,
    artifact: "svsm",
  };
}

function launchOffset(entry: ByteReader, size: number): number {
  const { offset } = entry;
  const launch = entry.u32le("SVSM launch offset");
  if (launch >= size)
    throw new ParseError("OUT_OF_RANGE", "SVSM launch offset", {
      offset,
      expected: `below ${size}`,
      found: `${launch}`,
    });
  return launch;
}
