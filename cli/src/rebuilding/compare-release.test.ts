import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { buildRecipe, loadLockedRecipe, lockRecipe, writeLock, type BuildResult } from "@bootproof/builder";
import {
  parseEnvelope,
  parseStatement,
  readBootMeasurement,
  rebuildVerdict,
  type BootMeasurement,
  type Statement,
} from "@bootproof/statement";
import { beforeAll, describe, expect, it } from "vitest";

import type { OpenStore } from "../places/store-place.ts";
import { loadArtifacts } from "../releasing/artifacts.ts";
import { signRelease } from "../releasing/make-release.ts";
import { collectMaterials } from "../releasing/materials.ts";
import { measureRelease } from "../releasing/measure-release.ts";
import { openStoreAt, signer } from "../releasing/published.testing.ts";
import { scratchFolder } from "../scratch.testing.ts";
import { compareRelease } from "./compare-release.ts";

/** What an enclave recipe says, as far as these tests vary it. */
interface Parts {
  readonly kernel: string;
  readonly cmdline: string;
  readonly ramdisk: string;
  readonly version: string;
}

const PARTS: Parts = { kernel: "a kernel, quiet", cmdline: "panic=30", ramdisk: "a ramdisk", version: "1" };

describe("a rebuilt enclave image beside the published one", () => {
  let folder: string;
  let store: OpenStore;
  let published: Statement<BootMeasurement>;

  beforeAll(async () => {
    folder = await scratchFolder();
    store = await openStoreAt(join(folder, "store"));
    const built = await build("published", PARTS);
    const artifacts = await loadArtifacts(store, built.outputs);
    const measurements = await measureRelease(artifacts, built.recipe.recipe.recipe.platforms);
    const materials = await collectMaterials(built.recipe);
    const publisher = signer("example.org/publisher");
    const { measurement } = await signRelease({
      built,
      artifacts,
      materials,
      measurements,
      signer: publisher,
    });
    published = readBootMeasurement(parseStatement(parseEnvelope(measurement).unverifiedPayload));
  });

  /** Builds an image without any component: nothing but its own parts. */
  async function build(name: string, parts: Parts): Promise<BuildResult> {
    const place = join(folder, name);
    await mkdir(place);
    await writeFile(join(place, "kernel"), parts.kernel);
    await writeFile(join(place, "ramdisk"), parts.ramdisk);
    const recipe = join(place, "app.recipe.yaml");
    await writeFile(
      recipe,
      `name: app
version: "1"
cmdline: "${parts.cmdline}"
outputs:
  app.eif: {kind: eif, eif: {kernel: {file: kernel}, ramdisks: [{file: ramdisk}], version: "${parts.version}"}}
platforms: [{platform: nitro}]
`,
    );
    for (const made of await lockRecipe(recipe, { store: store.path, env: {}, mirrors: [], aptRoot: null }))
      await writeLock(made.path, made.lock);
    return buildRecipe(await loadLockedRecipe(recipe), { store, inputs: { env: {}, aptRoot: null } });
  }

  const verdictOf = async (name: string, changed: Partial<Parts>): Promise<string> =>
    rebuildVerdict(await compareRelease(store, published, await build(name, { ...PARTS, ...changed })));

  it("is IDENTICAL when it is made of the same parts", async () => {
    expect(await verdictOf("same", {})).toBe("IDENTICAL");
  });

  it("is MEASUREMENT-EQUAL when only the metadata differs, which no register covers", async () => {
    const built = await build("metadata", { ...PARTS, version: "2" });
    const compared = await compareRelease(store, published, built);
    expect(compared.artifacts[0]?.found?.sha256).not.toBe(compared.artifacts[0]?.expected.sha256);
    expect(rebuildVerdict(compared)).toBe("MEASUREMENT-EQUAL");
  });

  it("DIVERGED when bytes went from the kernel to the command line, although every PCR is the same", async () => {
    const built = await build("shifted", { ...PARTS, kernel: "a kernel, ", cmdline: "quietpanic=30" });
    const compared = await compareRelease(store, published, built);
    expect(compared.registers.differ.map(({ register }) => register)).toEqual(
      expect.not.arrayContaining(["PCR0", "PCR1", "PCR2"]),
    );
    expect(rebuildVerdict(compared)).toBe("DIVERGED");
  });

  it("DIVERGED when a ramdisk has another byte", async () => {
    expect(await verdictOf("ramdisk", { ramdisk: "another one" })).toBe("DIVERGED");
  });
});
