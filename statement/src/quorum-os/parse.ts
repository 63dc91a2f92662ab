/**
 * Reads a QuorumOS manifest, or an envelope with its approvals, in whichever form it is stored.
 * @module
 */
import { ParseError, parseStrictJson } from "@bootproof/bytes";
import { decodeEnvelope, decodeManifest } from "./decode-borsh.ts";
import { envelopeOfJson, kindOfJson, manifestOfJson } from "./decode-json.ts";
import type { QuorumEnvelope, QuorumManifest } from "./manifest.ts";

/** What was read. */
export interface QuorumFile {
  readonly kind: "manifest" | "envelope";
  readonly form: "borsh" | "json";
  readonly manifest: QuorumManifest;
  /** Undefined for a manifest alone. */
  readonly envelope: QuorumEnvelope | undefined;
}

/** A manifest of a hundred members has 20 KiB. */
const MAX_BYTES = 2 ** 20;

/** Reads a manifest or envelope; throws {@link ParseError}, also for bytes that can be read in two ways. */
export function parseQuorumFile(bytes: Uint8Array): QuorumFile {
  if (bytes.length > MAX_BYTES)
    throw new ParseError("TOO_LARGE", "manifest", {
      expected: `at most ${MAX_BYTES} bytes`,
      found: `${bytes.length}`,
    });
  return opensLikeJson(bytes) ? parseJson(bytes) : parseBorsh(bytes);
}

// Borsh starts with the length of the namespace's name: a name of 2 GiB would start so.
const opensLikeJson = (bytes: Uint8Array): boolean => bytes[0] === 0x7b && bytes[3] !== 0;

function parseJson(bytes: Uint8Array): QuorumFile {
  const value = parseStrictJson(bytes, "manifest", MAX_BYTES);
  switch (kindOfJson(value)) {
    case "manifest":
      return { kind: "manifest", form: "json", manifest: manifestOfJson(value), envelope: undefined };
    case "envelope":
      return fromEnvelope(envelopeOfJson(value), "json");
    case undefined:
      throw new ParseError("BAD_MAGIC", "manifest", { expected: "namespace, pivot and enclave" });
  }
}

const fromEnvelope = (envelope: QuorumEnvelope, form: QuorumFile["form"]): QuorumFile => ({
  kind: "envelope",
  form,
  manifest: envelope.manifest,
  envelope,
});

/** Borsh says nowhere what it is: every reading is tried, and exactly one must fit to the last byte. */
function parseBorsh(bytes: Uint8Array): QuorumFile {
  const readings = (["v1", "v0"] as const).flatMap((version): (() => QuorumFile)[] => [
    () => ({
      kind: "manifest",
      form: "borsh",
      manifest: decodeManifest(bytes, version),
      envelope: undefined,
    }),
    () => fromEnvelope(decodeEnvelope(bytes, version), "borsh"),
  ]);
  const found: QuorumFile[] = [];
  let furthest: ParseError | undefined;
  for (const read of readings)
    try {
      found.push(read());
    } catch (error) {
      if (!(error instanceof ParseError)) throw error;
      if (furthest === undefined || (error.offset ?? 0) > (furthest.offset ?? 0)) furthest = error;
    }
  const [first, second] = found;
  if (second !== undefined)
    throw new ParseError("NOT_CANONICAL", "manifest", {
      expected: "bytes with one reading",
      found: `${found.length} readings`,
    });
  if (first !== undefined) return first;
  throw furthest ?? new ParseError("MISSING", "manifest");
}
