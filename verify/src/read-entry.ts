/**
 * What an entry of a log says, without believing it: nobody checks what is appended to a log, only that it stays.
 * @module
 */
import { ParseError } from "@bootproof/bytes";
import {
  BOOT_MEASUREMENT_TYPE,
  opensLikeEnvelope,
  parseEnvelope,
  parseStatement,
  PROVENANCE_TYPE,
  readBootMeasurement,
  readRebuild,
  REBUILD_TYPE,
  type BootMeasurement,
  type Rebuild,
  type Statement,
  type UntrustedEnvelope,
} from "@bootproof/statement";

/** An entry that is a statement, by what it says. */
export type ReadStatement =
  | { readonly kind: "boot-measurement"; readonly statement: Statement<BootMeasurement> }
  | { readonly kind: "rebuild"; readonly statement: Statement<Rebuild> }
  | { readonly kind: "provenance" | "other"; readonly statement: Statement };

/** An entry with its statement; no signature has been checked. */
export type UntrustedStatement = ReadStatement & { readonly envelope: UntrustedEnvelope };

/** Reads an envelope and the in-toto statement in it; throws ParseError. */
export function readEntry(bytes: Uint8Array): UntrustedStatement {
  const envelope = parseEnvelope(bytes);
  return { envelope, ...readStatement(parseStatement(envelope.unverifiedPayload)) };
}

/** Like {@link readEntry}, but undefined for entries that are no statements. */
export function tryReadEntry(bytes: Uint8Array): UntrustedStatement | undefined {
  if (!opensLikeEnvelope(bytes)) return undefined;
  try {
    return readEntry(bytes);
  } catch (error) {
    if (error instanceof ParseError) return undefined;
    throw error;
  }
}

/** Who claims to have signed: key names and IDs, none of them checked. */
export function claimedSigners({ envelope }: UntrustedStatement): string[] {
  return envelope.signatures.map(({ keyid }) => keyid);
}

/** A statement by what it says; throws ParseError when it breaks the schema of its type. */
export function readStatement(statement: Statement): ReadStatement {
  switch (statement.predicateType) {
    case BOOT_MEASUREMENT_TYPE:
      return { kind: "boot-measurement", statement: readBootMeasurement(statement) };
    case REBUILD_TYPE:
      return { kind: "rebuild", statement: readRebuild(statement) };
    case PROVENANCE_TYPE:
      return { kind: "provenance", statement };
    default:
      return { kind: "other", statement };
  }
}
