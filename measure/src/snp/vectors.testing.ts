/**
 * Reads the vectors of this package.
 * @module
 */
import { readFileSync } from "node:fs";
import { createHash } from "node:crypto";
import { asDigest, parseHex } from "@bootproof/bytes";
import { SEV_SECTION_TYPE } from "@bootproof/ovmf";
import type { FirmwareReference } from "./firmware-reference.ts";

const at = (name: string): URL => new URL(`../../vectors/${name}`, import.meta.url);

/** The vectors of a file in `vectors/`. */
export function vectors<T>(name: string): T[] {
  return (JSON.parse(readFileSync(at(name), "utf8")) as { vectors: T[] }).vectors;
}

export const suffix = (name: string): Uint8Array<ArrayBuffer> => new Uint8Array(readFileSync(at(name)));

/** A firmware reference as vectors hold it. */
export interface ReferenceVector {
  readonly name: string;
  readonly size: number;
  readonly seed: string;
  readonly resetAddress: string;
  readonly hashTable?: [number, number];
  readonly sections: [number, number, number][];
}

const typeName = (type: number): string | undefined =>
  Object.entries(SEV_SECTION_TYPE).find(([, value]) => value === type)?.[0];

/** References by name, as JSON files of vectors hold them. */
export const readReferences = (given: readonly ReferenceVector[]): Map<string, FirmwareReference> =>
  new Map(
    given.map((vector) => [
      vector.name,
      {
        size: vector.size,
        seed: asDigest("sha384", parseHex(vector.seed, "seed")),
        resetAddress: Number(vector.resetAddress),
        hashTable: vector.hashTable && { guestAddress: vector.hashTable[0], size: vector.hashTable[1] },
        metadata: {
          offset: 0,
          length: 16 + 12 * vector.sections.length,
          unread: 0,
          sections: vector.sections.map(([guestAddress, size, type], index) => ({
            index,
            guestAddress,
            size,
            type,
            name: typeName(type),
            offset: 16 + 12 * index,
          })),
        },
      },
    ]),
  );

export const references: ReadonlyMap<string, FirmwareReference> = readReferences(
  vectors<ReferenceVector>("firmware-references.json"),
);

/** The direct boot inputs, made by the rule that inputs.json states. */
export const inputs: ReadonlyMap<string, Uint8Array<ArrayBuffer>> = new Map(
  vectors<{ name: string; size: number; sha256: string }>("inputs.json").map(({ name, size, sha256 }) => {
    const blob = makeInput(name, size);
    if (createHash("sha256").update(blob).digest("hex") !== sha256)
      throw new Error(`${name} is not made as inputs.json says`);
    return [name, blob];
  }),
);

/** A direct boot input by name; `/dev/null` is none, as the peers' own tests call it. */
export const directInput = (name: string): Uint8Array<ArrayBuffer> =>
  name === "/dev/null" ? new Uint8Array() : inputs.get(name)!;

function makeInput(name: string, size: number): Uint8Array<ArrayBuffer> {
  const parts = Array.from({ length: Math.ceil(size / 32) }, (_, index) =>
    createHash("sha256").update(`${name}:${index}`).digest(),
  );
  const blob = new Uint8Array(Buffer.concat(parts).subarray(0, size));
  if (name === "kernel-bz") {
    blob[0x1f1] = 1;
    blob.set(new TextEncoder().encode("HdrS"), 0x202);
    blob.set([0x0f, 0x02], 0x206);
    blob[0x211] = 1;
  }
  return blob;
}
