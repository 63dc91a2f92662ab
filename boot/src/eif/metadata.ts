/**
 * The metadata section of an EIF: JSON about how the file was built. No PCR covers it, and no loader reads it.
 * aws-nitro-enclaves-image-format, struct EifIdentityInfo: its order of keys is that of the bytes.
 * @module
 */
import {
  formatCanonicalJson,
  type JsonValue,
  ParseError,
  parseStrictJson,
  parseUtf8,
  utf8,
} from "@bootproof/bytes";

/** Largest section that is read. */
export const EIF_MAX_METADATA_SIZE: number = 2 ** 20;
/** nitro-cli takes no larger file of one's own metadata. */
const MAX_CUSTOM_SIZE = 4096;
const EPOCH = "1970-01-01T00:00:00+00:00";
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?\+00:00$/;
const FIELD = "EIF metadata";

/** What the metadata says: self-reported by whoever built the file. */
export interface EifMetadata {
  readonly name: string;
  readonly version: string;
  /** RFC 3339, as in `1970-01-01T00:00:00+00:00`. */
  readonly buildTime: string;
  readonly buildTool: string;
  readonly buildToolVersion: string;
  readonly operatingSystem: string;
  readonly kernelVersion: string;
  /** What `docker inspect` says, or null. */
  readonly dockerInfo: JsonValue;
  readonly custom: JsonValue;
}

/** What is written; the time is 1970 unless given, so that the same inputs make the same file. */
export type EifMetadataInput = Omit<EifMetadata, "buildTime" | "dockerInfo" | "custom"> &
  Partial<Pick<EifMetadata, "buildTime" | "dockerInfo" | "custom">>;

/** The bytes of a metadata section; throws RangeError for a time in another form, and for too much of one's own. */
export function formatEifMetadata(input: EifMetadataInput): Uint8Array {
  const { buildTime = EPOCH, dockerInfo = null, custom = null } = input;
  if (!TIME.test(buildTime)) throw new RangeError(`a build time is written as ${EPOCH}, not ${buildTime}`);
  const customText = formatCanonicalJson(custom);
  if (utf8(customText).length > MAX_CUSTOM_SIZE)
    throw new RangeError(`metadata of one's own has at most ${MAX_CUSTOM_SIZE} bytes`);
  const build = {
    BuildTime: buildTime,
    BuildTool: input.buildTool,
    BuildToolVersion: input.buildToolVersion,
    OperatingSystem: input.operatingSystem,
    KernelVersion: input.kernelVersion,
  };
  const parts = [
    `"ImageName":${JSON.stringify(input.name)}`,
    `"ImageVersion":${JSON.stringify(input.version)}`,
    `"BuildMetadata":${JSON.stringify(build)}`,
    `"DockerInfo":${formatCanonicalJson(dockerInfo)}`,
    `"CustomMetadata":${customText}`,
  ];
  return utf8(`{${parts.join(",")}}`);
}

/** Parses a metadata section as AWS's reader does, which demands every field; throws {@link ParseError}. */
export function parseEifMetadata(bytes: Uint8Array): EifMetadata {
  const root = objectOf(parseStrictJson(bytes, FIELD, EIF_MAX_METADATA_SIZE), FIELD);
  const build = objectOf(root["BuildMetadata"], `${FIELD} BuildMetadata`);
  return {
    name: textOf(root, "ImageName"),
    version: textOf(root, "ImageVersion"),
    buildTime: textOf(build, "BuildTime"),
    buildTool: textOf(build, "BuildTool"),
    buildToolVersion: textOf(build, "BuildToolVersion"),
    operatingSystem: textOf(build, "OperatingSystem"),
    kernelVersion: textOf(build, "KernelVersion"),
    dockerInfo: valueOf(root, "DockerInfo"),
    custom: valueOf(root, "CustomMetadata"),
  };
}

/**
 * Operating system and kernel version as AWS's builder takes them from the third line of a kernel's configuration,
 * `# Linux/x86_64 6.6.79 Kernel Configuration`; undefined when the line says neither.
 */
export function kernelConfigIdentity(
  config: Uint8Array,
): Pick<EifMetadata, "operatingSystem" | "kernelVersion"> | undefined {
  const line = parseUtf8(config, "kernel configuration").split("\n", 3)[2] ?? "";
  const [, operatingSystem, , kernelVersion] = line.split(/[ /-]/);
  return operatingSystem && kernelVersion ? { operatingSystem, kernelVersion } : undefined;
}

type JsonObject = Readonly<Record<string, JsonValue>>;

function objectOf(value: JsonValue | undefined, field: string): JsonObject {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new ParseError("MISSING", field, { expected: "an object" });
  return value as JsonObject;
}

function textOf(object: JsonObject, key: string): string {
  const value = valueOf(object, key);
  if (typeof value !== "string") throw new ParseError("MISSING", `${FIELD} ${key}`, { expected: "a string" });
  return value;
}

function valueOf(object: JsonObject, key: string): JsonValue {
  const value = Object.hasOwn(object, key) ? object[key] : undefined;
  if (value === undefined) throw new ParseError("MISSING", `${FIELD} ${key}`, { expected: "any value" });
  return value;
}
