/**
 * A release made without building: real recipes and locks of this repository, artifacts from the vectors.
 * @module
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { loadLockedRecipe, type BuildResult } from "@bootproof/builder";
import { makeSigningKey, signerOf, type Signer } from "@bootproof/bytes/signing";
import { DirectoryBlobs, Refs } from "@bootproof/store";

import type { OpenStore } from "../places/store-place.ts";
import { ROOT } from "../scratch.testing.ts";
import { loadArtifacts, type LoadedArtifact } from "./artifacts.ts";
import { signRelease, type SignedRelease } from "./make-release.ts";
import { collectMaterials, type Material } from "./materials.ts";
import { measureRelease } from "./measure-release.ts";

export const signer = (name: string): Signer =>
  signerOf(makeSigningKey(name, new Uint8Array(32).fill(name.length)));

export async function openStoreAt(path: string): Promise<OpenStore> {
  return { path, blobs: await DirectoryBlobs.open(path), refs: await Refs.open(path) };
}

/** What a build of the guest would give, with a small firmware and `kernel` as its kernel. */
export async function builtGuest(store: OpenStore, kernel = "a kernel"): Promise<BuildResult> {
  const recipe = await loadLockedRecipe(join(ROOT, "boot/recipes/snp-guest.recipe.yaml"));
  const firmware = await readFile(join(ROOT, "measure/vectors/ovmf_AmdSev_suffix.bin"));
  const put = (text: string): ReturnType<OpenStore["blobs"]["put"]> =>
    store.blobs.put(new TextEncoder().encode(text));
  return {
    recipe,
    outputs: {
      "OVMF.fd": { kind: "firmware", ...(await store.blobs.put(new Uint8Array(firmware))) },
      vmlinuz: { kind: "kernel", ...(await put(kernel)) },
      "initrd.cpio": { kind: "initrd", ...(await put("an initrd")) },
      cmdline: { kind: "cmdline", ...(await put("console=ttyS0")) },
    },
    components: [],
    assemblies: [],
  };
}

export interface Published {
  readonly built: BuildResult;
  readonly artifacts: readonly LoadedArtifact[];
  readonly materials: readonly Material[];
  readonly signed: SignedRelease;
}

export async function publishGuest(store: OpenStore, publisher: Signer): Promise<Published> {
  const built = await builtGuest(store);
  const artifacts = await loadArtifacts(store, built.outputs);
  const measurements = await measureRelease(artifacts, built.recipe.recipe.recipe.platforms);
  const materials = await collectMaterials(built.recipe);
  const signed = await signRelease({ built, artifacts, materials, measurements, signer: publisher });
  return { built, artifacts, materials, signed };
}
