/**
 * Where an entry of a log holds a digest. Looking through a log and looking into an index of it must find the same, so
 * both read one list: everything that an entry can be looked up by.
 * @module
 */
import { formatHex } from "@bootproof/bytes";
import { leafHash } from "@bootproof/log";
import { MeasureError } from "@bootproof/measure";
import {
  hasAxes,
  type BootMeasurement,
  type PlatformMeasurements,
  type Rebuild,
  type Subject,
} from "@bootproof/statement";
import { expandMeasurements, expansionSize, type ExpandedMeasurement } from "./expand.ts";
import type { ReadStatement } from "./read-entry.ts";
import { sectionValues } from "./shape-text.ts";

/** Where an entry holds a digest. */
export type DigestMatch =
  | { readonly kind: "leaf hash" | "recipe" | "lock" | "provenance" | "rebuild of" }
  | { readonly kind: "artifact"; readonly name: string; readonly algorithm: string }
  | { readonly kind: "action" | "input root" | "rebuilt"; readonly name: string }
  | {
      readonly kind: "register";
      readonly platform: string;
      readonly shape: ExpandedMeasurement["shape"];
      readonly register: string;
    }
  | {
      readonly kind: "differing register";
      readonly platform: string;
      /** The shape in words. */
      readonly shape: string;
      readonly register: string;
      readonly side: "expected" | "found";
    };

/** A digest that can be looked up (lower-case hex) with its place; "more" stands for registers not derived here. */
export type HeldDigest = { readonly digest: string; readonly match: DigestMatch } | "more";

/** VMSAs measured for one statement: a few lines of it can ask for a hundred times as many. */
const MAX_VMSAS = 262_144;

/** What was found in one entry. */
export interface FoundDigest {
  readonly matches: readonly DigestMatch[];
  /** False when the entry holds registers that were not searched: a newer program may know how to derive them. */
  readonly complete: boolean;
}

/** Every place where an entry holds `digest` (lower-case hex), shapes expanded. */
export function findDigest(
  entry: Uint8Array,
  statement: ReadStatement | undefined,
  digest: string,
): FoundDigest {
  const matches: DigestMatch[] = [];
  let complete = true;
  for (const held of heldDigests(entry, statement)) {
    if (held === "more") complete = false;
    else if (held.digest === digest) matches.push(held.match);
  }
  return { matches, complete };
}

/** Every digest that an entry holds: its leaf hash, and what its statement says when it is one. */
export function* heldDigests(entry: Uint8Array, statement: ReadStatement | undefined): Generator<HeldDigest> {
  yield { digest: formatHex(leafHash(entry)), match: { kind: "leaf hash" } };
  if (statement === undefined) return;
  yield* artifactDigests(statement.statement.subject);
  if (statement.kind === "boot-measurement") yield* releaseDigests(statement.statement.predicate);
  if (statement.kind === "rebuild") yield* rebuildDigests(statement.statement.predicate);
}

function* artifactDigests(subject: readonly Subject[]): Generator<HeldDigest> {
  for (const { name, digest: digests } of subject)
    for (const [algorithm, digest] of Object.entries(digests))
      if (DIGEST.test(digest)) yield { digest, match: { kind: "artifact", name, algorithm } };
}

function* releaseDigests({ build, measurements }: BootMeasurement): Generator<HeldDigest> {
  for (const kind of ["recipe", "lock", "provenance"] as const)
    yield { digest: build[kind].sha256, match: { kind } };
  for (const { name, action, inputRoot } of build.actions) {
    yield { digest: action.sha256, match: { kind: "action", name } };
    yield { digest: inputRoot.sha256, match: { kind: "input root", name } };
  }
  let vmsas = 0;
  for (const entry of measurements) {
    vmsas += expansionSize(entry).vmsas;
    if (vmsas > MAX_VMSAS) yield "more";
    else yield* registerDigests(entry);
  }
}

function* registerDigests(entry: PlatformMeasurements): Generator<HeldDigest> {
  try {
    for (const { platform, shape, registers } of expandMeasurements(entry))
      for (const [register, digest] of Object.entries(registers))
        yield { digest, match: { kind: "register", platform, shape, register } };
    // A kernel or ramdisk by its SHA-384 leads to the releases that boot it.
    if (!hasAxes(entry))
      for (const { platform, register, value } of sectionValues(entry))
        yield { digest: value, match: { kind: "register", platform, shape: entry.shape, register } };
  } catch (error) {
    // Too many shapes, or one that only a newer predictor knows; the other entries still count.
    if (!(error instanceof MeasureError)) throw error;
    yield "more";
  }
}

function* rebuildDigests({ of, artifacts, actions, registers }: Rebuild): Generator<HeldDigest> {
  yield { digest: of.leafHash, match: { kind: "rebuild of" } };
  for (const { name, expected, found } of artifacts)
    // What came out as claimed is found as the artifact itself.
    if (found !== undefined && found.sha256 !== expected.sha256)
      yield { digest: found.sha256, match: { kind: "rebuilt", name } };
  for (const { name, action } of actions) yield { digest: action.sha256, match: { kind: "action", name } };
  for (const { platform, shape, register, ...values } of registers.differ)
    for (const side of ["expected", "found"] as const)
      if (DIGEST.test(values[side]))
        yield {
          digest: values[side],
          match: { kind: "differing register", platform, shape, register, side },
        };
}

/** Digests that are looked up: of 32, 48 or 64 bytes. Statements may hold others, of any length. */
const DIGEST = /^(?:[0-9a-f]{64}|[0-9a-f]{96}|[0-9a-f]{128})$/;
