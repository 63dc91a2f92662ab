/**
 * The recipe: what people write to say how boot artifacts are built (design.md section 3).
 * A building recipe has sources, a toolchain and steps; a composing recipe joins other recipes'
 * artifacts and a command line. This file is the data; recipe-schema.ts reads it.
 * @module
 */
import type { EnclaveImage } from "./enclave/enclave.ts";

/** What kind of boot artifact an output is. */
export type ArtifactKind = "firmware" | "kernel" | "initrd" | "cmdline" | "uki" | "eif" | "file";

/** Every artifact kind. */
export const ARTIFACT_KINDS: readonly ArtifactKind[] = [
  "firmware",
  "kernel",
  "initrd",
  "cmdline",
  "uki",
  "eif",
  "file",
];

/** The suites of Debian that a lock can be resolved in. */
export type DebianSuite = "bookworm" | "trixie" | "sid";

/** Every suite a lock can be resolved in. */
export const DEBIAN_SUITES: readonly DebianSuite[] = ["bookworm", "trixie", "sid"];

/** All files of a Debian source package in one exact version, but not the .dsc that lists them. */
export interface DebianSource {
  readonly kind: "debian";
  readonly package: string;
  readonly version: string;
  readonly suite: DebianSuite;
}

/** A file beside the recipe or in a folder under it; it appears in /source by its base name. */
export interface FileSource {
  readonly kind: "file";
  readonly path: string;
  readonly name: string;
}

/** A file at a URL, pinned by hash in the recipe itself. */
export interface UrlSource {
  readonly kind: "url";
  readonly url: string;
  readonly sha256: string;
  readonly name: string;
}

/** A git commit; it appears in /source as the deterministic tar `name`. */
export interface GitSource {
  readonly kind: "git";
  readonly url: string;
  readonly commit: string;
  readonly name: string;
}

/** Something that appears read-only in /source. */
export type RecipeSource = DebianSource | FileSource | UrlSource | GitSource;

/** Packages whose closure makes the root file system of the build. */
export interface Toolchain {
  readonly suite: DebianSuite;
  readonly packages: readonly string[];
}

/** A named shell script. */
export interface Step {
  readonly name: string;
  readonly run: string;
}

/** A file that a building recipe's steps leave under /build. */
export interface BuiltOutput {
  readonly path: string;
  readonly kind: ArtifactKind;
}

/** An artifact of a composing recipe: an output of a component, the recipe's own command line, or what is assembled. */
export interface ComposedOutput {
  readonly from:
    { readonly component: string; readonly output: string } | { readonly eif: EnclaveImage } | "cmdline";
  readonly kind: ArtifactKind;
}

/**
 * A platform to predict measurements for, with its shapes as axes (every combination is meant).
 * An axis that the recipe does not name is an empty list.
 */
export interface PlatformAxes {
  readonly platform: string;
  readonly vmm: string | undefined;
  /** A named epoch of the VMM; the VMM's default when undefined. */
  readonly profile: string | undefined;
  readonly vcpus: readonly number[];
  readonly cpu: readonly string[];
  readonly guestFeatures: readonly string[];
  readonly kernelHashes: boolean | undefined;
}

/** A recipe that runs steps. */
export interface BuildingRecipe {
  readonly form: "building";
  readonly name: string;
  readonly version: string;
  readonly source: readonly RecipeSource[];
  readonly toolchain: Toolchain;
  readonly env: Readonly<Record<string, string>>;
  readonly steps: readonly Step[];
  readonly outputs: Readonly<Record<string, BuiltOutput>>;
  readonly platforms: readonly PlatformAxes[];
}

/** A recipe that joins the artifacts of other recipes. */
export interface ComposingRecipe {
  readonly form: "composing";
  readonly name: string;
  readonly version: string;
  /** Component name -> path of its recipe, relative to this one; empty where everything stands beside the recipe. */
  readonly components: Readonly<Record<string, string>>;
  readonly cmdline: string | undefined;
  readonly outputs: Readonly<Record<string, ComposedOutput>>;
  readonly platforms: readonly PlatformAxes[];
}

/** What a `*.recipe.yaml` says. */
export type Recipe = BuildingRecipe | ComposingRecipe;
