/**
 * Reads the Nitro vectors of this package.
 * @module
 */
import { readFileSync } from "node:fs";
import { parseBase64 } from "@bootproof/bytes";
import type { EifSectionType } from "@bootproof/boot/eif";
import { EifHasher, type EifDigests, joinEifDigests } from "./eif-hasher.ts";
import type { LoadedSection } from "./measure-bytes.ts";

const read = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../vectors/nitro/${name}`, import.meta.url), "utf8"));

/** An EIF in parts, with what AWS's tools print of it. */
export interface ImageVector {
  readonly name: string;
  readonly note: string;
  readonly sections: readonly (readonly [EifSectionType, string])[];
  readonly certificate?: string;
  readonly header?: string;
  readonly crc32: string;
  readonly want: Readonly<Record<string, string>>;
}

interface ImagesFile {
  readonly blobs: Readonly<Record<string, string>>;
  readonly vectors: readonly ImageVector[];
  readonly sha512: Pick<ImageVector, "sections" | "want">;
}

const images = read("images.json") as ImagesFile;

export const IMAGES: readonly ImageVector[] = images.vectors;
/** What eif_build --algo sha512 prints. */
export const SHA512: ImagesFile["sha512"] = images.sha512;

export const blob = (key: string): Uint8Array => parseBase64(images.blobs[key] ?? "", "vector");

export const sectionsOf = ({ sections }: Pick<ImageVector, "sections">): LoadedSection[] =>
  sections.map(([type, key]) => ({ type, bytes: blob(key) }));

export const imageNamed = (name: string): ImageVector => {
  const found = IMAGES.find((vector) => vector.name === `eif/${name}.eif`);
  if (found === undefined) throw new Error(`no vector ${name}`);
  return found;
};

export const certificateOf = ({ certificate }: ImageVector): Uint8Array | undefined =>
  certificate === undefined ? undefined : blob(certificate);

/** Digests of sections in memory. */
export function digestsOf(sections: readonly LoadedSection[]): EifDigests {
  const hasher = new EifHasher(
    sections.map(({ type, bytes }) => ({ type, size: bytes.length })),
    { headers: false },
  );
  for (const { bytes } of sections) hasher.update(bytes);
  return joinEifDigests(hasher.finish());
}

/** An image that was booted. */
export interface BootVector {
  readonly name: string;
  readonly note: string;
  readonly sections: readonly (readonly [EifSectionType, number, string])[];
  readonly machine: { readonly role?: string; readonly iid?: string };
  readonly want: Readonly<Record<string, string>>;
}

export const BOOTS: readonly BootVector[] = (read("boots.json") as { vectors: BootVector[] }).vectors;

interface Named {
  readonly name: string;
  readonly want: string;
}

interface Parents {
  readonly pcr3: readonly Named[];
  readonly pcr4: readonly Named[];
  readonly constants: Readonly<Record<string, string>>;
  readonly documents: readonly {
    readonly name: string;
    readonly moduleId: string;
    readonly pcrs: Readonly<Record<string, string>>;
    readonly matches: boolean;
  }[];
}

export const PARENTS: Parents = read("parents.json") as Parents;

interface Bootstraps {
  readonly vectors: readonly {
    readonly name: string;
    readonly pcr1: string;
    readonly arch: string;
    readonly date: string;
    readonly tags: readonly string[];
  }[];
  readonly history: readonly { readonly label: string; readonly arch: string; readonly value: string }[];
}

export const BOOTSTRAPS: Bootstraps = read("bootstraps.json") as Bootstraps;
