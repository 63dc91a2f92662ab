/**
 * Goes from an index to the one manifest that is meant: image-index.md. Indexes may hold indexes; manifests that are
 * no images (attestations of buildkit, artifacts) are passed over; a pin may name anything on the way.
 * @module
 */
import { BuildError } from "../build-error.ts";
import { type FindBlob, placeBlob, readDocument } from "./image-blobs.ts";
import {
  CONFIG_TYPES,
  type Descriptor,
  type ImageIndex,
  type ImageManifest,
  INDEX_TYPES,
  MANIFEST_TYPES,
  parseIndex,
  parseManifest,
} from "./image-documents.ts";
import { fitsPlatform, formatPlatform, type ImagePlatform } from "./image-platform.ts";
import type { ImageBlob } from "./image.ts";

/** A manifest, and the indexes that lead to it. */
export interface ChosenManifest {
  readonly manifest: ImageManifest;
  readonly blob: ImageBlob;
  readonly indexes: readonly ImageBlob[];
}

interface Candidate extends ChosenManifest {
  readonly platform: Descriptor["platform"];
  /** Whether the pin names it, its configuration or something above it. */
  readonly pinned: boolean;
}

/** What to choose by. */
export interface Choice {
  readonly pin: string | undefined;
  readonly platform: ImagePlatform;
  /** What errors name. */
  readonly file: string;
}

const MAX_LEVELS = 8;
const MAX_MANIFESTS = 4096;

/** Chooses; throws {@link BuildError} BP-IMAGE-002 to 008. */
export async function chooseManifest(
  find: FindBlob,
  top: ImageIndex,
  choice: Choice,
): Promise<ChosenManifest> {
  const candidates = await new Collector(find, choice).collect(top);
  const { pin, file, platform } = choice;
  const meant = candidates.filter(({ pinned }) => pin === undefined || pinned);
  if (meant.length === 0 && pin !== undefined)
    throw new BuildError("BP-IMAGE-007", "nothing in the image has the pinned digest", {
      file,
      expected: pin,
      issues: describe(candidates),
    });
  const fitting = meant.filter((one) => one.platform == null || fitsPlatform(one.platform, platform));
  const [chosen, ...others] = distinct(fitting);
  if (chosen === undefined)
    throw new BuildError("BP-IMAGE-005", "the image has no part for the platform", {
      file,
      expected: formatPlatform(platform),
      issues: describe(meant),
    });
  if (others.length > 0)
    throw new BuildError("BP-IMAGE-006", "several images are for the platform", {
      file,
      expected: "one, pinned by its digest",
      issues: describe([chosen, ...others]),
    });
  return chosen;
}

class Collector {
  readonly #find: FindBlob;
  readonly #choice: Choice;
  readonly #found: Candidate[] = [];
  #seen = 0;

  constructor(find: FindBlob, choice: Choice) {
    this.#find = find;
    this.#choice = choice;
  }

  async collect(top: ImageIndex): Promise<readonly Candidate[]> {
    await this.#index(top, [], false);
    return this.#found;
  }

  async #index({ manifests }: ImageIndex, above: readonly ImageBlob[], pinned: boolean): Promise<void> {
    if (above.length > MAX_LEVELS)
      throw this.#malformed("indexes within indexes", `at most ${MAX_LEVELS} levels`);
    for (const descriptor of manifests) {
      if (++this.#seen > MAX_MANIFESTS)
        throw this.#malformed("too many manifests", `at most ${MAX_MANIFESTS}`);
      const named = pinned || descriptor.digest === this.#choice.pin;
      if (INDEX_TYPES.includes(descriptor.mediaType)) await this.#nested(descriptor, above, named);
      else if (isImage(descriptor)) await this.#manifest(descriptor, above, named);
      else if (descriptor.digest === this.#choice.pin) throw this.#unsupported(descriptor);
    }
  }

  async #nested(descriptor: Descriptor, above: readonly ImageBlob[], pinned: boolean): Promise<void> {
    const blob = placeBlob(this.#find, descriptor, "index", this.#choice.file);
    const index = parseIndex(await readDocument(blob), blob.place.path, descriptor.mediaType);
    await this.#index(index, [...above, blob], pinned);
  }

  /** Copies of one platform leave the others' manifests out: what is not for us need not be there. */
  async #manifest(descriptor: Descriptor, indexes: readonly ImageBlob[], pinned: boolean): Promise<void> {
    const { platform, digest } = descriptor;
    const other = platform != null && !fitsPlatform(platform, this.#choice.platform);
    if (other && this.#find(digest.slice("sha256:".length)) === undefined) return;
    const blob = placeBlob(this.#find, descriptor, "manifest", this.#choice.file);
    const manifest = parseManifest(await readDocument(blob), blob.place.path, descriptor.mediaType);
    const named = pinned || manifest.config.digest === this.#choice.pin;
    if (manifest.artifactType !== undefined || !CONFIG_TYPES.includes(manifest.config.mediaType)) {
      if (named && this.#choice.pin !== undefined) throw this.#unsupported(manifest.config);
      return;
    }
    this.#found.push({ manifest, blob, indexes, platform, pinned: named });
  }

  #malformed(what: string, expected: string): BuildError {
    return new BuildError("BP-IMAGE-002", what, { file: this.#choice.file, expected });
  }

  #unsupported({ digest, mediaType }: Descriptor): BuildError {
    return new BuildError("BP-IMAGE-008", `${digest} is no image`, {
      file: this.#choice.file,
      expected: [...INDEX_TYPES, ...MANIFEST_TYPES].join(", "),
      found: mediaType,
    });
  }
}

/** Attestations of buildkit stand beside the images they are about, for a platform that does not exist. */
const isImage = ({ mediaType, platform, annotations, artifactType }: Descriptor): boolean =>
  MANIFEST_TYPES.includes(mediaType) &&
  artifactType === undefined &&
  platform?.os !== "unknown" &&
  annotations?.["vnd.docker.reference.type"] === undefined;

/** One image under several names is one image. */
function distinct(candidates: readonly Candidate[]): Candidate[] {
  return [...new Map(candidates.map((one) => [one.blob.sha256, one])).values()];
}

const describe = (candidates: readonly Candidate[]): string[] =>
  candidates.map(
    ({ blob, platform }) => `sha256:${blob.sha256}${platform == null ? "" : ` ${formatPlatform(platform)}`}`,
  );
