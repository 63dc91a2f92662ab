/**
 * What a release left, for the answer.
 * @module
 */
import type { BuildResult } from "@bootproof/builder";
import type { PlatformMeasurements } from "@bootproof/statement";
import type { BundleVerdict } from "@bootproof/verify";

import type { OwnSigner } from "../signing/default-key.ts";
import type { LoadedArtifact } from "./artifacts.ts";
import type { LoggedRelease } from "./log-release.ts";

/** What a release left, for the answer. */
export interface Released {
  readonly built: BuildResult;
  readonly artifacts: readonly LoadedArtifact[];
  readonly measurements: readonly PlatformMeasurements[];
  readonly logged: LoggedRelease;
  readonly verdict: BundleVerdict;
  readonly own: OwnSigner;
  readonly logs: readonly (readonly [string, string])[];
  readonly files: {
    readonly out: string;
    readonly bundle: string;
    readonly policy: string;
    readonly log: string;
  };
}
