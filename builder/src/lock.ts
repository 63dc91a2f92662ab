/**
 * The lock: every input of a recipe by hash, written by `bootproof lock` (design.md section 3).
 * This file is the data; lock-text.ts reads and prints its one spelling.
 * @module
 */
import type { DebianSuite } from "./recipe.ts";

/** One .deb of the input root. */
export interface LockedPackage {
  readonly name: string;
  readonly version: string;
  readonly arch: "amd64" | "all";
  readonly size: number;
  readonly sha256: string;
  /** Where it is under a mirror of the archive: `pool/...`. */
  readonly path: string;
}

/** Where a locked source file comes from. */
export type SourceOrigin =
  | { readonly kind: "pool"; readonly path: string }
  | { readonly kind: "file"; readonly path: string }
  /** A folder beside the recipe, as one canonical tar: all of it, or of an OCI layout what its image needs. */
  | { readonly kind: "folder" | "layout"; readonly path: string }
  | { readonly kind: "url"; readonly url: string }
  | { readonly kind: "git"; readonly url: string; readonly commit: string };

/** One file of /source. */
export interface LockedSource {
  /** Its name in /source, or its path or URL where there is no /source. */
  readonly name: string;
  readonly size: number;
  readonly sha256: string;
  readonly origin: SourceOrigin;
}

/** The signed Release of a suite that packages were resolved through. */
export interface LockedRelease {
  readonly suite: DebianSuite;
  /** The `Date` of Release, as written there. */
  readonly date: string;
  /** The `Valid-Until` of Release, when it has one. */
  readonly validUntil: string | undefined;
  /** True when `Valid-Until` had passed at the time of locking: the mirror was old. */
  readonly expired: boolean;
  /** Upper-case hex fingerprints of the archive keys whose signatures held, sorted. */
  readonly signedBy: readonly string[];
}

/** The part of a recipe that a lock answers; nothing else in the recipe can make a lock stale. */
export interface LockRequest {
  readonly suite: DebianSuite;
  readonly packages: readonly string[];
  /** One line a source, e.g. `debian edk2 2025.02-8+deb13u1 trixie`, sorted. */
  readonly sources: readonly string[];
}

/** The lock of a building recipe. */
export interface BuildingLock {
  readonly form: "building";
  readonly request: LockRequest;
  readonly releases: readonly LockedRelease[];
  readonly packages: readonly LockedPackage[];
  readonly sources: readonly LockedSource[];
}

/** A component of a composing lock: its recipe's path and the sha256 of its lock file. */
export interface LockedComponent {
  readonly name: string;
  readonly recipe: string;
  readonly lock: string;
}

/** The lock of a composing recipe. */
export interface ComposingLock {
  readonly form: "composing";
  readonly components: readonly LockedComponent[];
  /** What is taken from beside the recipe or from URLs, named by its path or URL; empty where all is from components. */
  readonly sources: readonly LockedSource[];
}

/** What a `*.lock.yaml` says. */
export type Lock = BuildingLock | ComposingLock;
