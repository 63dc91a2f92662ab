/**
 * Which register sees each byte of a measurement's files, from its own events, and each launch parameter.
 * The subpath `@bootproof/measure/coverage`: it knows every platform.
 * @module
 */
import {
  claimsOf,
  type CoverageClaim,
  type CoverageMap,
  mapCoverage,
  type ParameterCoverage,
} from "./coverage-map.ts";
import type { MeasuredEvent } from "./event.ts";
import { claimsOfIgvm } from "./igvm/igvm-claims.ts";
import type { Measurement } from "./measurement.ts";
import { mapEif, mapParts } from "./nitro/coverage.ts";
import { isDebug } from "./nitro/expected-pcrs.ts";
import type { NitroMeasurement } from "./nitro/measure-nitro.ts";
import { BYTES } from "./sev/coverage.ts";
import { BOOT_ROLES, IMAGE, SECTION, TABLE } from "./snp/coverage.ts";

/** A file of a measurement; several regions are told apart by their order. */
export interface MeasuredFile {
  readonly role: string;
  readonly size: number;
  /** Needed of IGVM files, whose headers say which bytes are pages. */
  readonly bytes?: Uint8Array | undefined;
}

/** The coverage of a measurement; `files` are those that it was made from. */
export function mapMeasurement(
  measurement: Measurement<object>,
  files: readonly MeasuredFile[],
): CoverageMap {
  if (isEnclave(measurement)) return mapEnclave(measurement, files);
  const all = nameRegions(files);
  const igvm = files.find(({ role }) => role === "igvm")?.bytes;
  const hashed = measurement.coverage.covered.some(({ input }) => input === "kernel");
  const claims =
    igvm === undefined
      ? claimsOf(measurement.events, look).map((claim) => toFile(claim, files))
      : claimsOfIgvm(igvm, measurement);
  const artifacts = all.map(({ role, size }) => ({ role, size, unseen: whyUnseen(role) }));
  return mapCoverage(
    artifacts,
    [...claims, ...(hashed ? bootClaims(measurement, files) : [])],
    parametersOf(measurement, all),
  );
}

const isEnclave = (measurement: Measurement<object>): measurement is NitroMeasurement =>
  measurement.platform === "nitro" && "sections" in measurement;

/** An enclave's image is one file, or one for each of its sections; the bytes of a signature say where its certificate is. */
function mapEnclave({ sections, registers }: NitroMeasurement, files: readonly MeasuredFile[]): CoverageMap {
  const signature = files.find(({ role }) => role === "signature")?.bytes;
  const map = files.some(({ role }) => role === "eif") ? mapEif : mapParts;
  return map({ sections, signature, debug: isDebug(registers) });
}

/** How a register sees the bytes that an event comes from: by contents, or by what they declare. */
function look(event: MeasuredEvent): string | undefined {
  if ("bytes" in event) return BYTES;
  if (event.source.artifact !== "region" && event.source.section !== undefined) return SECTION;
  return event.type === "NORMAL" || event.type === "VMSA" ? IMAGE : undefined;
}

/** The claim on the file that has the bytes: with an SVSM, the sections are its own. */
function toFile(claim: CoverageClaim, files: readonly MeasuredFile[]): CoverageClaim {
  const svsm = claim.through === SECTION && files.some(({ role }) => role === "svsm");
  return svsm ? { ...claim, artifact: "svsm" } : claim;
}

function bootClaims({ registers }: Measurement<object>, files: readonly MeasuredFile[]): CoverageClaim[] {
  const [register = ""] = Object.keys(registers);
  return files
    .filter(({ role }) => isBootRole(role))
    .map(({ role, size }) => ({ artifact: role, offset: 0, length: size, register, through: TABLE }));
}

const isBootRole = (role: string): boolean => BOOT_ROLES.some((name) => name === role);

function whyUnseen(role: string): string {
  if (isBootRole(role)) return "kernel hashes are off";
  return role === "igvm"
    ? "in no page that is hashed, and of no register that KVM takes"
    : "no page is made of these bytes";
}

/** `region 0`, `region 1`, as their events are called. */
function nameRegions(files: readonly MeasuredFile[]): MeasuredFile[] {
  let regions = 0;
  return files.map((file) => (file.role === "region" ? { ...file, role: `region ${regions++}` } : file));
}

/** What the measurement says of inputs that are none of the files. */
function parametersOf(
  { coverage }: Measurement<object>,
  files: readonly MeasuredFile[],
): ParameterCoverage[] {
  const isFile = (input: string): boolean => isBootRole(input) || files.some(({ role }) => role === input);
  return [
    ...coverage.covered
      .filter(({ input }) => !isFile(input))
      .map(({ input, register, through }) => ({ name: input, register, through })),
    ...coverage.notCovered
      .filter(({ input }) => !isFile(input))
      .map(({ input, why }) => ({ name: input, why })),
  ];
}
