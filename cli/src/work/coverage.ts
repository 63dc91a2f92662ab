/**
 * Says which register sees each byte of each input and each launch parameter of a guest.
 * @module
 */
import type { CoverageMap, Measurement, Sight } from "@bootproof/measure";
import { type MeasuredFile, mapMeasurement } from "@bootproof/measure/coverage";
import { type AmdPlatform, isFirmwareReference, type SnpShape } from "@bootproof/measure/snp";

import type { Context } from "../frame/context.ts";
import { EXIT, type ExitCode } from "../frame/exit-code.ts";
import { badValue, type Given, usage } from "../frame/given.ts";
import { GuestFiles } from "../measuring/guest-files.ts";
import type { GuestRequest } from "../measuring/guest-request.ts";
import { readOneShape } from "../measuring/one-shape.ts";
import { GuestOpener, type OpenGuest } from "../measuring/open-guest.ts";
import { readGuest } from "../measuring/read-guest.ts";
import { formatTable } from "../report/table.ts";

const PLATFORMS: readonly AmdPlatform[] = ["snp", "sev", "sev-es"];
/** Options that other platforms have no use for. */
const ENCLAVE = ["cmdline", "cmdlineFile", "ramdisk", "certificate"];

/** Prints the coverage of a guest. */
export async function coverage(context: Context, given: Given): Promise<ExitCode> {
  if (given.optionalArgument(0) === "nitro")
    return await (await import("./coverage-nitro.ts")).coverageNitro(context, given);
  if (given.optionalArgument(1) !== undefined || ENCLAVE.some((name) => given.has(name)))
    throw usage(
      "a file without an option, --cmdline, --ramdisk and --certificate are of enclaves",
      "coverage nitro FILE",
    );
  const { guest: request, notes } = await readGuest(given, readPlatform(given));
  for (const note of notes) context.note(note);
  const opener = new GuestOpener(new GuestFiles());
  const guest = await opener.open(request);
  const measurement = guest.measure(readOneShape(request.axes) ?? assumedShape(request));
  const map = mapMeasurement(measurement, await filesOf(request, guest, opener.files));
  await context.answer(formatCoverage(map), document(measurement, guest, map));
  return EXIT.yes;
}

function document({ platform, shape }: Measurement<object>, { inputs }: OpenGuest, map: CoverageMap): object {
  return { schema: "bootproof/coverage/1", platform, shape, inputs, ...map };
}

function readPlatform(given: Given): AmdPlatform {
  const typed = given.optionalArgument(0) ?? "snp";
  const platform = PLATFORMS.find((name) => name === typed);
  if (platform === undefined) throw badValue("the platform", [...PLATFORMS, "nitro"].join(", "), typed);
  return platform;
}

/** Whom the answer is about when no shape is given: coverage depends on little of it. */
function assumedShape({ igvm, svsm, regions }: GuestRequest): SnpShape {
  // Files that describe one processor describe no second; regions are libkrun's.
  const vcpus = igvm === undefined ? 2 : 1;
  return { vcpus, cpu: "EPYC-v4", ...(regions.length > 0 && svsm === undefined && { vmm: "libkrun" }) };
}

/** The files with what the map needs of them; a reference has none of the bytes that are measured. */
async function filesOf(
  { igvm, firmware }: GuestRequest,
  { inputs }: OpenGuest,
  files: GuestFiles,
): Promise<MeasuredFile[]> {
  if (firmware !== undefined && isFirmwareReference(await files.bytes(firmware)))
    throw usage("coverage is told from an image's bytes: a firmware reference has none", "give the image");
  const bytes = igvm === undefined ? undefined : await files.bytes(igvm);
  return inputs.map(({ role, size }) => ({ role, size, ...(role === "igvm" && { bytes }) }));
}

/** More ranges of one file than these are counted, not listed; --json has them. */
const MAX_RANGES = 40;

/** A map as two tables. */
export function formatCoverage({ artifacts, parameters }: CoverageMap): string {
  const bytes = artifacts.flatMap(({ role, ranges }) => [
    ...ranges
      .slice(0, MAX_RANGES)
      .map(({ offset, length, seen, why = "" }) => [
        role,
        `0x${offset.toString(16)}..0x${(offset + length).toString(16)}`,
        ...sightCells(seen, why),
      ]),
    ...(ranges.length > MAX_RANGES ? [[role, `${String(ranges.length - MAX_RANGES)} more ranges`]] : []),
  ]);
  const rows = parameters.map(({ name, register, through, why = "" }) => [
    name,
    ...(register === undefined || through === undefined ? ["nobody", why] : [register, through]),
  ]);
  return (
    formatTable(bytes, ["input", "bytes", "seen by", "through, or why not"]) +
    "\n" +
    formatTable(rows, ["launch parameter", "seen by", "through, or why not"])
  );
}

function sightCells(seen: readonly Sight[], why: string): [string, string] {
  if (seen.length === 0) return ["nobody", why];
  const registers = [...new Set(seen.map(({ register }) => register))].join(", ");
  return [registers, [...new Set(seen.map(({ through }) => through))].join("; ")];
}
