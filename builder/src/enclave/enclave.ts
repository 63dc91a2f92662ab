/**
 * What a recipe says of an enclave image: a kernel, a command line and ramdisks, each from a component, from beside
 * the recipe or from a URL; an OCI image or a plain folder becomes a ramdisk. This file is the data; enclave-schema.ts
 * reads it.
 * @module
 */
import type { ComposingRecipe } from "../recipe.ts";

/** Processors that enclaves run on, as an EIF's header tells them apart. */
export type EnclaveArchitecture = "x86_64" | "aarch64";

/** Every architecture. */
export const ENCLAVE_ARCHITECTURES: readonly EnclaveArchitecture[] = ["x86_64", "aarch64"];

/** An output of a component. */
export interface ComponentPart {
  readonly kind: "component";
  readonly component: string;
  readonly output: string;
}

/** A file beside the recipe or in a folder under it. */
export interface FilePart {
  readonly kind: "file";
  readonly path: string;
}

/** A file at a URL, pinned by hash in the recipe itself. */
export interface UrlPart {
  readonly kind: "url";
  readonly url: string;
  readonly sha256: string;
  readonly name: string;
}

/** What an enclave runs, where the recipe says so itself; an image says it in its configuration. */
export interface EnclaveProcess {
  /** Program and arguments. */
  readonly cmd: readonly string[] | undefined;
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string | undefined;
  /** A user, or a user and a group, by name or in digits. */
  readonly user: string | undefined;
}

/** A ramdisk from an OCI image: a layout, as a folder or a tar, or what `docker save` writes. */
export interface ImagePart extends EnclaveProcess {
  readonly kind: "image";
  readonly from: FilePart | UrlPart;
  /** The image's manifest or configuration; needed where the file holds several images. */
  readonly digest: string | undefined;
  /** Whose rule makes the argument list: OCI's ENTRYPOINT and CMD, or nitro-cli's CMD alone where there is one. */
  readonly argv: "oci" | "nitro-cli";
}

/** A ramdisk from a folder beside the recipe. */
export interface FolderPart extends EnclaveProcess {
  readonly kind: "folder";
  readonly path: string;
}

/** A ramdisk that holds a folder's files and nothing else, such as init itself. */
export interface CpioPart {
  readonly kind: "cpio";
  readonly path: string;
}

/** A ramdisk. */
export type RamdiskPart = ComponentPart | FilePart | UrlPart | ImagePart | FolderPart | CpioPart;

/** Who signed an image, and the signature: r and s, or the same as DER. */
export interface ImageSignature {
  readonly certificate: FilePart;
  readonly signature: FilePart;
}

/** An enclave image to assemble. */
export interface EnclaveImage {
  readonly architecture: EnclaveArchitecture;
  readonly kernel: ComponentPart | FilePart | UrlPart;
  /** Undefined: the recipe's own. */
  readonly cmdline: string | undefined;
  /** In the order of the file; the first counts into PCR1, all others into PCR2. */
  readonly ramdisks: readonly RamdiskPart[];
  /** ImageName of the metadata, which nothing measures; undefined: the recipe's name. */
  readonly name: string | undefined;
  /** ImageVersion of the metadata; undefined: the recipe's version. */
  readonly version: string | undefined;
  /** BuildTime of the metadata; undefined: the beginning of 1970. */
  readonly buildTime: string | undefined;
  /** A signature that somebody made of this image's PCR0, so that no rebuilder needs the key. */
  readonly signature: ImageSignature | undefined;
}

/** An image beside a recipe, and which one of those in the file or folder. */
export interface PinnedImage {
  readonly kind: "image";
  readonly path: string;
  readonly digest: string | undefined;
  readonly platform: ImagePlatform;
}

/** What a lock must pin for an enclave image. */
export type PinnedPart =
  FilePart | UrlPart | PinnedImage | { readonly kind: "folder"; readonly path: string };

/** A platform in the words of OCI. */
export type ImagePlatform = "linux/amd64" | "linux/arm64";

/** The platform of an architecture's images. */
export const imagePlatform = (architecture: EnclaveArchitecture): ImagePlatform =>
  architecture === "x86_64" ? "linux/amd64" : "linux/arm64";

/** Everything of an enclave image that a lock pins, in the order of the recipe. */
export function pinnedParts({ architecture, kernel, ramdisks, signature }: EnclaveImage): PinnedPart[] {
  const signed = signature === undefined ? [] : [signature.certificate, signature.signature];
  const parts = [kernel, ...ramdisks, ...signed];
  return parts.flatMap((part): PinnedPart[] => {
    switch (part.kind) {
      case "component":
        return [];
      case "image":
        return part.from.kind === "url"
          ? [part.from]
          : [{ ...part.from, kind: "image", digest: part.digest, platform: imagePlatform(architecture) }];
      case "folder":
      case "cpio":
        return [{ kind: "folder", path: part.path }];
      case "file":
      case "url":
        return [part];
    }
  });
}

/** Every part that a recipe takes from beside itself or from a URL. */
export function recipeParts({ outputs }: ComposingRecipe): PinnedPart[] {
  return Object.values(outputs).flatMap(({ from }) =>
    typeof from === "object" && "eif" in from ? pinnedParts(from.eif) : [],
  );
}
