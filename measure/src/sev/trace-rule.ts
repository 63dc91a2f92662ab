/**
 * How far traces of SEV and SEV-ES launches can be followed: the register is one SHA-256 over bytes that a trace names
 * only by their own digests, so each event must start where the last ended, and the first can be computed.
 * @module
 */
import { equalBytes } from "@bootproof/bytes";
import type { TraceRule } from "../trace-replay.ts";
import { SEV_LAUNCH_DIGEST, SEV_START } from "./sev-event.ts";

/** Follows the launch digest of SEV and SEV-ES. */
export const sevTraceRule: TraceRule = {
  start: SEV_START,
  leads: (before, { digest }, after) =>
    // Hashing the first bytes gives their own digest; hashing more gives a value of its own.
    equalBytes(before, SEV_START[SEV_LAUNCH_DIGEST]) === equalBytes(after, digest) &&
    !equalBytes(before, after),
};
