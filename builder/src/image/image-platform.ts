/**
 * Which platform an image is for: image-index.md, property `platform`, with Go's names.
 * @module
 */
import { quote } from "@bootproof/bytes";
import { BuildError } from "../build-error.ts";

/** Operating system, architecture, and perhaps a variant. */
export interface ImagePlatform {
  readonly os: string;
  readonly architecture: string;
  readonly variant: string;
}

/** What an enclave of today runs on when nobody says otherwise. */
export const DEFAULT_PLATFORM = "linux/amd64";

/** Variants that mean the same as none. */
const BASE_VARIANTS: Readonly<Record<string, string>> = { amd64: "v1", arm64: "v8" };

/** Reads `os/architecture` or `os/architecture/variant`; throws {@link BuildError} BP-IMAGE-005. */
export function parsePlatform(text: string): ImagePlatform {
  const [, os, architecture, variant = ""] = /^([a-z0-9]+)\/([a-z0-9]+)(?:\/([a-z0-9.]+))?$/.exec(text) ?? [];
  if (os === undefined || architecture === undefined)
    throw new BuildError("BP-IMAGE-005", "not a platform", {
      expected: "linux/amd64 or linux/arm64",
      found: quote(text),
    });
  return normal({ os, architecture, variant });
}

/** Whether an image for `given` is one for `wanted`; without a wanted variant only the base variant is. */
export function fitsPlatform(given: ImagePlatform, wanted: ImagePlatform): boolean {
  const { os, architecture, variant } = normal(given);
  return os === wanted.os && architecture === wanted.architecture && variant === wanted.variant;
}

/** A platform as it is written. */
export const formatPlatform = ({ os, architecture, variant }: ImagePlatform): string =>
  [os, architecture, ...(variant === "" ? [] : [variant])].join("/");

function normal({ os, architecture, variant }: ImagePlatform): ImagePlatform {
  return { os, architecture, variant: variant === BASE_VARIANTS[architecture] ? "" : variant };
}
