/**
 * The predicate rebuild/v1: what came out when somebody built a logged release again. Its subjects are the release's
 * artifacts as claimed, so that whoever looks up an artifact finds the confirmations too, negative ones included.
 * @module
 */
import { ParseError } from "@bootproof/bytes";
import * as v from "valibot";
import { releaseName, toJson, type Program } from "./boot-measurement.ts";
import { lowerName } from "./measurements.ts";
import {
  blobDigest,
  byName,
  checkSchema,
  hex,
  listOf,
  size,
  text,
  type BlobDigest,
  type Schema,
} from "./schema.ts";
import { subjectName, type Statement, type Subject } from "./statement.ts";
import { REBUILD_TYPE } from "./type-uri.ts";

/** What a rebuild may come to; only IDENTICAL may be called reproducible. */
export const REBUILD_VERDICTS = [
  "IDENTICAL",
  "MEASUREMENT-EQUAL",
  "DIVERGED",
  "BUILD-FAILED",
  "INPUTS-MISSING",
] as const;

/** One of {@link REBUILD_VERDICTS}. */
export type RebuildVerdict = (typeof REBUILD_VERDICTS)[number];

/** One artifact: as claimed, and as it came out, unless nothing did. */
export interface RebuiltArtifact {
  readonly name: string;
  readonly expected: BlobDigest;
  readonly found?: BlobDigest | undefined;
}

/** A register that came out otherwise. */
export interface DifferingRegister {
  readonly platform: string;
  /** The shape in words, such as `qemu EPYC-v4 x 4`. */
  readonly shape: string;
  readonly register: string;
  readonly expected: string;
  readonly found: string;
}

/** The predicate. */
export interface Rebuild {
  /** The leaf that was rebuilt. */
  readonly of: { readonly origin: string; readonly index: number; readonly leafHash: string };
  readonly verdict: RebuildVerdict;
  readonly artifacts: readonly RebuiltArtifact[];
  /** Registers computed from both sets of artifacts; at most 64 of those that differ. */
  readonly registers: { readonly compared: number; readonly differ: readonly DifferingRegister[] };
  readonly actions: readonly { readonly name: string; readonly action: BlobDigest }[];
  readonly rebuilder: { readonly name: string; readonly organisation: string };
  readonly predictor: Program;
  /** Why, in a sentence, when it was not IDENTICAL. */
  readonly reason?: string | undefined;
}

const register: Schema<DifferingRegister> = v.strictObject({
  platform: lowerName,
  shape: text(),
  register: text(40),
  expected: text(96),
  found: text(96),
});

const schema: Schema<Rebuild> = v.strictObject({
  of: v.strictObject({ origin: text(255), index: size, leafHash: hex(32) }),
  verdict: v.picklist(REBUILD_VERDICTS),
  artifacts: v.pipe(
    listOf<RebuiltArtifact>(
      v.strictObject({ name: subjectName, expected: blobDigest, found: v.optional(blobDigest) }),
      256,
      ({ name }) => name,
    ),
    v.minLength(1, "at least one artifact"),
  ),
  registers: v.strictObject({
    compared: size,
    differ: v.pipe(v.array(register), v.maxLength(64, "at most 64 registers")),
  }),
  actions: listOf<Rebuild["actions"][number]>(
    v.strictObject({ name: releaseName, action: blobDigest }),
    64,
    ({ name }) => name,
  ),
  rebuilder: v.strictObject({ name: text(100), organisation: text(100) }),
  predictor: v.strictObject({ name: text(100), version: text(100) }),
  reason: v.optional(text(500)),
});

/** Reads a rebuild statement whose type was checked; throws {@link ParseError}, also when its parts contradict. */
export function readRebuild({ subject, predicate }: Statement): Statement<Rebuild> {
  const read = checkSchema(schema, predicate, "rebuild");
  const contradiction = subjectsDiffer(subject, read) ?? verdictDiffers(read);
  if (contradiction !== undefined)
    throw new ParseError("NOT_CANONICAL", "rebuild", { expected: contradiction, found: read.verdict });
  return { subject, predicateType: REBUILD_TYPE, predicate: read };
}

/** The statement of a rebuild, ready to format and sign; throws {@link ParseError} when its parts contradict. */
export function makeRebuild(rebuild: Rebuild): Statement {
  const artifacts = [...rebuild.artifacts].sort(byName);
  const predicate = { ...rebuild, artifacts, actions: [...rebuild.actions].sort(byName) };
  const subject = artifacts.map(({ name, expected }) => ({ name, digest: { sha256: expected.sha256 } }));
  const statement = { subject, predicateType: REBUILD_TYPE, predicate: toJson(predicate) };
  readRebuild(statement);
  return statement;
}

/** The verdict that artifacts and registers alone allow, for a build that ran to its end. */
export function rebuildVerdict({
  artifacts,
  registers,
}: Pick<Rebuild, "artifacts" | "registers">): "IDENTICAL" | "MEASUREMENT-EQUAL" | "DIVERGED" {
  // Same files and other registers: the publisher claimed registers that its own artifacts do not give.
  if (registers.differ.length > 0) return "DIVERGED";
  if (artifacts.every(isIdentical)) return "IDENTICAL";
  const complete = artifacts.every(({ found }) => found !== undefined);
  return complete && registers.compared > 0 ? "MEASUREMENT-EQUAL" : "DIVERGED";
}

const isIdentical = ({ expected, found }: RebuiltArtifact): boolean =>
  found?.sha256 === expected.sha256 && found.size === expected.size;

function subjectsDiffer(subject: readonly Subject[], { artifacts }: Rebuild): string | undefined {
  const claimed = artifacts.map(({ name, expected }) => `${name} ${expected.sha256}`).join();
  const subjects = subject.map(({ name, digest }) => `${name} ${digest["sha256"] ?? ""}`).join();
  return claimed === subjects ? undefined : "the expected artifacts as subjects";
}

function verdictDiffers(rebuild: Rebuild): string | undefined {
  switch (rebuild.verdict) {
    case "IDENTICAL":
    case "MEASUREMENT-EQUAL":
    case "DIVERGED": {
      const allowed = rebuildVerdict(rebuild);
      return rebuild.verdict === allowed ? undefined : `${allowed}, which its artifacts and registers say`;
    }
    case "BUILD-FAILED":
    case "INPUTS-MISSING":
      return rebuild.artifacts.every(({ found }) => found === undefined) ? undefined : "no artifacts found";
  }
}
