/**
 * Launch digests as people have them: pasted, or in the file that a `measure` verb wrote.
 * @module
 */
import { type Digest, parseDigest, ParseError } from "@bootproof/bytes";

import { EXIT } from "../frame/exit-code.ts";
import { Failure } from "../frame/failure.ts";
import { errno, readInputText } from "../frame/files.ts";
import { badValue } from "../frame/given.ts";
import { fieldOf, parseJson } from "./json-field.ts";

/** Reads a launch digest: hex, base64, or a file with either or with a measurement in JSON. */
export async function readLaunchDigest<A extends "sha256" | "sha384">(
  flag: string,
  algorithm: A,
  value: string,
): Promise<Digest<A>> {
  const pasted = tryDigest(algorithm, value);
  if (pasted !== undefined) return pasted;
  const text = await readFileText(flag, algorithm, value);
  const found = tryDigest(algorithm, text) ?? fromMeasurement(algorithm, text);
  if (found !== undefined) return found;
  throw new Failure("BP-ID-007", EXIT.malformed, "holds no launch digest", {
    file: value,
    expected: `${digits(algorithm)}, or the JSON of bootproof measure`,
    hint: "bootproof measure snp ... --json --out FILE writes one",
  });
}

/** Demands that an expected value is one: what was never filled in must not match anything. */
export function refuseZero(flag: string, bytes: Uint8Array): void {
  if (bytes.every((byte) => byte === 0))
    throw badValue(flag, "an expected value that is not all zero", "zeros");
}

async function readFileText(flag: string, algorithm: "sha256" | "sha384", path: string): Promise<string> {
  try {
    return await readInputText(path, 2 ** 26);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    // A digest that was pasted wrongly looks like a file that is not there.
    const absent = error.code === "BP-FILE-001" && !/[./]/.test(path);
    if (absent || errno(error.detail.cause) === "ENAMETOOLONG")
      throw badValue(flag, `${digits(algorithm)}, or a file`, path);
    throw error;
  }
}

function digits(algorithm: "sha256" | "sha384"): string {
  return algorithm === "sha384" ? "96 hex digits or base64 (SHA-384)" : "64 hex digits or base64 (SHA-256)";
}

function fromMeasurement<A extends "sha256" | "sha384">(algorithm: A, text: string): Digest<A> | undefined {
  const digest = fieldOf(fieldOf(parseJson(text), "registers"), "launchDigest");
  return typeof digest === "string" ? tryDigest(algorithm, digest) : undefined;
}

function tryDigest<A extends "sha256" | "sha384">(algorithm: A, text: string): Digest<A> | undefined {
  try {
    return parseDigest(algorithm, text);
  } catch (error) {
    if (error instanceof ParseError) return undefined;
    throw error;
  }
}
