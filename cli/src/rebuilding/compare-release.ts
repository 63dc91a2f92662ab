/**
 * A rebuild's artifacts and registers beside the published ones.
 * @module
 */
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";

import { findFirstDifference, type BuildResult, type PlatformAxes } from "@bootproof/builder";
import { ParseError } from "@bootproof/bytes";
import { MeasureError } from "@bootproof/measure";
import { releaseArtifacts, type BootMeasurement, type Rebuild, type Statement } from "@bootproof/statement";
import { shapeValues, type ShapeValue } from "@bootproof/verify";

import { describeSection } from "../building/sections.ts";
import { Failure } from "../frame/failure.ts";
import type { OpenStore } from "../places/store-place.ts";
import { loadArtifacts } from "../releasing/artifacts.ts";
import { measureRelease } from "../releasing/measure-release.ts";

/** What a rebuild's statement says of artifacts and registers. */
export type Compared = Pick<Rebuild, "artifacts" | "registers">;

// A statement holds at most so many, and one is enough to see that it diverged.
const MAX_DIFFERING = 64;
const MAX_DESCRIBED = 256 * 1024 * 1024;

/** Compares every artifact by digest and every register of every shape. */
export async function compareRelease(
  store: OpenStore,
  published: Statement<BootMeasurement>,
  built: BuildResult,
): Promise<Compared> {
  const artifacts = releaseArtifacts(published).map(({ name, sha256, size }) => {
    const found = built.outputs[name];
    const expected = { sha256, size };
    return found === undefined
      ? { name, expected }
      : { name, expected, found: { sha256: found.sha256, size: found.size } };
  });
  return { artifacts, registers: await compareRegisters(store, published, built) };
}

/** The artifacts as claimed, of which nothing came out. */
export function nothingBuilt(published: Statement<BootMeasurement>): Compared {
  const artifacts = releaseArtifacts(published).map(({ name, sha256, size }) => ({
    name,
    expected: { sha256, size },
  }));
  return { artifacts, registers: { compared: 0, differ: [] } };
}

async function compareRegisters(
  store: OpenStore,
  { predicate }: Statement<BootMeasurement>,
  built: BuildResult,
): Promise<Compared["registers"]> {
  const claimed = predicate.measurements.flatMap(shapeValues);
  const found = new Map((await rebuiltValues(store, built)).map((value) => [keyOf(value), value.value]));
  const differ = claimed.flatMap((value) => {
    const now = found.get(keyOf(value));
    if (now === value.value) return [];
    const { platform, shape, register } = value;
    return [{ platform, shape, register, expected: value.value, found: now ?? "none" }];
  });
  return { compared: claimed.length, differ: differ.slice(0, MAX_DIFFERING) };
}

async function rebuiltValues(store: OpenStore, built: BuildResult): Promise<ShapeValue[]> {
  const platforms: readonly PlatformAxes[] = built.recipe.recipe.recipe.platforms;
  try {
    const artifacts = await loadArtifacts(store, built.outputs);
    return (await measureRelease(artifacts, platforms)).flatMap(shapeValues);
  } catch (error) {
    // Firmware that came out broken has no registers; that is a difference, not an error.
    if (error instanceof Failure || error instanceof ParseError || error instanceof MeasureError) return [];
    throw error;
  }
}

function keyOf({ platform, shape, register }: ShapeValue): string {
  return `${platform}\n${shape}\n${register}`;
}

/** Where a rebuilt artifact first differs, when the published bytes are in the store or beside the bundle. */
export async function locateDifference(
  store: OpenStore,
  { name, expected, found }: Rebuild["artifacts"][number],
  bundleFolder: string,
): Promise<string | undefined> {
  if (found === undefined) return undefined;
  const published = await findPublished(store, name, expected, bundleFolder);
  if (published === undefined) return undefined;
  const place = await findFirstDifference(published, store.blobs.path(found.sha256));
  if (place === undefined) return undefined;
  // Larger artifacts are not read whole only to name a section.
  const section =
    expected.size > MAX_DESCRIBED
      ? undefined
      : describeSection(name, new Uint8Array(await readFile(published)), place.offset);
  return `first at offset 0x${place.offset.toString(16)}${section === undefined ? "" : ` (${section})`}`;
}

async function findPublished(
  store: OpenStore,
  name: string,
  { sha256, size }: { sha256: string; size: number },
  bundleFolder: string,
): Promise<string | undefined> {
  if (await store.blobs.has(sha256)) return store.blobs.path(sha256);
  const beside = join(bundleFolder, "artifacts", name);
  // What lies there counts only as a help for people: same size, and its hash decided nothing.
  return stat(beside).then(
    (found) => (found.isFile() && found.size === size ? beside : undefined),
    () => undefined,
  );
}
