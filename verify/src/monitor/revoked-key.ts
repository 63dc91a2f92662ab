/**
 * Rule: a statement signed by a key that I marked as revoked. What it claims does not matter: somebody else has the key.
 * @module
 */
import { checkSignatures } from "@bootproof/statement";
import { makeAlert, type Alert } from "./alert.ts";
import { isRelease, releaseTitle, type WatchedEntry } from "./watched-entry.ts";
import type { Watched } from "./watched.ts";

/** Reports each valid signature by a revoked key; that a key is only named proves nothing. */
export function revokedKey(entry: WatchedEntry, watched: Watched, now: number): Alert[] {
  const { index, statement } = entry;
  if (statement === undefined || watched.revoked.length === 0) return [];
  const about = isRelease(entry) ? releaseTitle(entry) : statement.kind;
  return checkSignatures(statement.envelope, watched.revoked)
    .filter(({ outcome }) => outcome === "valid")
    .map(({ keyid }) =>
      makeAlert({
        rule: "revoked-key",
        severity: "alarm",
        origin: watched.origin,
        subject: keyid,
        entries: [index],
        summary: `the revoked key ${keyid} signed a statement: ${about}`,
        details: { statement: about, type: statement.statement.predicateType },
        observed: now,
      }),
    );
}
