import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { loadLockedRecipe } from "@bootproof/builder";
import { formatHex, sha256 } from "@bootproof/bytes";
import {
  parseEnvelope,
  parseStatement,
  readBootMeasurement,
  type BootMeasurement,
} from "@bootproof/statement";
import { beforeEach, beforeAll, describe, expect, it } from "vitest";

import type { Context } from "../frame/context.ts";
import { writeMaterials } from "../releasing/materials.ts";
import { openStoreAt, publishGuest, signer, type Published } from "../releasing/published.testing.ts";
import { ROOT, scratchFolder } from "../scratch.testing.ts";
import { MaterialFinder } from "./find-materials.ts";
import { layOut, MissingMaterial } from "./lay-out.ts";

describe("finding what a rebuild needs", () => {
  let folder: string;
  let published: Published;
  let build: BootMeasurement["build"];
  let rebuilder: string;
  let count = 0;

  beforeAll(async () => {
    folder = await scratchFolder();
    published = await publishGuest(
      await openStoreAt(join(folder, "publisher")),
      signer("example.org/publisher"),
    );
    const statement = parseStatement(parseEnvelope(published.signed.measurement).unverifiedPayload);
    build = readBootMeasurement(statement).predicate.build;
  });

  beforeEach(async () => {
    rebuilder = join(folder, `rebuilder-${String(count++)}`);
    await mkdir(join(rebuilder, "nothing-here"), { recursive: true });
    const provenance = { sha256: build.provenance.sha256, bytes: published.signed.provenance };
    await writeMaterials(join(rebuilder, "materials"), [...published.materials, provenance]);
  });

  async function finder(
    from: readonly string[] = [],
    cwd: string = join(rebuilder, "nothing-here"),
  ): Promise<MaterialFinder> {
    const context = { options: { offline: true }, cwd } as unknown as Context;
    return new MaterialFinder(context, await openStoreAt(join(rebuilder, "store")), {
      from,
      bundleFolder: rebuilder,
    });
  }

  it("lays recipes, locks and components out so that they load and match, from materials beside the bundle", async () => {
    const laidOut = await layOut(build, "snp-guest", await finder());
    const locked = await loadLockedRecipe(laidOut.recipe);
    expect(locked.lock.sha256).toBe(build.lock.sha256);
    expect(locked.form === "composing" && [...locked.components.keys()]).toEqual([
      "firmware",
      "initrd",
      "kernel",
    ]);
    await rm(laidOut.folder, { recursive: true });
  });

  it("brings the files that stand beside recipes into the store", async () => {
    await rm((await layOut(build, "snp-guest", await finder())).folder, { recursive: true });
    const store = await openStoreAt(join(rebuilder, "store"));
    const files = published.materials.filter(({ name }) => name.includes(" file "));
    expect(files.length).toBeGreaterThan(0);
    for (const { sha256: digest } of files) expect(await store.blobs.has(digest)).toBe(true);
  });

  it("asks --from, with or without a sha256 folder", async () => {
    const elsewhere = join(rebuilder, "elsewhere");
    await mkdir(elsewhere);
    for (const { sha256: digest, bytes } of published.materials)
      await writeFile(join(elsewhere, digest), bytes);
    await writeFile(join(elsewhere, build.provenance.sha256), published.signed.provenance);
    await rm(join(rebuilder, "materials"), { recursive: true });
    const laidOut = await layOut(build, "snp-guest", await finder([elsewhere]));
    expect((await loadLockedRecipe(laidOut.recipe)).recipe.sha256).toBe(build.recipe.sha256);
    await rm(laidOut.folder, { recursive: true });
  });

  it("needs nothing but a clone of the recipes", async () => {
    await rm(join(rebuilder, "materials"), { recursive: true });
    const laidOut = await layOut(build, "snp-guest", await finder([], ROOT));
    expect((await loadLockedRecipe(laidOut.recipe)).lock.sha256).toBe(build.lock.sha256);
    await rm(laidOut.folder, { recursive: true });
  });

  it("does not take a file with another hash, whatever its name says", async () => {
    const file = join(rebuilder, "materials/sha256", build.lock.sha256);
    const bytes = await readFile(file);
    bytes[bytes.length - 2] = (bytes[bytes.length - 2] ?? 0) ^ 1;
    await writeFile(file, bytes);
    await expect(layOut(build, "snp-guest", await finder())).rejects.toThrow(MissingMaterial);
    await expect(layOut(build, "snp-guest", await finder())).rejects.toThrow(
      /^lock \(sha256 [0-9a-f]{64}\) was not found/,
    );
  });

  it("names the component whose recipe is missing", async () => {
    const kernel = published.materials.find(({ name }) => name === "component kernel recipe");
    await rm(join(rebuilder, "materials/sha256", kernel?.sha256 ?? ""));
    await expect(layOut(build, "snp-guest", await finder())).rejects.toThrow("component kernel recipe");
  });

  it("materials are what their names say", () => {
    for (const { sha256: digest, bytes } of published.materials)
      expect(formatHex(sha256(bytes))).toBe(digest);
  });
});
