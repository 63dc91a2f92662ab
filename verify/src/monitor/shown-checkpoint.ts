/**
 * A verified checkpoint as the rules about checkpoints see it.
 * @module
 */
import { formatHex, type Sha256 } from "@bootproof/bytes";
import { evaluateQuorum, type LogPolicy, type VerifiedSignature } from "@bootproof/log";

/** What the log's own key signed, here or as a witness shows it. */
export interface ShownCheckpoint {
  readonly size: bigint;
  readonly root: Sha256;
}

/** A checkpoint in words. */
export const checkpointText = ({ size, root }: ShownCheckpoint): string =>
  `size ${size}, root ${formatHex(root)}`;

/** Cosignature times that lie further ahead than clocks differ prove nothing about the past. */
const MAX_AHEAD = 300;

/**
 * The latest time (POSIX seconds) at which the quorum held the checkpoint for the newest; undefined when the policy asks
 * for no witness, or when the quorum is not met by `now`.
 */
export function quorumTime(
  policy: Pick<LogPolicy, "witnesses" | "quorum">,
  verified: readonly VerifiedSignature[],
  now: number,
): number | undefined {
  if (policy.quorum === "none") return undefined;
  const times = new Map(
    verified.flatMap(({ verifier, timestamp }) =>
      timestamp === undefined || timestamp > BigInt(now + MAX_AHEAD)
        ? []
        : [[verifier.vkey, timestamp] as const],
    ),
  );
  const latest = [...times.values()].sort((a, b) => (a > b ? -1 : 1));
  const at = latest.find((time) => evaluateQuorum(policy, ({ vkey }) => (times.get(vkey) ?? -1n) >= time));
  return at === undefined ? undefined : Number(at);
}
