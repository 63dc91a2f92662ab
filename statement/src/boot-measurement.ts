/**
 * The predicate boot-measurement/v1: release X, built this way, will report these registers on these platforms.
 * Its subjects are the release's artifacts.
 * @module
 */
import { type JsonValue, ParseError } from "@bootproof/bytes";
import * as v from "valibot";
import { artifactKind, type Artifact, type ArtifactKind } from "./artifact.ts";
import { platformMeasurements, zeroValues, type PlatformMeasurements } from "./measurements.ts";
import {
  blobDigest,
  byName,
  checkSchema,
  listOf,
  size,
  text,
  type BlobDigest,
  type Schema,
} from "./schema.ts";
import { StatementError } from "./statement-error.ts";
import { subjectName, type Statement } from "./statement.ts";
import { BOOT_MEASUREMENT_TYPE } from "./type-uri.ts";

/** One hermetic build of the release: a Remote Execution API action. */
export interface BuildAction {
  /** The component it builds. */
  readonly name: string;
  /** Digest of the Action message: the build's identity. */
  readonly action: BlobDigest;
  /** Digest of its input root. */
  readonly inputRoot: BlobDigest;
}

/** How a release was built; the named blobs lie beside the log or in a store. */
export interface BuildReference {
  readonly recipe: BlobDigest;
  readonly lock: BlobDigest;
  readonly provenance: BlobDigest;
  readonly actions: readonly BuildAction[];
}

/** A program that computed something, by name and version. */
export interface Program {
  readonly name: string;
  readonly version: string;
}

/** The predicate. */
export interface BootMeasurement {
  readonly release: { readonly name: string; readonly version: string };
  /** What each subject is; same names as the subjects, in order. */
  readonly artifacts: readonly {
    readonly name: string;
    readonly kind: ArtifactKind;
    readonly size: number;
  }[];
  readonly build: BuildReference;
  readonly measurements: readonly PlatformMeasurements[];
  /** Part of the claim: another predictor may predict otherwise. */
  readonly predictor: Program;
}

/** What a release statement is made from. */
export interface Release extends Omit<BootMeasurement, "artifacts"> {
  readonly artifacts: readonly Artifact[];
}

/** Names of releases and recipes: they select who may publish, so they have one plain spelling. */
export const releaseName: Schema<string> = v.pipe(
  v.string(),
  v.regex(/^[a-z0-9][a-z0-9._-]{0,99}$/, "a lower-case name"),
);

const schema: Schema<BootMeasurement> = v.strictObject({
  release: v.strictObject({ name: releaseName, version: text(100) }),
  artifacts: listOf<BootMeasurement["artifacts"][number]>(
    v.strictObject({ name: subjectName, kind: artifactKind, size }),
    256,
    ({ name }) => name,
  ),
  build: v.strictObject({
    recipe: blobDigest,
    lock: blobDigest,
    provenance: blobDigest,
    actions: listOf<BuildAction>(
      v.strictObject({ name: releaseName, action: blobDigest, inputRoot: blobDigest }),
      64,
      ({ name }) => name,
    ),
  }),
  measurements: v.pipe(v.array(platformMeasurements), v.maxLength(256, "at most 256 entries")),
  predictor: v.strictObject({ name: text(100), version: text(100) }),
});

/** Reads a boot-measurement statement whose type was checked; throws {@link ParseError}. */
export function readBootMeasurement({ subject, predicate }: Statement): Statement<BootMeasurement> {
  const read = checkSchema(schema, predicate, "boot measurement");
  const names = subject.map(({ name }) => name).join();
  if (read.artifacts.map(({ name }) => name).join() !== names)
    throw new ParseError("NOT_CANONICAL", "boot measurement artifacts", {
      expected: `the subjects: ${names}`,
    });
  for (const { name, digest } of subject)
    if (digest["sha256"] === undefined || digest["sha384"] === undefined)
      throw new ParseError("MISSING", `digests of ${name}`, { expected: "sha256 and sha384" });
  return { subject, predicateType: BOOT_MEASUREMENT_TYPE, predicate: read };
}

/** The statement of a release, ready to format and sign; throws {@link StatementError} for values no boot gives. */
export function makeBootMeasurement(release: Release): Statement {
  const zero = release.measurements.flatMap(zeroValues);
  if (zero.length > 0)
    throw new StatementError("BP-STATEMENT-004", "an all-zero value is no measurement", {
      found: zero.join(", "),
    });
  const artifacts = [...release.artifacts].sort(byName);
  const predicate: BootMeasurement = {
    release: release.release,
    artifacts: artifacts.map(({ name, kind, size: bytes }) => ({ name, kind, size: bytes })),
    build: { ...release.build, actions: [...release.build.actions].sort(byName) },
    measurements: release.measurements,
    predictor: release.predictor,
  };
  const subject = artifacts.map(({ name, sha256, sha384 }) => ({ name, digest: { sha256, sha384 } }));
  const statement = { subject, predicateType: BOOT_MEASUREMENT_TYPE, predicate: toJson(predicate) };
  readBootMeasurement(statement);
  return statement;
}

/** The artifacts of a release as one list. */
export function releaseArtifacts({ subject, predicate }: Statement<BootMeasurement>): Artifact[] {
  return predicate.artifacts.map(({ name, kind, size: bytes }) => {
    const digest = subject.find((candidate) => candidate.name === name)?.digest ?? {};
    return { name, kind, size: bytes, sha256: digest["sha256"] ?? "", sha384: digest["sha384"] ?? "" };
  });
}

/** Our predicates are plain JSON by construction; interfaces merely lack the index signature that says so. */
export const toJson = (value: object): JsonValue => value as unknown as JsonValue;
