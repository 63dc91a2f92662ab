/**
 * The JSON documents of an image: OCI image-spec 1.1 (descriptor.md, image-index.md, manifest.md, config.md), docker's
 * manifest list and manifest of schema 2, and the manifest.json of `docker save`. Only what we use is checked; fields
 * that we do not know may be there.
 * @module
 */
import { ParseError, parseStrictJson, quote } from "@bootproof/bytes";
import * as v from "valibot";
import { BuildError } from "../build-error.ts";
import type { ImagePlatform } from "./image-platform.ts";
import type { ImageConfig } from "./image.ts";

/** Registries take no larger manifest; configurations grow with their history. */
export const MAX_DOCUMENT: number = 8 * 2 ** 20;

const digest = v.pipe(v.string(), v.regex(/^sha256:[0-9a-f]{64}$/, "a digest sha256:<64 hex digits>"));
const size = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(Number.MAX_SAFE_INTEGER));
const text = v.nullish(v.string(), "");
const list = v.nullish(v.array(v.string()), []);

const some = v.optional(v.unknown());

type Reads<T> = v.GenericSchema<unknown, T>;

/** A pointer to a blob. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly platform?: ImagePlatform | null | undefined;
  readonly annotations?: Readonly<Record<string, string>> | null | undefined;
  readonly artifactType?: string | undefined;
}

/** A list of manifests. */
export interface ImageIndex {
  readonly mediaType?: string | undefined;
  readonly manifests: readonly Descriptor[];
}

/** What an image consists of. */
export interface ImageManifest {
  readonly mediaType?: string | undefined;
  readonly artifactType?: string | undefined;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

/** What `docker save` says of its images. */
export type DockerManifest = readonly {
  readonly Config: string;
  readonly Layers: readonly string[];
}[];

interface Settings {
  readonly Entrypoint: readonly string[];
  readonly Cmd: readonly string[];
  readonly Env: readonly string[];
  readonly WorkingDir: string;
  readonly User: string;
  readonly Volumes?: unknown;
  readonly ExposedPorts?: unknown;
  readonly Healthcheck?: unknown;
  readonly StopSignal?: unknown;
}

interface Configuration {
  readonly os?: string | undefined;
  readonly architecture?: string | undefined;
  readonly variant?: string | undefined;
  readonly rootfs: { readonly type: "layers"; readonly diff_ids: readonly string[] };
  readonly config?: Settings | null | undefined;
}

const descriptor: Reads<Descriptor> = v.object({
  mediaType: v.string(),
  digest,
  size,
  platform: v.nullish(
    v.object({ os: v.string(), architecture: v.string(), variant: v.optional(v.string(), "") }),
  ),
  annotations: v.nullish(v.record(v.string(), v.string())),
  artifactType: v.optional(v.string()),
});
const index: Reads<ImageIndex> = v.object({
  schemaVersion: v.literal(2),
  mediaType: v.optional(v.string()),
  manifests: v.array(descriptor),
});
const manifest: Reads<ImageManifest> = v.object({
  schemaVersion: v.literal(2),
  mediaType: v.optional(v.string()),
  artifactType: v.optional(v.string()),
  config: descriptor,
  layers: v.array(descriptor),
});
const settings: Reads<Settings> = v.object({
  Entrypoint: list,
  Cmd: list,
  Env: list,
  WorkingDir: text,
  User: text,
  Volumes: some,
  ExposedPorts: some,
  Healthcheck: some,
  StopSignal: some,
});
const config: Reads<Configuration> = v.object({
  os: v.optional(v.string()),
  architecture: v.optional(v.string()),
  variant: v.optional(v.string()),
  rootfs: v.object({ type: v.literal("layers"), diff_ids: v.array(digest) }),
  config: v.nullish(settings),
});
const dockerManifest: Reads<DockerManifest> = v.pipe(
  v.array(v.object({ Config: v.string(), Layers: list })),
  v.minLength(1),
);

/** Media types of an index. */
export const INDEX_TYPES: readonly string[] = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
];
/** Media types of a manifest. */
export const MANIFEST_TYPES: readonly string[] = [
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
];
/** Media types of a configuration. */
export const CONFIG_TYPES: readonly string[] = [
  "application/vnd.oci.image.config.v1+json",
  "application/vnd.docker.container.image.v1+json",
];

