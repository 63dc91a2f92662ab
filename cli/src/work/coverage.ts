/**
 * Says which register sees each byte of each input and each launch parameter of a guest.
 * @module
 */
import { utf8 } from "@bootproof/bytes";
import type { CoverageMap, Sight } from "@bootproof/measure";
import { mapSevCoverage, measureSev, measureSevEs, resolveSevEs } from "@bootproof/measure/sev";
import {
  type AmdPlatform,
  formatShape,
  type LaunchSizes,
  mapSnpCoverage,
  measureSnp,
  resolveShape,
  type SnpShape,
} from "@bootproof/measure/snp";

import { reading } from "../errors/reading.ts";
import type { Context } from "../frame/context.ts";
import { EXIT, type ExitCode } from "../frame/exit-code.ts";
import { readInput } from "../frame/files.ts";
import { badValue, type Given, usage } from "../frame/given.ts";
import { type GuestRequest, readGuestRequest } from "../measuring/guest-request.ts";
import { readOneShape } from "../measuring/one-shape.ts";
import { formatTable } from "../report/table.ts";

const PLATFORMS: readonly AmdPlatform[] = ["snp", "sev", "sev-es"];
/** Whom the answer is about when no shape is given: coverage depends on little of it. */
const ASSUMED: SnpShape = { vcpus: 2, cpu: "EPYC-v4" };

/** The answer for one guest. */
interface Covered {
  readonly platform: AmdPlatform;
  readonly shape: object;
  readonly map: CoverageMap;
}

/** Prints the coverage of a guest. */
export async function coverage(context: Context, given: Given): Promise<ExitCode> {
  const request = readGuestRequest(given, readPlatform(given));
  const files = await readFiles(request);
  const covered = coverGuest(request, files);
  await context.answer(formatCoverage(covered), {
    schema: "bootproof/coverage/1",
    platform: covered.platform,
    shape: covered.shape,
    ...covered.map,
  });
  return EXIT.yes;
}

function readPlatform(given: Given): AmdPlatform {
  const typed = given.optionalArgument(0) ?? "snp";
  const platform = PLATFORMS.find((name) => name === typed);
  if (platform === undefined) throw badValue("the platform", PLATFORMS.join(", "), typed);
  return platform;
}

interface GuestBytes {
  readonly firmware: Uint8Array;
  readonly kernel: Uint8Array | undefined;
  readonly initrd: Uint8Array | undefined;
  readonly cmdline: Uint8Array | undefined;
  readonly kernelHashes: boolean | undefined;
}

async function readFiles(request: GuestRequest): Promise<GuestBytes> {
  const { firmware, kernel, initrd, append, appendFile, kernelHashes } = request;
  if (firmware === undefined) throw usage("--ovmf is missing: coverage is told from the image's bytes");
  const read = async (path: string | undefined): Promise<Uint8Array | undefined> =>
    path === undefined ? undefined : await readInput(path);
  return {
    firmware: await readInput(firmware),
    kernel: await read(kernel),
    initrd: await read(initrd),
    cmdline: (await read(appendFile)) ?? (append === undefined ? undefined : utf8(append)),
    kernelHashes,
  };
}

function coverGuest({ platform, firmware, axes }: GuestRequest, files: GuestBytes): Covered {
  const shape = readOneShape(axes) ?? ASSUMED;
  const hashed = files.kernel !== undefined && files.kernelHashes !== false;
  const sizes: LaunchSizes = {
    firmware: files.firmware.length,
    kernel: files.kernel?.length,
    initrd: files.initrd?.length,
    cmdline: files.cmdline?.length,
  };
  return reading(firmware ?? "", () => {
    switch (platform) {
      case "snp": {
        const resolved = resolveShape(shape);
        const map = mapSnpCoverage(measureSnp(files, shape).events, resolved, sizes, hashed);
        return { platform, shape: formatShape(resolved), map };
      }
      case "sev-es": {
        const { events, shape: resolved } = measureSevEs(files, shape);
        const map = mapSevCoverage(events, resolveSevEs(shape).resolved, sizes, hashed);
        return { platform, shape: resolved, map };
      }
      case "sev": {
        const { events, shape: resolved } = measureSev(files, shape);
        return { platform, shape: resolved, map: mapSevCoverage(events, undefined, sizes, hashed) };
      }
    }
  });
}

function formatCoverage({ map: { artifacts, parameters } }: Covered): string {
  const bytes = artifacts.flatMap(({ role, ranges }) =>
    ranges.map(({ offset, length, seen, why = "" }) => [
      role,
      `0x${offset.toString(16)}..0x${(offset + length).toString(16)}`,
      ...sightCells(seen, why),
    ]),
  );
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
  return [registers, seen.map(({ through }) => through).join("; ")];
}
