/**
 * What a machine reported, as it is given: a digest, or a file that holds one or the whole attestation report.
 * @module
 */
import { MeasureError } from "@bootproof/measure";
import { looksLikeReport, parseObserved, readReport } from "@bootproof/measure/solve";

import { reading } from "../errors/to-failure.ts";
import { Failure } from "../frame/failure.ts";
import { readInput } from "../frame/files.ts";

/** A reported digest and what else is known with it. */
export interface Observed {
  readonly digest: Uint8Array;
  readonly notes: readonly string[];
  /** CPUID signature of the machine, where a report names it. */
  readonly reportedCpu: number | undefined;
}

/** Reports have 1184 bytes; text files that hold a digest have little else. */
const MAX_FILE = 65_536;

/** Reads the digest from the text itself, or from the file that it names. */
export async function readObserved(text: string): Promise<Observed> {
  try {
    return fromText(text);
  } catch (error) {
    if (!(error instanceof MeasureError)) throw error;
    return await fromFile(text, error);
  }
}

async function fromFile(path: string, noDigest: MeasureError): Promise<Observed> {
  try {
    const bytes = await readInput(path, MAX_FILE);
    if (looksLikeReport(bytes)) return reading(path, () => fromReport(bytes));
    if (bytes.length === 48 || bytes.length === 32)
      return { digest: bytes, notes: [], reportedCpu: undefined };
    return fromText(new TextDecoder().decode(bytes));
  } catch (error) {
    // A name without a file is more likely a digest that lost some digits.
    if (error instanceof Failure && error.code === "BP-FILE-001") throw noDigest;
    throw error;
  }
}

function fromText(text: string): Observed {
  const { digest, note } = parseObserved(text);
  return { digest, notes: note === undefined ? [] : [note], reportedCpu: undefined };
}

function fromReport(bytes: Uint8Array): Observed {
  const { measurement, cpuSignature } = readReport(bytes);
  const note = "the report's signature is not checked here: its MEASUREMENT is searched for, not trusted";
  return { digest: measurement, notes: [note], reportedCpu: cpuSignature };
}
