/**
 * What a monitor watches for in one log, and by whose keys it judges.
 * @module
 */
import type { Vkey } from "@bootproof/bytes";
import { keyidOf } from "@bootproof/statement";
import { signedBy } from "../check-statement.ts";
import { mayPublish, type Publisher, type RebuildRule } from "../policy.ts";
import type { UntrustedStatement } from "../read-entry.ts";
import { isWithin, type Namespaces } from "../rules.ts";

/** What to watch for. */
export interface Watched {
  /** The log's origin. */
  readonly origin: string;
  /** Names of releases that are mine; a final `*` stands for any ending. */
  readonly names: Namespaces;
  /** Who may publish them; none named: every signer is a stranger. */
  readonly publishers: readonly Publisher[];
  /** Keys that must sign nothing any more. */
  readonly revoked: readonly Vkey[];
  /** How many organisations must have rebuilt my releases, and how soon; without it nobody must. */
  readonly confirmations?: { readonly rule: RebuildRule; readonly within: number /* seconds */ };
}

/** Whether a release's name is one of mine. */
export const isMine = ({ names }: Pick<Watched, "names">, name: string): boolean => isWithin(names, name);

/** The publisher whose valid signature a release bears and who may publish it; or why there is none. */
export function publisherOf(
  { envelope }: UntrustedStatement,
  name: string,
  { publishers }: Pick<Watched, "publishers">,
): { readonly publisher: Publisher } | { readonly reason: string } {
  const signed = signedBy(envelope, publishers);
  if ("reason" in signed) return signed;
  const { owner } = signed;
  return mayPublish(owner, name)
    ? { publisher: owner }
    : { reason: `signed by ${owner.organisation} (${keyidOf(owner.key)}), who may not publish this name` };
}
