/**
 * SLSA provenance v1 (slsa.dev/spec/v1.0/provenance) of a recipe built from its lock. No times: the same build gives
 * the same bytes.
 * @module
 */
import * as v from "valibot";
import type { Artifact } from "./artifact.ts";
import { toJson, type BuildAction, type Program } from "./boot-measurement.ts";
import { byName, checkSchema, text, type Schema } from "./schema.ts";
import type { Statement } from "./statement.ts";
import { PROVENANCE_TYPE, RECIPE_BUILD_TYPE } from "./type-uri.ts";

/** An input or output by digest (in-toto ResourceDescriptor); extra keys of others are skipped. */
export interface ResourceDescriptor {
  readonly name: string;
  readonly digest: Readonly<Record<string, string>>;
  readonly uri?: string | undefined;
}

/** What we write and read of the predicate. */
export interface Provenance {
  readonly buildDefinition: {
    readonly buildType: string;
    readonly externalParameters: Readonly<Record<string, unknown>>;
    readonly internalParameters?: Readonly<Record<string, unknown>> | undefined;
    readonly resolvedDependencies: readonly ResourceDescriptor[];
  };
  readonly runDetails: {
    readonly builder: {
      readonly id: string;
      readonly version?: Readonly<Record<string, string>> | undefined;
    };
  };
}

/** What a provenance statement of ours is made from. */
export interface RecipeBuild {
  readonly artifacts: readonly Artifact[];
  /** What is built: a log asks whose name it is. */
  readonly release: { readonly name: string; readonly version: string };
  readonly recipe: ResourceDescriptor;
  readonly lock: ResourceDescriptor;
  readonly actions: readonly BuildAction[];
  /** Everything that the lock names. */
  readonly dependencies: readonly ResourceDescriptor[];
  /** URI of whoever ran the build. */
  readonly builderId: string;
  readonly builder: Program;
}

const descriptor: Schema<ResourceDescriptor> = v.object({
  name: text(500),
  digest: v.record(v.string(), v.string()),
  uri: v.optional(text(2000)),
});

// SLSA lets producers add keys, so a reader skips what it does not know.
const schema: Schema<Provenance> = v.object({
  buildDefinition: v.object({
    buildType: text(),
    externalParameters: v.record(v.string(), v.unknown()),
    internalParameters: v.optional(v.record(v.string(), v.unknown())),
    resolvedDependencies: v.array(descriptor),
  }),
  runDetails: v.object({
    builder: v.object({ id: text(), version: v.optional(v.record(v.string(), v.string())) }),
  }),
});

/** Reads a provenance statement whose type was checked; throws {@link ParseError}. */
export function readProvenance({ subject, predicate }: Statement): Statement<Provenance> {
  return { subject, predicateType: PROVENANCE_TYPE, predicate: checkSchema(schema, predicate, "provenance") };
}

/** The provenance statement of a recipe's build; it may exceed a log leaf and is stored by digest. */
export function makeProvenance(build: RecipeBuild): Statement {
  const predicate: Provenance = {
    buildDefinition: {
      buildType: RECIPE_BUILD_TYPE,
      externalParameters: { release: build.release, recipe: build.recipe, lock: build.lock },
      internalParameters: { actions: [...build.actions].sort(byName) },
      resolvedDependencies: [...build.dependencies].sort(byName),
    },
    runDetails: {
      builder: { id: build.builderId, version: { [build.builder.name]: build.builder.version } },
    },
  };
  const subject = [...build.artifacts]
    .sort(byName)
    .map(({ name, sha256, sha384 }) => ({ name, digest: { sha256, sha384 } }));
  return { subject, predicateType: PROVENANCE_TYPE, predicate: toJson(predicate) };
}
