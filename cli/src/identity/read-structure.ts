/**
 * ID blocks and ID auths from files: binary, or base64 as VMMs take them.
 * @module
 */
import { parseBase64, ParseError } from "@bootproof/bytes";
import { ID_AUTH_SIZE, ID_BLOCK_SIZE } from "@bootproof/measure/identity";

import { EXIT } from "../frame/exit-code.ts";
import { Failure } from "../frame/failure.ts";
import { readInput } from "../frame/files.ts";

/** Which of the two a file holds. */
export type StructureKind = "id-block" | "id-auth";

/** A structure from a file. */
export interface Structure {
  readonly kind: StructureKind;
  readonly file: string;
  readonly bytes: Uint8Array;
}

const SIZES: ReadonlyMap<number, StructureKind> = new Map([
  [ID_BLOCK_SIZE, "id-block"],
  [ID_AUTH_SIZE, "id-auth"],
]);

/** Reads an ID block or ID auth; the length says which it is. */
export async function readStructure(file: string): Promise<Structure> {
  const raw = await readInput(file, 2 ** 16);
  const bytes = SIZES.has(raw.length) ? raw : (fromBase64(raw) ?? raw);
  const kind = SIZES.get(bytes.length);
  if (kind !== undefined) return { kind, file, bytes };
  throw new Failure("BP-ID-004", EXIT.malformed, "is neither an ID block nor an ID auth", {
    file,
    expected: `${String(ID_BLOCK_SIZE)} bytes (ID block) or ${String(ID_AUTH_SIZE)} bytes (ID auth), binary or base64`,
    found: `${String(bytes.length)} bytes`,
  });
}

/** Reads a structure that must be of one kind. */
export async function readStructureOf(kind: StructureKind, file: string): Promise<Structure> {
  const structure = await readStructure(file);
  if (structure.kind === kind) return structure;
  const name = (which: StructureKind): string => (which === "id-block" ? "an ID block" : "an ID auth");
  throw new Failure("BP-ID-004", EXIT.malformed, `is not ${name(kind)}`, {
    file,
    expected: name(kind),
    found: name(structure.kind),
  });
}

function fromBase64(raw: Uint8Array): Uint8Array | undefined {
  try {
    // Tools break lines; QEMU's option and ours do not.
    return parseBase64(Buffer.from(raw).toString("latin1").replaceAll(/\s/g, ""), "base64");
  } catch (error) {
    if (error instanceof ParseError) return undefined;
    throw error;
  }
}
