/**
 * Opens an image however it is packed: an OCI layout as folder or tar, or a tar of `docker save` of any age.
 * Documents are verified here, layers when they are unpacked.
 * @module
 */
import { formatHex, sha256 } from "@bootproof/bytes";
import { BuildError } from "../build-error.ts";
import { type ChosenManifest, chooseManifest } from "./choose-manifest.ts";
import { chooseSaved, readSmall, type SavedImage } from "./docker-save.ts";
import { type FindBlob, parsePin, placeBlob, readDocument } from "./image-blobs.ts";
import {
  checkLayoutVersion,
  type Descriptor,
  type DockerManifest,
  parseConfig,
  parseDockerManifest,
  parseIndex,
} from "./image-documents.ts";
import { type ImageMembers, openMembers } from "./image-members.ts";
import { DEFAULT_PLATFORM, fitsPlatform, formatPlatform, parsePlatform } from "./image-platform.ts";
import {
  type FileSlice,
  type Image,
  type ImageBlob,
  type ImageConfig,
  type ImageFinding,
  type ImageLayer,
  IMAGE_LIMITS,
  type LayerCompression,
  type OpenImageOptions,
} from "./image.ts";
import { hashSlice } from "./layer-spool.ts";
import { SliceReader } from "./slice-reader.ts";

/** Layers by media type, and what they say of their compression; docker's and OCI's. */
const LAYER_TYPES: Readonly<Record<string, LayerCompression>> = {
  "application/vnd.oci.image.layer.v1.tar": "none",
  "application/vnd.oci.image.layer.v1.tar+gzip": "gzip",
  "application/vnd.oci.image.layer.v1.tar+zstd": "zstd",
  "application/vnd.docker.image.rootfs.diff.tar": "none",
  "application/vnd.docker.image.rootfs.diff.tar.gzip": "gzip",
  "application/vnd.docker.image.rootfs.diff.tar.zstd": "zstd",
};

/** Opens the image at `path`; throws {@link BuildError} BP-IMAGE-001 to 010 or 014. */
export async function openImage(path: string, options: OpenImageOptions = {}): Promise<Image> {
  const members = openMembers(path);
  const pin = parsePin(options.digest);
  const platform = options.platform ?? DEFAULT_PLATFORM;
  parsePlatform(platform);
  const layout = members.find("oci-layout");
  const saved = members.find("manifest.json");
  const manifest = saved && parseDockerManifest(readSmall(saved, "manifest.json"), path);
  if (layout !== undefined) return openLayout(members, layout, { pin, platform, manifest });
  if (manifest !== undefined) return openSaved(path, chooseSaved(members, manifest, pin), platform);
  throw new BuildError("BP-IMAGE-001", `${path} holds no container image`, {
    file: path,
    expected: "oci-layout and index.json, or manifest.json of docker save",
  });
}

interface LayoutChoice {
  readonly pin: string | undefined;
  readonly platform: string;
  readonly manifest: DockerManifest | undefined;
}

async function openLayout(
  members: ImageMembers,
  layout: FileSlice,
  { pin, platform, manifest: saved }: LayoutChoice,
): Promise<Image> {
  const { path } = members;
  checkLayoutVersion(readSmall(layout, "oci-layout"), path);
  const place = members.find("index.json");
  if (place === undefined)
    throw new BuildError("BP-IMAGE-003", "the layout has no index.json", { file: path });
  const bytes = readSmall(place, "index.json");
  const find: FindBlob = (sha256) => members.find(`blobs/sha256/${sha256}`);
  // A pin of index.json itself pins all that is in it.
  const meant = pin === digestOf(bytes) ? undefined : pin;
  const choice = { pin: meant, platform: parsePlatform(platform), file: path };
  const chosen = await chooseManifest(find, parseIndex(bytes, path), choice);
  const config = placeBlob(find, chosen.manifest.config, "config", path);
  const parsed = parseConfig(await readDocument(config), config.place.path);
  const layers = chosen.manifest.layers.map((layer, index) =>
    layerOf(find, layer, parsed.diffIds[index], path),
  );
  const findings = saved === undefined ? [] : otherForDocker(saved, config, members);
  const above = [...chosen.indexes, chosen.blob];
  return makeImage({ path, config, parsed, layers, above, platform, findings, chosen });
}

