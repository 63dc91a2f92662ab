/**
 * The artifacts of a build with their bytes and both digests.
 * @module
 */
import type { BuildResult } from "@bootproof/builder";
import { formatHex, sha384 } from "@bootproof/bytes";
import type { Artifact, ArtifactKind } from "@bootproof/statement";

import { EXIT } from "../frame/exit-code.ts";
import { Failure } from "../frame/failure.ts";
import type { OpenStore } from "../places/store-place.ts";

/** An artifact in memory. */
export interface LoadedArtifact extends Artifact {
  readonly bytes: Uint8Array;
}

/** Reads every output of a build from the store, sorted by name. */
export async function loadArtifacts(
  store: OpenStore,
  outputs: BuildResult["outputs"],
): Promise<LoadedArtifact[]> {
  const loaded: LoadedArtifact[] = [];
  for (const [name, { kind, sha256, size }] of Object.entries(outputs)) {
    const bytes = await store.blobs.get(sha256);
    if (bytes === undefined) {
      const file = store.blobs.path(sha256);
      throw new Failure("BP-STORE-009", EXIT.noInput, `artifact ${name} is no longer in the store`, { file });
    }
    loaded.push({ name, kind, size, sha256, sha384: formatHex(sha384(bytes)), bytes });
  }
  return loaded.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The one artifact of a kind, undefined when there is none; two of a kind cannot be booted at once. */
export function onlyArtifact(
  artifacts: readonly LoadedArtifact[],
  kind: ArtifactKind,
): LoadedArtifact | undefined {
  const [first, second] = artifacts.filter((artifact) => artifact.kind === kind);
  if (second === undefined) return first;
  throw new Failure(
    "BP-RELEASE-001",
    EXIT.badConfig,
    `two outputs are ${kind}, and a measurement needs one`,
    {
      found: `${first?.name ?? ""} and ${second.name}`,
      hint: "keep one of them, or give the other the kind: file",
    },
  );
}
