/**
 * A file of a release: its name and kind, its size, its digests.
 * @module
 */
import * as v from "valibot";
import type { Schema } from "./schema.ts";

/** What an artifact is to a booting machine. */
export const ARTIFACT_KINDS = ["firmware", "kernel", "initrd", "cmdline", "uki", "eif", "file"] as const;

/** One of {@link ARTIFACT_KINDS}. */
export type ArtifactKind = (typeof ARTIFACT_KINDS)[number];

/** An artifact with both digests, lower-case hex. */
export interface Artifact {
  readonly name: string;
  readonly kind: ArtifactKind;
  readonly size: number;
  readonly sha256: string;
  readonly sha384: string;
}

/** {@link ArtifactKind}. */
export const artifactKind: Schema<ArtifactKind> = v.picklist(ARTIFACT_KINDS);