function layerOf(
  find: FindBlob,
  descriptor: Descriptor,
  diffId: string | undefined,
  file: string,
): ImageLayer {
  const stated = LAYER_TYPES[descriptor.mediaType];
  if (stated === undefined)
    throw new BuildError("BP-IMAGE-008", "a layer of a kind that cannot be unpacked", {
      file,
      expected: Object.keys(LAYER_TYPES).join(", "),
      found: descriptor.mediaType,
    });
  const blob = placeBlob(find, descriptor, "layer", file);
  // Some builders say gzip of layers that are not; what comes out is checked against the configuration either way.
  const compression = stated === "none" ? "none" : detectCompression(blob.place);
  return { ...blob, role: "layer", compression, diffId: diffId ?? "" };
}

/** docker reads manifest.json where OCI tools read index.json; they should mean the same image. */
function otherForDocker(
  saved: DockerManifest,
  { sha256 }: ImageBlob,
  { path }: ImageMembers,
): readonly ImageFinding[] {
  if (saved.some(({ Config }) => Config.includes(sha256))) return [];
  const message = `${path}: manifest.json names ${saved.map(({ Config }) => Config).join(", ")}, and not the image of index.json`;
  return [{ code: "BP-IMAGE-108", message }];
}

async function openSaved(path: string, saved: SavedImage, platform: string): Promise<Image> {
  const parsed = parseConfig(saved.configBytes, path);
  const layers: ImageLayer[] = [];
  for (const [index, place] of saved.layers.entries()) {
    const diffId = parsed.diffIds[index] ?? "";
    const compression = detectCompression(place);
    // Only the uncompressed digest is known; of a compressed layer it is checked when it is unpacked.
    const hash = compression === "none" ? diffId : await hashSlice(place);
    layers.push({ role: "layer", sha256: hash, size: place.size, place, compression, diffId });
  }
  return makeImage({ path, config: saved.config, parsed, layers, above: [], platform });
}

interface ImageParts {
  readonly path: string;
  readonly config: ImageBlob;
  readonly parsed: ImageConfig;
  readonly layers: readonly ImageLayer[];
  readonly above: readonly ImageBlob[];
  readonly platform: string;
  readonly findings?: readonly ImageFinding[];
  readonly chosen?: ChosenManifest;
}

function makeImage({
  path,
  config,
  parsed,
  layers,
  above,
  platform,
  findings = [],
  chosen,
}: ImageParts): Image {
  if (layers.length !== parsed.diffIds.length)
    throw new BuildError("BP-IMAGE-009", "the configuration names another number of layers than there are", {
      file: path,
      expected: `${parsed.diffIds.length}`,
      found: `${layers.length}`,
    });
  if (layers.length > IMAGE_LIMITS.layers)
    throw new BuildError("BP-IMAGE-014", "the image has too many layers", {
      file: path,
      expected: `at most ${IMAGE_LIMITS.layers}`,
      found: `${layers.length}`,
    });
  const blobs = new Map([...above, config, ...layers].map((blob) => [blob.sha256, asBlob(blob)]));
  return {
    kind: "image",
    path,
    id: `sha256:${config.sha256}`,
    manifest: chosen === undefined ? undefined : `sha256:${chosen.blob.sha256}`,
    config: parsed,
    layers,
    blobs: [...blobs.values()],
    findings: [...findings, ...checkPlatform(parsed, platform, path)],
  };
}

const asBlob = ({ role, sha256, size, place }: ImageBlob): ImageBlob => ({ role, sha256, size, place });

function checkPlatform(
  { os, architecture, variant }: ImageConfig,
  wanted: string,
  file: string,
): ImageFinding[] {
  if (os === undefined || architecture === undefined || os === "" || architecture === "")
    return [{ code: "BP-IMAGE-106", message: `${file}: the configuration does not say its platform` }];
  const given = { os, architecture, variant: "" };
  const { variant: wantedVariant, ...base } = parsePlatform(wanted);
  if (fitsPlatform(given, { ...base, variant: "" })) return [];
  throw new BuildError("BP-IMAGE-005", "the image is for another platform", {
    file,
    expected: wanted,
    found: formatPlatform({ ...given, variant: wantedVariant === "" ? "" : (variant ?? "") }),
  });
}

/** How bytes are compressed, by their first ones. */
function detectCompression(place: FileSlice): LayerCompression {
  const reader = SliceReader.open(place);
  try {
    const magic = formatHex(reader.read(0, 4));
    if (magic.startsWith("1f8b")) return "gzip";
    // A zstd frame, or a frame to skip, as zstd:chunked begins.
    return magic === "28b52ffd" || /^5[0-9a-f]2a4d18$/.test(magic) ? "zstd" : "none";
  } finally {
    reader.close();
  }
}

const digestOf = (bytes: Uint8Array): string => `sha256:${formatHex(sha256(bytes))}`;
