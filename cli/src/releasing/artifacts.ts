/**
 * The artifacts of a build with both digests. Their bytes stay in the store: an enclave image has gigabytes.
 * @module
 */
import { createReadStream } from "node:fs";

import type { BuildResult } from "@bootproof/builder";
import { formatHex, startHash } from "@bootproof/bytes";
import type { Artifact, ArtifactKind } from "@bootproof/statement";

import { EXIT } from "../frame/exit-code.ts";
import { Failure } from "../frame/failure.ts";
import type { OpenStore } from "../places/store-place.ts";

/** An artifact whose bytes lie in the store. */
export interface LoadedArtifact extends Artifact {
  /** Its file in the store; not to be written to. */
  readonly path: string;
  /** The bytes, read whole each time: for those that are hashed in memory anyway. */
  readonly bytes: () => Promise<Uint8Array>;
}

const CHUNK = 1024 * 1024;

/** Finds every output of a build in the store and hashes it, sorted by name. */
export async function loadArtifacts(
  store: OpenStore,
  outputs: BuildResult["outputs"],
): Promise<LoadedArtifact[]> {
  const loaded: LoadedArtifact[] = [];
  for (const [name, { kind, sha256, size }] of Object.entries(outputs)) {
    const path = store.blobs.path(sha256);
    const digests = await hashFile(path).catch((cause: unknown) => {
      throw isAbsent(cause) ? gone(name, path) : cause;
    });
    if (digests.sha256 !== sha256) {
      const hint = "delete this file and run the command again; `bootproof store verify` checks all others";
      const detail = { file: path, expected: `sha256 ${sha256}`, found: `sha256 ${digests.sha256}`, hint };
      throw new Failure("BP-STORE-004", EXIT.malformed, `the stored artifact ${name} is damaged`, detail);
    }
    const bytes = async (): Promise<Uint8Array> => {
      const read = await store.blobs.get(sha256);
      if (read === undefined) throw gone(name, path);
      return read;
    };
    loaded.push({ name, kind, size, sha256, sha384: digests.sha384, path, bytes });
  }
  return loaded.sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function hashFile(path: string): Promise<{ sha256: string; sha384: string }> {
  const [short, long] = [startHash("sha256"), startHash("sha384")];
  for await (const chunk of createReadStream(path, { highWaterMark: CHUNK }) as AsyncIterable<Uint8Array>) {
    short.update(chunk);
    long.update(chunk);
  }
  return { sha256: formatHex(short.digest()), sha384: formatHex(long.digest()) };
}

const isAbsent = (cause: unknown): boolean =>
  cause instanceof Error && "code" in cause && cause.code === "ENOENT";

function gone(name: string, file: string): Failure {
  return new Failure("BP-STORE-009", EXIT.noInput, `artifact ${name} is no longer in the store`, { file });
}

/** The one artifact of a kind, undefined when there is none; two of a kind cannot be booted at once. */
export function onlyArtifact<A extends Pick<Artifact, "name" | "kind">>(
  artifacts: readonly A[],
  kind: ArtifactKind,
): A | undefined {
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