/** Reads an index; throws {@link BuildError} BP-IMAGE-002. */
export function parseIndex(bytes: Uint8Array, file: string, mediaType?: string): ImageIndex {
  return checkType(readAs(index, bytes, "image index", file), mediaType, INDEX_TYPES, file);
}

/** Reads a manifest; throws {@link BuildError} BP-IMAGE-002. */
export function parseManifest(bytes: Uint8Array, file: string, mediaType?: string): ImageManifest {
  return checkType(readAs(manifest, bytes, "image manifest", file), mediaType, MANIFEST_TYPES, file);
}

/** Reads a manifest.json; throws {@link BuildError} BP-IMAGE-002. */
export const parseDockerManifest = (bytes: Uint8Array, file: string): DockerManifest =>
  readAs(dockerManifest, bytes, "manifest.json", file);

/** Reads a configuration; throws {@link BuildError} BP-IMAGE-002. */
export function parseConfig(bytes: Uint8Array, file: string): ImageConfig {
  const {
    os,
    architecture,
    variant,
    rootfs,
    config: run,
  } = readAs(config, bytes, "image configuration", file);
  const ignored = { Volumes: run?.Volumes, ExposedPorts: run?.ExposedPorts };
  const settings = { Healthcheck: run?.Healthcheck, StopSignal: run?.StopSignal };
  return {
    os,
    architecture,
    variant,
    entrypoint: run?.Entrypoint ?? [],
    cmd: run?.Cmd ?? [],
    env: run?.Env ?? [],
    workingDir: run?.WorkingDir ?? "",
    user: run?.User ?? "",
    diffIds: rootfs.diff_ids.map(hexOf),
    ignored: Object.entries({ ...ignored, ...settings }).flatMap(([name, value]) =>
      isEmpty(value) ? [] : [name],
    ),
  };
}

/** Reads the file that makes a folder a layout; throws {@link BuildError} BP-IMAGE-002. */
export function checkLayoutVersion(bytes: Uint8Array, file: string): void {
  const { imageLayoutVersion } = readAs(
    v.object({ imageLayoutVersion: v.string() }),
    bytes,
    "oci-layout",
    file,
  );
  if (!/^1\.[0-9]+\.[0-9]+$/.test(imageLayoutVersion))
    throw new BuildError("BP-IMAGE-002", "an OCI layout of another version", {
      file,
      expected: "1.x",
      found: quote(imageLayoutVersion),
    });
}

/** The hex digits of a digest. */
export const hexOf = (name: string): string => name.slice("sha256:".length);

const isEmpty = (value: unknown): boolean =>
  value === null ||
  value === undefined ||
  value === "" ||
  (typeof value === "object" && Object.keys(value).length === 0);

function readAs<T>(schema: Reads<T>, bytes: Uint8Array, what: string, file: string): T {
  try {
    const value = parseStrictJson(bytes, what, MAX_DOCUMENT);
    checkOneKind(value, what);
    const result = v.safeParse(schema, value);
    if (result.success) return result.output;
    const issues = result.issues.map((issue) => `${v.getDotPath(issue) ?? what}: ${issue.message}`);
    throw new BuildError("BP-IMAGE-002", `malformed ${what}: ${issues[0] ?? ""}`, { file, issues });
  } catch (cause) {
    if (!(cause instanceof ParseError)) throw cause;
    throw new BuildError("BP-IMAGE-002", cause.message, {
      file,
      ...(cause.offset === undefined ? {} : { offset: cause.offset }),
      cause,
    });
  }
}

/** A document that is index and manifest at once means one to some tools and the other to others (CVE-2021-41190). */
function checkOneKind(value: unknown, what: string): void {
  if (typeof value !== "object" || value === null) return;
  if ("manifests" in value && ("layers" in value || "config" in value))
    throw new ParseError("OUT_OF_RANGE", what, { expected: "either an index or a manifest", found: "both" });
}

function checkType<T extends { readonly mediaType?: string | undefined }>(
  document: T,
  said: string | undefined,
  known: readonly string[],
  file: string,
): T {
  const { mediaType } = document;
  const expected = said ?? known.join(" or ");
  if (mediaType !== undefined && (said === undefined ? !known.includes(mediaType) : mediaType !== said))
    throw new BuildError("BP-IMAGE-002", "a document of another media type than its name in the image says", {
      file,
      expected,
      found: quote(mediaType),
    });
  return document;
}
