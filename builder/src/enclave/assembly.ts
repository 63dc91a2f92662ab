/**
 * What decides an enclave image, as plain data: every part by content, the command line and the metadata. Two orders
 * with the same key give the same bytes, so the key is what results are remembered under.
 * @module
 */
import { formatHex, sha256, utf8 } from "@bootproof/bytes";
import { formatEifMetadata } from "@bootproof/boot/eif";
import type { Blob } from "@bootproof/store";
import type { LockedComposition } from "../locked-recipe.ts";
import type { LockedSource } from "../lock.ts";
import {
  imagePlatform,
  type ComponentPart,
  type EnclaveArchitecture,
  type EnclaveImage,
  type EnclaveProcess,
  type FilePart,
  type ImagePlatform,
  type RamdiskPart,
  type UrlPart,
} from "./enclave.ts";

/** A ramdisk to make, or one that is there. */
export type RamdiskOrder = RamdiskSource & {
  /** What it is called in progress and findings. */
  readonly label: string;
};

interface ProcessOrder {
  readonly cmd: readonly string[] | null;
  readonly env: readonly string[];
  readonly cwd: string | null;
  readonly user: string | null;
}

type RamdiskSource =
  | { readonly kind: "file"; readonly blob: Blob; readonly pinned: boolean }
  | ({
      readonly kind: "image";
      readonly blob: Blob;
      readonly digest: string | null;
      readonly platform: ImagePlatform;
      readonly argv: "oci" | "nitro-cli";
    } & ProcessOrder)
  | ({ readonly kind: "folder"; readonly blob: Blob } & ProcessOrder)
  | { readonly kind: "cpio"; readonly blob: Blob };

/** An enclave image to assemble. */
export interface AssemblyOrder {
  readonly architecture: EnclaveArchitecture;
  readonly cmdline: string;
  readonly kernel: { readonly blob: Blob; readonly pinned: boolean };
  readonly ramdisks: readonly RamdiskOrder[];
  /** The metadata section, which nothing measures. */
  readonly metadata: string;
  readonly signature: { readonly certificate: Blob; readonly signature: Blob } | null;
}

/** Raised when the same order would give other bytes than before. */
const ASSEMBLY_VERSION = 1;

/**
 * What the metadata says of the tool. The version is the format's, not the program's: metadata is part of the file, and
 * a newer program must be able to rebuild an older one's file byte for byte.
 */
const BUILD_TOOL = { buildTool: "bootproof", buildToolVersion: String(ASSEMBLY_VERSION) };

/** Finds every part of `image` by content: in the components' outputs, and in the lock. */
export function orderAssembly(
  image: EnclaveImage,
  composition: LockedComposition,
  outputOf: (part: ComponentPart) => Blob,
): AssemblyOrder {
  const { recipe } = composition.recipe;
  const { sources } = composition.lock.lock;
  const partOf = (part: ComponentPart | FilePart | UrlPart): { blob: Blob; pinned: boolean } =>
    part.kind === "component"
      ? { blob: outputOf(part), pinned: false }
      : { blob: pinnedBlob(sources, part.kind === "url" ? part.url : part.path), pinned: true };
  return {
    architecture: image.architecture,
    cmdline: image.cmdline ?? recipe.cmdline ?? "",
    kernel: partOf(image.kernel),
    ramdisks: image.ramdisks.map((part) => orderRamdisk(part, image.architecture, partOf, sources)),
    metadata: formatMetadata(image, recipe),
    signature:
      image.signature === undefined
        ? null
        : {
            certificate: pinnedBlob(sources, image.signature.certificate.path),
            signature: pinnedBlob(sources, image.signature.signature.path),
          },
  };
}

function orderRamdisk(
  part: RamdiskPart,
  architecture: EnclaveArchitecture,
  partOf: (part: ComponentPart | FilePart | UrlPart) => { blob: Blob; pinned: boolean },
  sources: readonly LockedSource[],
): RamdiskOrder {
  switch (part.kind) {
    case "component":
      return { label: `${part.component}/${part.output}`, kind: "file", ...partOf(part) };
    case "file":
      return { label: part.path, kind: "file", ...partOf(part) };
    case "url":
      return { label: part.name, kind: "file", ...partOf(part) };
    case "image":
      return {
        label: part.from.kind === "url" ? part.from.name : part.from.path,
        kind: "image",
        blob: partOf(part.from).blob,
        digest: part.digest ?? null,
        platform: imagePlatform(architecture),
        argv: part.argv,
        ...processOrder(part),
      };
    case "cpio":
      return { label: part.path, kind: "cpio", blob: pinnedBlob(sources, part.path) };
    case "folder":
      return {
        label: part.path,
        kind: "folder",
        blob: pinnedBlob(sources, part.path),
        ...processOrder(part),
      };
  }
}

function processOrder({ cmd, env, cwd, user }: EnclaveProcess): ProcessOrder {
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  return { cmd: cmd ?? null, env: variables, cwd: cwd ?? null, user: user ?? null };
}

function pinnedBlob(sources: readonly LockedSource[], name: string): Blob {
  const found = sources.find((source) => source.name === name);
  // Loading the recipe has checked that the lock answers it.
  if (found === undefined) throw new RangeError(`the lock does not name ${name}`);
  return { sha256: found.sha256, size: found.size };
}

function formatMetadata(
  { name, version, buildTime }: EnclaveImage,
  recipe: { readonly name: string; readonly version: string },
): string {
  const bytes = formatEifMetadata({
    name: name ?? recipe.name,
    version: version ?? recipe.version,
    ...(buildTime === undefined ? {} : { buildTime }),
    ...BUILD_TOOL,
    operatingSystem: "Linux",
    kernelVersion: "unknown",
  });
  return new TextDecoder().decode(bytes);
}

/** The key of an enclave image. */
export function assemblyKey(order: AssemblyOrder): string {
  const ramdisks = order.ramdisks.map((ramdisk) => ramdiskKey(ramdisk));
  const { architecture, cmdline, kernel, metadata, signature } = order;
  return keyOf({ architecture, cmdline, kernel: kernel.blob.sha256, ramdisks, metadata, signature });
}

/** The key of a ramdisk, whatever it is called: of one that is there, its own hash. */
export function ramdiskKey(order: RamdiskOrder): string {
  return order.kind === "file" ? order.blob.sha256 : keyOf({ ...order, label: undefined });
}

/** The hash of a JSON text whose keys always come in the same order, because the code above makes them so. */
const keyOf = (value: object): string =>
  formatHex(sha256(utf8(JSON.stringify({ version: ASSEMBLY_VERSION, ...value }))));
