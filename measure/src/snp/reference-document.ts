/**
 * Compact references as documents, schema `bootproof/snp-reference/1`. Read as hostile input: every key known, every
 * value in one spelling, and prefix and VMSA digests that follow from the firmware part.
 * @module
 */
import { ParseError, parseStrictJson, quote } from "@bootproof/bytes";
import { jsonList, jsonRecord, type JsonRecord, jsonText } from "../explain/json-fields.ts";
import type { FirmwareReference } from "./firmware-reference.ts";
import type { DirectBootDigests } from "./kernel-hashes.ts";
import { checkReference, launchOf, type SnpReference } from "./reference.ts";
import {
  FIRMWARE_REFERENCE_SCHEMA,
  type FirmwareReferenceJson,
  parseFirmwareReference,
} from "./reference-json.ts";

/** Name of the form that {@link formatSnpReference} writes. */
export const SNP_REFERENCE_SCHEMA = "bootproof/snp-reference/1";

const MAX_BYTES = 1 << 20;
const MAX_VMSAS = 1024;
const HEX_NUMBER = /^0x(?:0|[1-9a-f][0-9a-f]{0,15})$/;
const SHA256 = /^[0-9a-f]{64}$/;
const SHA384 = /^[0-9a-f]{96}$/;
const REQUIRED = ["schema", "profile", "firmware", "prefix", "vmsas"];

/** What stands in a file in place of a firmware image. */
export interface OpenedReference {
  readonly firmware: FirmwareReference;
  /** Of a compact reference: hashes of the kernel that it was made with. */
  readonly directBoot: DirectBootDigests | undefined;
  /** Of a compact reference: the profile that it was made for. */
  readonly profile: string | undefined;
}

/** The reference as a document: indented JSON and a newline. */
export const formatSnpReference = (reference: SnpReference): string =>
  `${JSON.stringify({ schema: SNP_REFERENCE_SCHEMA, ...reference }, undefined, 2)}\n`;

/** Opens a firmware reference or a compact reference; throws ParseError, or MeasureError for one that contradicts itself. */
export function openReference(bytes: Uint8Array): OpenedReference {
  const document = jsonRecord(parseStrictJson(bytes, "reference", MAX_BYTES), "reference");
  if (document["schema"] !== SNP_REFERENCE_SCHEMA) {
    if (document["schema"] !== FIRMWARE_REFERENCE_SCHEMA)
      throw new ParseError("UNSUPPORTED", "schema of the reference", {
        expected: `${FIRMWARE_REFERENCE_SCHEMA} or ${SNP_REFERENCE_SCHEMA}`,
        found: typeof document["schema"] === "string" ? quote(document["schema"]) : "none",
      });
    return { firmware: parseFirmwareReference(bytes), directBoot: undefined, profile: undefined };
  }
  const reference = readReference(document);
  checkReference(reference);
  const { firmware, directBoot } = launchOf(reference).prefix;
  if (firmware === undefined) throw new ParseError("MISSING", "firmware of the reference");
  return { firmware, directBoot, profile: reference.profile };
}

/** Parses a compact reference; throws ParseError, or MeasureError for one that contradicts itself. */
export function parseSnpReference(bytes: Uint8Array): SnpReference {
  const document = jsonRecord(parseStrictJson(bytes, "reference", MAX_BYTES), "reference");
  if (document["schema"] !== SNP_REFERENCE_SCHEMA)
    throw new ParseError("UNSUPPORTED", "schema of the reference", { expected: SNP_REFERENCE_SCHEMA });
  const reference = readReference(document);
  checkReference(reference);
  return reference;
}

function readReference(document: JsonRecord): SnpReference {
  onlyKeys(document, "reference", REQUIRED, ["kernelHashes"]);
  const hashes = document["kernelHashes"];
  return {
    profile: jsonText(document["profile"], "profile of the reference"),
    // Read, with its own bounds and spellings, where the launch is made from it.
    firmware: document["firmware"] as FirmwareReferenceJson,
    ...(hashes !== undefined && {
      kernelHashes: readHashes(jsonRecord(hashes, "kernel hashes of the reference")),
    }),
    prefix: jsonText(document["prefix"], "prefix of the reference", SHA384),
    vmsas: jsonList(document["vmsas"], "VMSAs of the reference", MAX_VMSAS).map((value, index) => {
      const at = `VMSA ${index} of the reference`;
      const vmsa = jsonRecord(value, at);
      onlyKeys(vmsa, at, ["cpuSignature", "guestFeatures", "bsp", "ap"]);
      return {
        cpuSignature: jsonText(
          vmsa["cpuSignature"],
          `CPU signature of ${at}`,
          /^0x(?:0|[1-9a-f][0-9a-f]{0,7})$/,
        ),
        guestFeatures: jsonText(vmsa["guestFeatures"], `guest features of ${at}`, HEX_NUMBER),
        bsp: jsonText(vmsa["bsp"], `boot processor of ${at}`, SHA384),
        ap: jsonText(vmsa["ap"], `other processors of ${at}`, SHA384),
      };
    }),
  };
}

function readHashes(hashes: JsonRecord): { kernel: string; initrd: string; cmdline: string } {
  const at = "kernel hashes of the reference";
  onlyKeys(hashes, at, ["kernel", "initrd", "cmdline"]);
  const part = (name: string): string => jsonText(hashes[name], `${name} of the ${at}`, SHA256);
  return { kernel: part("kernel"), initrd: part("initrd"), cmdline: part("cmdline") };
}

function onlyKeys(
  record: JsonRecord,
  at: string,
  required: readonly string[],
  optional: readonly string[] = [],
): void {
  const missing = required.find((key) => !(key in record));
  if (missing !== undefined) throw new ParseError("MISSING", `${missing} of the ${at}`);
  const unknown = Object.keys(record).find((key) => !required.includes(key) && !optional.includes(key));
  if (unknown !== undefined)
    throw new ParseError("UNSUPPORTED", `key of the ${at}`, {
      expected: [...required, ...optional].join(", "),
      found: quote(unknown),
    });
}
