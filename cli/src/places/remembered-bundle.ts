/**
 * The checkpoint in a bundle beside those that were seen of its log: an offline proof cannot show growth, but one that
 * contradicts what was seen is evidence, and the log is held to it the next time it is read.
 * @module
 */
import { formatVkey, type Vkey } from "@bootproof/bytes";
import { LogError, noteVerifiers, openCheckpoint, parseTlogProof } from "@bootproof/log";

import type { Context } from "../frame/context.ts";
import { LogMemory } from "./remembered.ts";

/** Remembers the checkpoint of a well-formed bundle when one of `logs` signed it; throws Failure when it contradicts. */
export async function rememberBundle(
  context: Context,
  bundle: Uint8Array,
  logs: readonly Vkey[],
): Promise<void> {
  const { checkpoint: note } = parseTlogProof(bundle);
  // The keys of one name are one log's, while it changes its key.
  for (const [name, keys] of Map.groupBy(logs, (vkey) => vkey.name)) {
    try {
      const checkpoint = openCheckpoint(note, noteVerifiers(keys), name);
      const memory = await LogMemory.open(context, keys.map(formatVkey), name);
      await memory.demandAgreement(checkpoint);
    } catch (error) {
      // Not this log's; whether it is any log's that counts is in the verdict.
      if (!(error instanceof LogError)) throw error;
    }
  }
}
