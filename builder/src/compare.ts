/**
 * Compares artifacts byte for byte and says where two of one name first differ.
 * @module
 */
import { open, readFile, type FileHandle } from "node:fs/promises";
import { firstDifference } from "@bootproof/bytes";
import type { Blob, DirectoryBlobs } from "@bootproof/store";

/** Names the part of a file that an offset lies in, when it knows the format. */
export type SectionDescriber = (name: string, bytes: Uint8Array, offset: number) => string | undefined;

/** Where two artifacts first differ. */
export interface FirstDifference {
  readonly offset: number;
  /** The byte there, or undefined when that artifact ends before it. */
  readonly first: number | undefined;
  readonly second: number | undefined;
  /** The part of the format that it lies in. */
  readonly section: string | undefined;
}

/** An artifact and its counterpart. */
export interface ArtifactComparison {
  readonly name: string;
  readonly first: Blob;
  readonly second: Blob;
  /** Undefined when the two are identical. */
  readonly difference: FirstDifference | undefined;
}

/** Whether all artifacts agree, and where they do not. */
export interface Comparison {
  readonly verdict: "IDENTICAL" | "DIVERGED";
  readonly artifacts: readonly ArtifactComparison[];
}

const CHUNK = 1024 * 1024;
/** Larger artifacts are not read whole only to name a section. */
const MAX_DESCRIBED = 256 * 1024 * 1024;

/** Compares each artifact of `first` with that of the same name in `second`, which must have it. */
export async function compareArtifacts(
  blobs: DirectoryBlobs,
  first: Readonly<Record<string, Blob>>,
  second: Readonly<Record<string, Blob>>,
  describe?: SectionDescriber,
): Promise<Comparison> {
  const artifacts: ArtifactComparison[] = [];
  for (const [name, one] of Object.entries(first).sort(([a], [b]) => (a < b ? -1 : 1))) {
    const other = second[name];
    if (other === undefined) throw new RangeError(`there is no second ${name} to compare with`);
    artifacts.push({
      name,
      first: one,
      second: other,
      difference: one.sha256 === other.sha256 ? undefined : await locate(blobs, name, one, other, describe),
    });
  }
  const same = artifacts.every(({ difference }) => difference === undefined);
  return { verdict: same ? "IDENTICAL" : "DIVERGED", artifacts };
}

async function locate(
  blobs: DirectoryBlobs,
  name: string,
  first: Blob,
  second: Blob,
  describe: SectionDescriber | undefined,
): Promise<FirstDifference> {
  const [one, other] = [blobs.path(first.sha256), blobs.path(second.sha256)];
  const place = await findFirstDifference(one, other);
  if (place === undefined) throw new RangeError(`${name}: two names for the same bytes`);
  const section =
    describe === undefined || first.size > MAX_DESCRIBED
      ? undefined
      : describe(name, new Uint8Array(await readFile(one)), place.offset);
  return { ...place, section };
}

/** The first byte at which two files differ, or undefined when they are equal. */
export async function findFirstDifference(
  first: string,
  second: string,
): Promise<Omit<FirstDifference, "section"> | undefined> {
  const one = await open(first, "r");
  try {
    const other = await open(second, "r");
    try {
      return await scan(one, other);
    } finally {
      await other.close();
    }
  } finally {
    await one.close();
  }
}

async function scan(
  one: FileHandle,
  other: FileHandle,
): Promise<Omit<FirstDifference, "section"> | undefined> {
  for (let offset = 0; ; offset += CHUNK) {
    const [a, b] = await Promise.all([readChunk(one, offset), readChunk(other, offset)]);
    const place = firstDifference(a, b);
    if (place !== undefined) return { offset: offset + place, first: a[place], second: b[place] };
    if (a.length < CHUNK) return undefined;
  }
}

/** A whole chunk, or what is left of the file. */
async function readChunk(file: FileHandle, offset: number): Promise<Uint8Array> {
  const buffer = new Uint8Array(CHUNK);
  let length = 0;
  while (length < CHUNK) {
    const { bytesRead } = await file.read(buffer, length, CHUNK - length, offset + length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return buffer.subarray(0, length);
}
