/**
 * The two statements of a release, signed: provenance of the build, and what machines will report. No times and no
 * machine's name: the same build by the same key gives the same bytes.
 * @module
 */
import type { BuildResult } from "@bootproof/builder";
import { formatHex, sha256 } from "@bootproof/bytes";
import type { Signer } from "@bootproof/bytes/signing";
import {
  formatStatement,
  IN_TOTO_PAYLOAD_TYPE,
  makeBootMeasurement,
  makeProvenance,
  MAX_ENVELOPE,
  signEnvelope,
  type BlobDigest,
  type BuildAction,
  type PlatformMeasurements,
  type ResourceDescriptor,
  type Statement,
} from "@bootproof/statement";

import { VERSION } from "../frame/version.ts";
import type { LoadedArtifact } from "./artifacts.ts";
import { dependenciesOf, type Material } from "./materials.ts";

/** What a release is made from. */
export interface ReleaseParts {
  readonly built: BuildResult;
  readonly artifacts: readonly LoadedArtifact[];
  readonly materials: readonly Pick<Material, "name" | "sha256">[];
  readonly measurements: readonly PlatformMeasurements[];
  readonly signer: Signer;
}

/** The signed envelopes of a release. */
export interface SignedRelease {
  readonly provenance: Uint8Array;
  readonly measurement: Uint8Array;
}

/** Who predicted and built. */
export const PROGRAM: { readonly name: string; readonly version: string } = {
  name: "bootproof",
  version: VERSION,
};

// A builder's identity in SLSA is a URI of the kind of builder; which machine it was, nobody can check.
const BUILDER_ID = "https://bootproof.dev/builder/local-sandbox/v1";

/** Makes and signs the statements of a release. */
export async function signRelease(parts: ReleaseParts): Promise<SignedRelease> {
  const { built, artifacts, measurements, signer } = parts;
  const { recipe, lock } = built.recipe;
  const provenance = await signProvenance(parts);
  const statement = makeBootMeasurement({
    release: { name: recipe.recipe.name, version: recipe.recipe.version },
    artifacts: artifacts.map(({ name, kind, size, sha256: digest, sha384 }) => ({
      name,
      kind,
      size,
      sha256: digest,
      sha384,
    })),
    build: {
      recipe: blobOf(recipe.bytes),
      lock: blobOf(lock.bytes),
      provenance: blobOf(provenance),
      actions: actionsOf(built),
    },
    measurements,
    predictor: PROGRAM,
  });
  return { provenance, measurement: await sign(statement, signer) };
}

/** The actions of a build under the names that statements give them. */
export function actionsOf(built: BuildResult): BuildAction[] {
  return built.components.map(({ component, action }) => ({
    name: actionName(component, built.recipe.recipe.recipe.name),
    action: { sha256: action.digest.hash, size: action.digest.size },
    inputRoot: { sha256: action.inputRoot.hash, size: action.inputRoot.size },
  }));
}

/** The digest and size of bytes. */
export function blobOf(bytes: Uint8Array): BlobDigest {
  return { sha256: formatHex(sha256(bytes)), size: bytes.length };
}

async function signProvenance({ built, artifacts, materials, signer }: ReleaseParts): Promise<Uint8Array> {
  const { recipe, lock } = built.recipe;
  const make = (dependencies: readonly ResourceDescriptor[]): Statement =>
    makeProvenance({
      artifacts,
      release: { name: recipe.recipe.name, version: recipe.recipe.version },
      recipe: { name: "recipe", digest: { sha256: recipe.sha256 } },
      lock: { name: "lock", digest: { sha256: lock.sha256 } },
      actions: actionsOf(built),
      dependencies,
      builderId: BUILDER_ID,
      builder: PROGRAM,
    });
  const all = dependenciesOf(built.recipe, materials);
  const whole = make(all);
  // A large closure does not fit into a leaf; the lock, which is named by hash, lists it all the same.
  const fits = (formatStatement(whole).length * 4) / 3 + 1024 < MAX_ENVELOPE;
  return sign(fits ? whole : make(all.filter(({ name }) => !/^(package|source) /.test(name))), signer);
}

function sign(statement: Statement, signer: Signer): Promise<Uint8Array> {
  return signEnvelope(IN_TOTO_PAYLOAD_TYPE, formatStatement(statement), signer);
}

function actionName(component: string, recipe: string): string {
  return (component === "" ? recipe : component).replaceAll("/", ".").replaceAll("+", "-");
}
