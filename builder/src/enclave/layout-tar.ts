/**
 * An OCI layout's folder as one tar that is the same on every machine: its two documents and the blobs that a
 * recipe's images need. A folder may hold many images; a release is pinned to what it uses.
 * @module
 */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { BuildError } from "../build-error.ts";
import type { Image } from "../image/image.ts";
import { writeTar, type TarInput } from "./tar-write.ts";

const DOCUMENTS = ["index.json", "oci-layout"] as const;

/** The tar of what `images` need of the layout in `folder`, which they were opened from. */
export async function* layoutTar(
  folder: string,
  images: readonly Image[],
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const blobs = images.flatMap((image) => image.blobs.map(({ sha256 }) => `blobs/sha256/${sha256}`));
  const entries: TarInput[] = [];
  for (const name of new Set([...DOCUMENTS, ...blobs].sort())) {
    const path = join(folder, name);
    const { size } = await stat(path).catch((cause: unknown) => {
      const hint = "name the archive itself, or a folder with oci-layout, index.json and blobs";
      throw new BuildError("BP-ENCLAVE-001", `${folder}: is no OCI layout`, { file: path, hint, cause });
    });
    entries.push({ name, mode: 0o644, content: { type: "file", path, size } });
  }
  yield* writeTar(entries, signal);
}
