/**
 * Whether a file is one of a release's artifacts. Only the bytes count; a name is a convenience.
 * @module
 */
import { releaseArtifacts, type BootMeasurement, type Statement } from "@bootproof/statement";
import type { Check } from "./answer.ts";
import { compareEif, type EifContents } from "./compare-eif.ts";

/** A file that was hashed, and the name under which it was found. */
export interface HashedFile {
  readonly name: string;
  readonly size: number;
  /** Lower-case hex. */
  readonly sha256: string;
  /** Of an enclave image that has one reading: what it consists of. */
  readonly eif?: EifContents | undefined;
}

/** Whether `file` is an artifact of the release. */
export function checkArtifact(statement: Statement<BootMeasurement>, file: HashedFile): Check {
  const name = `artifact ${file.name}`;
  const artifacts = releaseArtifacts(statement);
  const same = artifacts.find(({ sha256, size }) => sha256 === file.sha256 && size === file.size);
  if (same !== undefined)
    return { name, answer: "yes", reason: `matches ${same.name} (${same.kind}), sha256 ${same.sha256}` };
  const image = file.eif && compareEif(statement, file.name, file.eif);
  if (image !== undefined) return { name, ...image };
  const named = artifacts.find((artifact) => artifact.name === file.name);
  const expected =
    named === undefined
      ? `none of ${artifacts.map((artifact) => artifact.name).join(", ")}`
      : `differs from ${named.name}: expected sha256 ${named.sha256} (${named.size} bytes)`;
  return { name, answer: "no", reason: `${expected}, found sha256 ${file.sha256} (${file.size} bytes)` };
}
