/**
 * What an image is to us: a configuration and layers, each a verified slice of a file, however it was packed.
 * OCI Image Format Specification 1.1 (image-layout.md, image-index.md, manifest.md, config.md, layer.md).
 * @module
 */
import type { ImageFindingCode } from "./image-error-code.ts";

/** How a layer is compressed. */
export type LayerCompression = "none" | "gzip" | "zstd";

/** Bytes that lie in a file: a blob of a layout folder, or a member of an archive. */
export interface FileSlice {
  readonly path: string;
  readonly offset: number;
  readonly size: number;
}

/** What a part of an image is. */
export type ImageBlobRole = "index" | "manifest" | "config" | "layer";

/** A part of an image by digest, as a lock pins it. */
export interface ImageBlob {
  readonly role: ImageBlobRole;
  /** Lower-case hex of the bytes as they lie there, compressed or not. */
  readonly sha256: string;
  readonly size: number;
  readonly place: FileSlice;
}

/** A layer, the lowest first. */
export interface ImageLayer extends ImageBlob {
  readonly role: "layer";
  readonly compression: LayerCompression;
  /** SHA-256 of the uncompressed tar, lower-case hex. */
  readonly diffId: string;
}

/** What the configuration says about running the image, as it says it. */
export interface ImageConfig {
  readonly os: string | undefined;
  readonly architecture: string | undefined;
  readonly variant: string | undefined;
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
  readonly env: readonly string[];
  readonly workingDir: string;
  readonly user: string;
  readonly diffIds: readonly string[];
  /** Names of further settings that are not empty: Volumes, ExposedPorts, Healthcheck, StopSignal. */
  readonly ignored: readonly string[];
}

/** Something that the reader of a ramdisk should know; it stops nothing. */
export interface ImageFinding {
  readonly code: ImageFindingCode;
  readonly message: string;
}

/** An image whose documents were read and checked; its layers are checked when they are unpacked. */
export interface Image {
  readonly kind: "image";
  readonly path: string;
  /** `sha256:<hex>` of the configuration: the image id that docker prints, the same in every packing. */
  readonly id: string;
  /** `sha256:<hex>` of the manifest, when there is one. */
  readonly manifest: string | undefined;
  readonly config: ImageConfig;
  readonly layers: readonly ImageLayer[];
  /** Every part that the image needs, each once: manifests leading to it, configuration, layers. */
  readonly blobs: readonly ImageBlob[];
  readonly findings: readonly ImageFinding[];
}

/** A root folder without configuration: a directory, or a tar of one. */
export interface Folder {
  readonly kind: "directory" | "tar";
  readonly path: string;
}

/** What a caller may say about opening an image. */
export interface OpenImageOptions {
  /** `sha256:<hex>` of an index, a manifest or a configuration (docker's image id). */
  readonly digest?: string;
  /** `linux/amd64` (when absent) or `linux/arm64`. */
  readonly platform?: string;
}

/** What a caller may say about a ramdisk. */
export interface RamdiskOptions {
  /** Seconds since 1970 of every entry; 0 when absent. */
  readonly mtime?: number;
  /** Folder of the ramdisk that the files are put in, `rootfs` when absent; empty means the files alone. */
  readonly prefix?: string;
  /** Which program an image runs: what OCI says, or CMD alone as nitro-cli takes it. OCI when absent. */
  readonly argv?: "oci" | "nitro-cli";
  /** Arguments instead of the image's. */
  readonly cmd?: readonly string[];
  /** `NAME=VALUE`, instead of the image's. */
  readonly env?: readonly string[];
  readonly cwd?: string;
  /** `name`, `uid`, `name:group` or `uid:gid`, as the image's own. */
  readonly user?: string;
  readonly limits?: ImageLimits;
  /** Where layers are unpacked to, into files that have no name; the machine's folder for temporary files when absent. */
  readonly workFolder?: string;
  readonly signal?: AbortSignal;
}

/** A ramdisk that was planned: everything is checked but the contents of a folder's files, which are read once. */
export interface Ramdisk {
  /** Bytes of the archive. */
  readonly size: number;
  readonly entries: number;
  readonly findings: readonly ImageFinding[];
  /** The archive's bytes; may be read several times. */
  chunks(): AsyncGenerator<Uint8Array>;
  /** Gives back what the layers were unpacked to. */
  close(): Promise<void>;
}

/** A ramdisk that was written. */
export interface WrittenRamdisk {
  readonly size: number;
  readonly sha256: string;
  readonly entries: number;
  readonly findings: readonly ImageFinding[];
}

/** Limits on an image and its tree. */
export interface ImageLimits {
  /** Uncompressed bytes of all layers. */
  readonly totalSize: number;
  /** Uncompressed bytes for each compressed one, counted beyond {@link ImageLimits.ratioFrom}. */
  readonly ratio: number;
  readonly ratioFrom: number;
  /** Entries of all layers together. */
  readonly entries: number;
  readonly layers: number;
}

/** 64 GiB, 1:500 beyond 256 MiB, two million entries, 512 layers: several times the largest images there are. */
export const IMAGE_LIMITS: ImageLimits = {
  totalSize: 2 ** 36,
  ratio: 500,
  ratioFrom: 2 ** 28,
  entries: 2_000_000,
  layers: 512,
};
