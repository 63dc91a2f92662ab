/**
 * Which inputs would give an observed LAUNCH_MEASURE, when the ones at hand do not: most often the host's firmware is
 * newer than the one its owner was told of. Naming them decides nothing: the answer stays no.
 * @module
 */
import { equalBytes } from "@bootproof/bytes";
import { launchMeasure, type LaunchMeasureInputs, parseLaunchMeasure } from "./launch-measure.ts";

/** Inputs that match, and what they differ in from the ones given, in words. */
export interface MatchingInputs {
  readonly inputs: LaunchMeasureInputs;
  readonly differs: string;
}

// Policies have six bits that people set; firmware versions and build IDs are bytes.
const POLICIES = 64;
const BYTES = 256;

/** Searches one change of a policy bit or version part, then other API minor versions together with build IDs. */
export function findLaunchMeasure(
  tik: Uint8Array,
  blob: Uint8Array,
  given: Omit<LaunchMeasureInputs, "mnonce">,
): MatchingInputs | undefined {
  const { measure, mnonce } = parseLaunchMeasure(blob);
  for (const change of changes(given)) {
    const inputs = { ...given, ...change, mnonce };
    if (equalBytes(measure, launchMeasure(tik, inputs))) return { inputs, differs: describe(change) };
  }
  return undefined;
}

type Change = Partial<Pick<LaunchMeasureInputs, "apiMajor" | "apiMinor" | "buildId" | "policy">>;

function* changes(given: Omit<LaunchMeasureInputs, "mnonce">): Generator<Change> {
  const { apiMajor, apiMinor } = given;
  if (apiMajor !== apiMinor) yield { apiMajor: apiMinor, apiMinor: apiMajor };
  for (let policy = 0; policy < POLICIES; policy++) yield { policy };
  for (let value = 0; value < BYTES; value++) {
    yield { apiMajor: value };
    yield { apiMinor: value };
    yield { buildId: value };
  }
  for (let minor = 0; minor < BYTES; minor++)
    for (let buildId = 0; buildId < BYTES; buildId++) yield { apiMinor: minor, buildId };
}

function describe({ apiMajor, apiMinor, buildId, policy }: Change): string {
  const parts = [
    apiMajor !== undefined && `API major version ${apiMajor}`,
    apiMinor !== undefined && `API minor version ${apiMinor}`,
    buildId !== undefined && `build ID ${buildId}`,
    policy !== undefined && `policy 0x${policy.toString(16)}`,
  ];
  return parts.filter((part) => part !== false).join(", ");
}
