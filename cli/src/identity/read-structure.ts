/**
 * ID blocks and ID auths from files: binary, base64 as VMMs take them, or inside an IGVM file.
 * @module
 */
import { parseBase64, ParseError } from "@bootproof/bytes";
import { ID_AUTH_SIZE, ID_BLOCK_SIZE } from "@bootproof/measure/identity";

import { reading } from "../errors/to-failure.ts";
import { EXIT } from "../frame/exit-code.ts";
import { Failure } from "../frame/failure.ts";
import { readInput } from "../frame/files.ts";
import { startsWith } from "../inspect/inspection.ts";

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

/** Reads an ID block or ID auth, of which the length says which it is, or both from an IGVM file. */
export async function readStructures(file: string): Promise<Structure[]> {
  const raw = await readInput(file);
  if (startsWith(raw, "IGVM")) return await fromIgvm(file, raw);
  const bytes = structureBytes(raw);
  const kind = SIZES.get(bytes.length);
  if (kind !== undefined) return [{ kind, file, bytes }];
  throw new Failure("BP-ID-004", EXIT.malformed, "is neither an ID block nor an ID auth", {
    file,
    expected: `${String(ID_BLOCK_SIZE)} bytes (ID block) or ${String(ID_AUTH_SIZE)} bytes (ID auth), binary or base64; or an IGVM file`,
    found: `${String(bytes.length)} bytes`,
  });
}

/** The bytes of a structure as they stand in a file: base64 is decoded where the length is no structure's. */
export function structureBytes(raw: Uint8Array): Uint8Array {
  return SIZES.has(raw.length) ? raw : (fromBase64(raw) ?? raw);
}

/** Reads a structure of one kind. */
export async function readStructureOf(kind: StructureKind, file: string): Promise<Structure> {
  const structures = await readStructures(file);
  const found = structures.find((structure) => structure.kind === kind);
  if (found !== undefined) return found;
  const name = (which: StructureKind): string => (which === "id-block" ? "an ID block" : "an ID auth");
  throw new Failure("BP-ID-004", EXIT.malformed, `is not ${name(kind)}`, {
    file,
    expected: name(kind),
    found: name(kind === "id-block" ? "id-auth" : "id-block"),
  });
}

async function fromIgvm(file: string, bytes: Uint8Array): Promise<Structure[]> {
  const { identityInIgvm } = await import("./igvm-structures.ts");
  const { idBlock, idAuth } = reading(file, () => identityInIgvm(bytes));
  return [
    { kind: "id-block", file, bytes: idBlock },
    { kind: "id-auth", file, bytes: idAuth },
  ];
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
