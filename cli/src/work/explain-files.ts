/**
 * The files that `explain` compares, each recognised by its first or last bytes.
 * @module
 */
import { formatHex, sha256 } from "@bootproof/bytes";
import { type LaunchDocument, parseLaunchDocument, type Side } from "@bootproof/measure";
import { compactSide, TRACE_RULES } from "@bootproof/measure/explain";
import {
  type FirmwareReference,
  parseFirmwareReference,
  parseSnpReference,
  SNP_REFERENCE_SCHEMA,
} from "@bootproof/measure/snp";
import { stat } from "node:fs/promises";

import { reading } from "../errors/reading.ts";
import { EXIT } from "../frame/exit-code.ts";
import { Failure } from "../frame/failure.ts";
import type { Context } from "../frame/context.ts";
import type { OpenSide } from "../enclave/enclave-side.ts";
import { isEifFile } from "../enclave/is-eif-file.ts";
import { readInput } from "../frame/files.ts";
import { startsWith, textHead } from "../inspect/inspection.ts";

/** A file to compare, recognised and read. */
export type SideFile = ImageFile | EnclaveFile | ReferenceFile | ReleaseFile | DocumentFile;

/** An enclave image: it has no shape that a register depends on, so it is measured at once. */
export interface EnclaveFile {
  readonly kind: "eif";
  readonly path: string;
  readonly enclave: OpenSide;
}

/** Something that a guest boots from: it has no shape yet. */
export interface ImageFile {
  readonly kind: "firmware" | "igvm";
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** A firmware image without its bytes. */
export interface ReferenceFile {
  readonly kind: "reference";
  readonly path: string;
  readonly reference: FirmwareReference;
}

/** What predicts many shapes at once: a compact reference, or the bundle of a release. */
export interface ReleaseFile {
  readonly kind: "compact reference" | "bundle";
  readonly path: string;
  readonly side: Side;
}

/** A measurement or trace, with those of its files that are still where it says. */
export interface DocumentFile {
  readonly kind: "document";
  readonly path: string;
  readonly document: LaunchDocument;
  readonly artifacts: Readonly<Record<string, Uint8Array>>;
}

/** GUID of the footer of the GUIDed table, 48 bytes before the end of an OVMF image. */
const TABLE_FOOTER = "de82b596b21ff745baeaa366c55a082d";
const KINDS =
  "firmware image (OVMF), IGVM file, enclave image (EIF), measurement or trace (measure --json), reference, bundle";

/** Reads and recognises both files; what is none of the kinds is a {@link Failure}. */
export async function readSideFiles(
  context: Pick<Context, "progress" | "signal">,
  a: string,
  b: string,
): Promise<readonly [SideFile, SideFile]> {
  const [left, right] = [await readEnclave(context, a), await readEnclave(context, b)];
  const [bytesA, bytesB] = [left ? undefined : await readInput(a), right ? undefined : await readInput(b)];
  const [one, other] = [bytesA && recognise(bytesA), bytesB && recognise(bytesB)];
  return [
    left ?? (await openSide(a, bytesA ?? NOTHING, one ?? damagedImage(bytesA ?? NOTHING, other))),
    right ?? (await openSide(b, bytesB ?? NOTHING, other ?? damagedImage(bytesB ?? NOTHING, one))),
  ];
}

const NOTHING = new Uint8Array();

/** An EIF has any size: it is never read whole. */
async function readEnclave(
  context: Pick<Context, "progress" | "signal">,
  path: string,
): Promise<EnclaveFile | undefined> {
  if (!(await isEifFile(path))) return undefined;
  const { openEnclaveSide } = await import("../enclave/enclave-side.ts");
  return { kind: "eif", path, enclave: await openEnclaveSide(context, path) };
}

/** Kinds that are recognised by their bytes. */
type Kind = Exclude<SideFile["kind"], "eif">;

function recognise(bytes: Uint8Array): Kind | undefined {
  if (startsWith(bytes, "IGVM")) return "igvm";
  const footer = bytes.subarray(Math.max(0, bytes.length - 48), Math.max(0, bytes.length - 32));
  if (formatHex(footer) === TABLE_FOOTER) return "firmware";
  if (startsWith(bytes, "c2sp.org/tlog-proof@")) return "bundle";
  if (isReference(bytes)) return "reference";
  if (textHead(bytes).includes(`"${SNP_REFERENCE_SCHEMA}"`)) return "compact reference";
  return textHead(bytes).trimStart().startsWith("{") ? "document" : undefined;
}

/** Whole pages beside an image are an image too, whose damage is the difference. */
function damagedImage(bytes: Uint8Array, beside: Kind | undefined): Kind | undefined {
  const whole = bytes.length > 0 && bytes.length % 4096 === 0;
  return whole && beside === "firmware" ? "firmware" : undefined;
}

async function openSide(path: string, bytes: Uint8Array, kind: Kind | undefined): Promise<SideFile> {
  switch (kind) {
    case "igvm":
    case "firmware":
      return { kind, path, bytes };
    case "reference":
      return { kind, path, reference: reading(path, () => parseFirmwareReference(bytes)) };
    case "compact reference":
      return { kind, path, side: reading(path, () => compactSide(parseSnpReference(bytes))) };
    case "bundle": {
      const { sideOfBundle } = await import("./explain-bundles.ts");
      return { kind, path, side: reading(path, () => sideOfBundle(bytes)) };
    }
    case "document": {
      const document = reading(path, () => parseLaunchDocument(bytes, TRACE_RULES));
      return { kind, path, document, artifacts: await findInputs(document) };
    }
    case undefined:
      throw new Failure("BP-EXPLAIN-001", EXIT.malformed, "is of no kind that explain compares", {
        file: path,
        expected: KINDS,
        hint: `bootproof inspect ${path} says what it looks like`,
      });
  }
}

/** Whether a file says that it is a firmware reference. */
export const isReference = (bytes: Uint8Array): boolean =>
  textHead(bytes).trimStart().startsWith("{") && textHead(bytes).includes('"bootproof/firmware-reference/');

/** The inputs of a measurement that still lie where it says with the hash that it says. */
async function findInputs({ inputs }: LaunchDocument): Promise<Record<string, Uint8Array>> {
  const found: Record<string, Uint8Array> = {};
  for (const { role, path, size, sha256: expected } of inputs) {
    // Of several regions none is *the* region.
    if (inputs.filter((input) => input.role === role).length > 1) continue;
    if (path === undefined || !(await isFile(path, size))) continue;
    const bytes = await readInput(path).catch(() => undefined);
    if (bytes !== undefined && formatHex(sha256(bytes)) === expected) found[role] = bytes;
  }
  return found;
}

// The document may be a stranger's: nothing but a regular file of the very size is opened.
async function isFile(path: string, size: number): Promise<boolean> {
  try {
    const status = await stat(path);
    return status.isFile() && status.size === size;
  } catch {
    return false;
  }
}
