/**
 * A bundle taken apart: a C2SP tlog-proof whose extra data is the leaf, a DSSE envelope around a statement. Nothing
 * here is verified; malformed parts throw ParseError.
 * @module
 */
import { ParseError } from "@bootproof/bytes";
import { parseTlogProof, type LogPolicy, type TlogProof } from "@bootproof/log";
import {
  IN_TOTO_PAYLOAD_TYPE,
  parseEnvelope,
  parseStatement,
  type Statement,
  type UntrustedEnvelope,
} from "@bootproof/statement";
import type { Policy } from "./policy.ts";

/** The parts of a bundle, none of which has been verified. */
export interface UntrustedBundle {
  readonly proof: TlogProof;
  readonly envelope: UntrustedEnvelope;
  /** Undefined when the payload is of another type than in-toto's. */
  readonly statement: Statement | undefined;
}

/** Takes a bundle apart; throws {@link ParseError}. */
export function parseBundle(bytes: Uint8Array): UntrustedBundle {
  const proof = parseTlogProof(bytes);
  if (proof.extra === undefined)
    throw new ParseError("MISSING", "bundle", { expected: "the statement, on an extra line" });
  const envelope = parseEnvelope(proof.extra);
  const ours = envelope.payloadType === IN_TOTO_PAYLOAD_TYPE;
  return { proof, envelope, statement: ours ? parseStatement(envelope.unverifiedPayload) : undefined };
}

/** What a policy says about logs and witnesses, in the log's own terms. */
export function logPolicyOf({ logs, witnesses: rule }: Policy): LogPolicy {
  const known = logs.map((vkey) => ({ vkey }));
  if (rule === "any") return { logs: known, witnesses: [], quorum: "none" };
  const witnesses = rule.keys.map((vkey) => ({ kind: "witness", name: vkey.name, vkey }) as const);
  const name = `${rule.need} of ${witnesses.length}`;
  return {
    logs: known,
    witnesses,
    quorum: { kind: "group", name, threshold: rule.need, members: witnesses },
  };
}
