/**
 * Firmware references as JSON, schema `bootproof/firmware-reference/1`: what a publisher can give instead of a firmware
 * image. Read as hostile input: every key known, every number in one spelling, and sections that QEMU could launch.
 * @module
 */
import {
  asDigest,
  formatHex,
  type JsonValue,
  ParseError,
  parseHex,
  parseStrictJson,
  quote,
  type Sha384,
} from "@bootproof/bytes";
import { type GuestArea, SEV_SECTION_TYPE, type SevSection } from "@bootproof/ovmf";
import { checkImageSize, type FirmwareReference } from "./firmware-reference.ts";
import { checkSections } from "./launchable.ts";

/** Name of the form that {@link formatFirmwareReference} writes. */
export const FIRMWARE_REFERENCE_SCHEMA = "bootproof/firmware-reference/1";

/** edk2 lists seven. */
const MAX_SECTIONS = 1024;
/** A section takes under a hundred bytes of JSON. */
const MAX_BYTES = 256 * 1024;

/** A firmware reference as JSON, without its schema's name: as it stands inside other documents. */
export interface FirmwareReferenceJson {
  readonly kind?: "svsm" | undefined;
  readonly size: number;
  /** Launch digest after the last firmware page. */
  readonly seed: string;
  readonly resetAddress: string;
  /** Guest address, size and type of each section: `0x800000+0x9000 0x1`. */
  readonly sections: readonly string[];
  /** Guest address and size: `0x810c00+0x400`. */
  readonly hashTable?: string | undefined;
}

/** The reference as a JSON value. */
export function firmwareReferenceJson(reference: FirmwareReference): FirmwareReferenceJson {
  const { kind, size, seed, resetAddress, metadata, hashTable } = reference;
  return {
    ...(kind && { kind }),
    size,
    seed: formatHex(seed),
    resetAddress: hex(resetAddress),
    sections: metadata.sections.map((section) => `${area(section)} ${hex(section.type)}`),
    ...(hashTable && { hashTable: area(hashTable) }),
  };
}

/** The reference as a document: indented JSON and a newline. */
export const formatFirmwareReference = (reference: FirmwareReference): string =>
  `${JSON.stringify({ schema: FIRMWARE_REFERENCE_SCHEMA, ...firmwareReferenceJson(reference) }, undefined, 2)}\n`;

/** Whether bytes look like a reference and not like an image: JSON starts with a brace, an image never does. */
export const isFirmwareReference = (bytes: Uint8Array): boolean =>
  /^\s*\{/.test(String.fromCharCode(...bytes.subarray(0, 64)));

/** Reads a document; throws {@link ParseError}. */
export function parseFirmwareReference(bytes: Uint8Array): FirmwareReference {
  const { schema, ...members } = record(
    parseStrictJson(bytes, "firmware reference", MAX_BYTES),
    "firmware reference",
  );
  if (schema !== FIRMWARE_REFERENCE_SCHEMA)
    throw new ParseError("UNSUPPORTED", "schema of the firmware reference", {
      expected: FIRMWARE_REFERENCE_SCHEMA,
      found: typeof schema === "string" ? quote(schema) : "none",
    });
  return readFirmwareReference(members as JsonValue);
}

/** Reads a reference inside another document; throws {@link ParseError} also for sections that QEMU cannot launch. */
export function readFirmwareReference(value: JsonValue): FirmwareReference {
  const at = "firmware reference";
  const members = record(value, at, ["size", "seed", "resetAddress", "sections"], ["kind", "hashTable"]);
  const { size, kind } = members;
  if (kind !== undefined && kind !== "svsm") throw wrong("kind of the firmware reference", "svsm, or none");
  if (typeof size !== "number") throw wrong("firmware image size", "a number");
  checkImageSize(size);
  const resetAddress = u32(members["resetAddress"], "AP reset address");
  if (resetAddress === 0)
    throw new ParseError("OUT_OF_RANGE", "AP reset address", { expected: "not 0", found: "0" });
  const reference: FirmwareReference = {
    kind,
    size,
    seed: digest(members["seed"]),
    resetAddress,
    metadata: { offset: 0, length: 0, unread: 0, sections: readSections(members["sections"]) },
    hashTable:
      members["hashTable"] === undefined ? undefined : readArea(members["hashTable"], "the hash table area"),
  };
  launchable(reference);
  return reference;
}

function readSections(value: JsonValue | undefined): SevSection[] {
  if (!Array.isArray(value)) throw wrong("sections of the firmware reference", "a list");
  if (value.length > MAX_SECTIONS)
    throw new ParseError("TOO_LARGE", "sections of the firmware reference", {
      expected: `at most ${MAX_SECTIONS}`,
      found: `${value.length}`,
    });
  return value.map((item: JsonValue, index) => {
    const at = `section ${index} of the firmware reference`;
    const [, place = "", kind] = typeof item === "string" ? (/^(\S+) (\S+)$/.exec(item) ?? []) : [];
    const type = u32(kind, `type of ${at}`);
    const name = Object.entries(SEV_SECTION_TYPE).find(([, known]) => known === type)?.[0];
    return { index, ...readArea(place, at), type, name, offset: 0 };
  });
}

function readArea(value: JsonValue, at: string): GuestArea {
  const [, guestAddress, size] = typeof value === "string" ? (/^([^+]+)\+([^+]+)$/.exec(value) ?? []) : [];
  return { guestAddress: u32(guestAddress, `guest address of ${at}`), size: u32(size, `size of ${at}`) };
}

/** A reference has no offsets for a person to look at. */
function launchable({ metadata, size }: FirmwareReference): void {
  try {
    checkSections(metadata, size);
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    const { code, at, expected, found } = error;
    throw new ParseError(code, at, {
      ...(expected !== undefined && { expected }),
      ...(found !== undefined && { found }),
    });
  }
}

function record(
  value: JsonValue,
  at: string,
  required?: readonly string[],
  optional: readonly string[] = [],
): Record<string, JsonValue | undefined> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw wrong(at, "an object");
  const members = new Map(Object.entries(value));
  if (required !== undefined) {
    const missing = required.find((key) => !members.has(key));
    if (missing !== undefined) throw new ParseError("MISSING", `${missing} of the ${at}`);
    const unknown = [...members.keys()].find((key) => !required.includes(key) && !optional.includes(key));
    if (unknown !== undefined)
      throw new ParseError("UNSUPPORTED", `key of the ${at}`, {
        expected: [...required, ...optional].join(", "),
        found: quote(unknown),
      });
  }
  return Object.fromEntries(members);
}

function u32(value: JsonValue | undefined, at: string): number {
  if (typeof value === "string" && /^0x(?:0|[1-9a-f][0-9a-f]{0,7})$/.test(value)) return Number(value);
  throw wrong(at, "up to 32 bits in lower-case hex without leading zeros, such as 0x80b004");
}

function digest(value: JsonValue | undefined): Sha384 {
  if (typeof value !== "string" || !/^[0-9a-f]{96}$/.test(value))
    throw wrong("seed of the firmware reference", "a SHA-384 in lower-case hex");
  return asDigest("sha384", parseHex(value, "seed of the firmware reference"));
}

const wrong = (at: string, expected: string): ParseError => new ParseError("BAD_ENCODING", at, { expected });
const area = ({ guestAddress, size }: GuestArea): string => `${hex(guestAddress)}+${hex(size)}`;
const hex = (value: number): string => `0x${value.toString(16)}`;
