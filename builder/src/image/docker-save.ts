/**
 * What `docker save` writes without an OCI layout, and podman, skopeo, crane and Bazel after it: manifest.json names a
 * configuration and layers by the paths of members. There are no digests but those of the uncompressed layers, which
 * the configuration holds, and the configuration's own, which is the image id.
 * @module
 */
import { formatHex, sha256 as hashBytes } from "@bootproof/bytes";
import { BuildError } from "../build-error.ts";
import { type DockerManifest, MAX_DOCUMENT } from "./image-documents.ts";
import type { ImageMembers } from "./image-members.ts";
import type { FileSlice, ImageBlob } from "./image.ts";
import { SliceReader } from "./slice-reader.ts";

/** The image that is meant, by where its parts lie. */
export interface SavedImage {
  readonly config: ImageBlob;
  readonly configBytes: Uint8Array;
  readonly layers: readonly FileSlice[];
}

/** Chooses an image of a manifest.json; throws {@link BuildError} BP-IMAGE-002 to 007. */
export function chooseSaved(
  members: ImageMembers,
  manifest: DockerManifest,
  pin: string | undefined,
): SavedImage {
  const images = new Map<string, SavedImage>();
  for (const { Config, Layers } of manifest) {
    const image = readSaved(members, Config, Layers);
    images.set(`sha256:${image.config.sha256}`, image);
  }
  const issues = [...images.keys()];
  if (pin !== undefined) {
    const pinned = images.get(pin);
    if (pinned !== undefined) return pinned;
    throw new BuildError("BP-IMAGE-007", "no image of this archive has the pinned image id", {
      file: members.path,
      expected: pin,
      issues,
      hint: "docker save keeps no manifest of a registry: pin the image id, which docker images --no-trunc prints",
    });
  }
  const [image, ...others] = images.values();
  if (image === undefined || others.length > 0)
    throw new BuildError("BP-IMAGE-006", "several images are in the archive", {
      file: members.path,
      expected: "one, pinned by its image id",
      issues,
    });
  return image;
}

function readSaved(members: ImageMembers, name: string, layers: readonly string[]): SavedImage {
  const place = findMember(members, name);
  const bytes = readSmall(place, name);
  const sha256 = formatHex(hashBytes(bytes));
  // The member is called by its digest: abc.json, blobs/sha256/abc, or sha256:abc.
  const [named] = /[0-9a-f]{64}/.exec(name) ?? [];
  if (named !== undefined && named !== sha256)
    throw new BuildError("BP-IMAGE-004", "the configuration is not the one that its name says", {
      file: members.path,
      offset: place.offset,
      expected: `sha256:${named}`,
      found: `sha256:${sha256}`,
    });
  const config: ImageBlob = { role: "config", sha256, size: place.size, place };
  return { config, configBytes: bytes, layers: layers.map((layer) => findMember(members, layer)) };
}

function findMember(members: ImageMembers, name: string): FileSlice {
  const place = members.find(name);
  if (place !== undefined) return place;
  throw new BuildError("BP-IMAGE-003", "a part of the image is missing", {
    file: members.path,
    expected: name,
  });
}

/** The bytes of a document; throws {@link BuildError} BP-IMAGE-002 for a large one. */
export function readSmall(place: FileSlice, name: string): Uint8Array {
  if (place.size > MAX_DOCUMENT)
    throw new BuildError("BP-IMAGE-002", `${name} is too large`, {
      file: place.path,
      expected: `at most ${MAX_DOCUMENT} bytes`,
      found: `${place.size}`,
    });
  const reader = SliceReader.open(place);
  try {
    return reader.read(0, place.size).slice();
  } finally {
    reader.close();
  }
}
