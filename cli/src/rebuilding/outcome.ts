/**
 * What `rebuild` found out about one bundle.
 * @module
 */
import type { BootMeasurement, Statement } from "@bootproof/statement";
import type { BundleVerdict } from "@bootproof/verify";

import type { Confirmation } from "./confirm.ts";
import type { Rebuilt } from "./rebuild-release.ts";

/** One bundle's outcome, for the answer. */
export interface RebuildOutcome {
  readonly bundle: string;
  readonly published: Statement<BootMeasurement>;
  /** Undefined when there was no policy to check against. */
  readonly checked: { readonly policy: string; readonly verdict: BundleVerdict } | undefined;
  /** Undefined when the policy refused the bundle. */
  readonly rebuilt: Rebuilt | undefined;
  readonly confirmation: Confirmation | undefined;
  /** Where an artifact first differs, by its name. */
  readonly differences: ReadonlyMap<string, string>;
}
