/**
 * The registers of releases, from whatever holds them: a measurement, what nitro-cli printed, an EIF, a bundle.
 * @module
 */
import { basename, extname } from "node:path";

import { parseLaunchDocument } from "@bootproof/measure";
import { TRACE_RULES } from "@bootproof/measure/explain";
import { measureNitro, parseExpectedPcrs } from "@bootproof/measure/nitro";
import { BOOT_MEASUREMENT_TYPE, hasAxes, readBootMeasurement } from "@bootproof/statement";
import { KmsError, type KmsRelease } from "@bootproof/statement/kms";
import { parseBundle } from "@bootproof/verify";

import { reading } from "../errors/to-failure.ts";
import type { Context } from "../frame/context.ts";
import { isRegularFile, readHead, readInput } from "../frame/files.ts";
import { startsWith, textHead } from "../inspect/inspection.ts";

const SCHEMA = /^\s*\{\s*"schema"\s*:\s*"bootproof\//;

/** Reads one release, or several from a bundle with several images. */
export async function readReleases(context: Context, given: string): Promise<KmsRelease[]> {
  const [, typed, rest = given] = /^([\w.-]{1,60})=(.+)$/s.exec(given) ?? [];
  // A file may have an equals sign in its name.
  const named = typed !== undefined && !(await exists(given));
  const file = named ? rest : given;
  const name = named ? typed : stemOf(file);
  if ((await exists(file)) && startsWith(await readHead(file, 4), ".eif"))
    return [{ name, registers: await registersOfEif(context, file) }];
  const bytes = await readInput(file);
  if (startsWith(bytes, "c2sp.org/tlog-proof@")) {
    context.note(`${file} is not verified: bootproof verify ${file} --policy P does that`);
    return reading(file, () => releasesOfBundle(bytes, named ? typed : undefined));
  }
  return [{ name, registers: reading(file, () => registersOfText(bytes)) }];
}

const stemOf = (file: string): string => basename(file, extname(file));

async function exists(file: string): Promise<boolean> {
  return await isRegularFile(file).catch(() => false);
}

async function registersOfEif(context: Context, file: string): Promise<KmsRelease["registers"]> {
  const { measureEifFile } = await import("../enclave/measured-eif.ts");
  const { watchHashing } = await import("../enclave/watch-hashing.ts");
  const { image } = await watchHashing(context, (options) => measureEifFile(file, options));
  return measureNitro(image, {}).registers;
}

/** What `measure nitro --json` wrote, else whatever has PCRs in it. */
function registersOfText(bytes: Uint8Array): KmsRelease["registers"] {
  if (!SCHEMA.test(textHead(bytes, 256))) return parseExpectedPcrs(new TextDecoder().decode(bytes));
  const { platform, registers } = parseLaunchDocument(bytes, TRACE_RULES);
  if (platform === "nitro") return registers;
  throw new KmsError("BP-KMS-071", `a measurement of platform ${platform} has no registers that KMS knows`, {
    expected: "a measurement of platform nitro",
    found: platform,
  });
}

function releasesOfBundle(bytes: Uint8Array, typed: string | undefined): KmsRelease[] {
  const { statement } = parseBundle(bytes);
  if (statement?.predicateType !== BOOT_MEASUREMENT_TYPE)
    throw noMeasurement("is of another kind than a release");
  const { release, measurements } = readBootMeasurement(statement).predicate;
  const entries = measurements.flatMap((entry) =>
    hasAxes(entry) || entry.platform !== "nitro" ? [] : [entry],
  );
  if (entries.length === 0) throw noMeasurement("has no measurements of platform nitro");
  const name = typed ?? `${release.name}-${release.version}`;
  return entries.map(({ shape, registers }) => {
    const image = shape["image"];
    return { name: image === undefined ? name : `${name}-${image}`, registers };
  });
}

const noMeasurement = (what: string): KmsError =>
  new KmsError("BP-KMS-071", `the bundle ${what}`, {
    expected: "a release with measurements of platform nitro",
  });
