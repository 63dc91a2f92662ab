/**
 * in-toto Statement v1 (in-toto/attestation, spec/v1/statement.md): who is spoken about, by digest, and what is said.
 * Unknown keys are refused, although in-toto lets consumers skip them: a verifier must not say yes to words that it
 * does not understand.
 * @module
 */
import {
  DIGEST_LENGTH,
  formatCanonicalJson,
  parseStrictJson,
  utf8,
  type HashAlgorithm,
  type JsonValue,
} from "@bootproof/bytes";
import * as v from "valibot";
import { byName, checkSchema, listOf, text, type Schema } from "./schema.ts";
import { STATEMENT_TYPE } from "./type-uri.ts";

/** An artifact that a statement is about: digests in lower-case hex, by algorithm. */
export interface Subject {
  readonly name: string;
  readonly digest: Readonly<Record<string, string>>;
}

/** A statement; `P` is what its predicate type promises once it has been read. */
export interface Statement<P = JsonValue> {
  readonly subject: readonly Subject[];
  readonly predicateType: string;
  readonly predicate: P;
}

const MAX_SUBJECTS = 256;

const digestSet: Schema<Record<string, string>> = v.pipe(
  v.record(v.pipe(v.string(), v.regex(/^[A-Za-z0-9_]{1,40}$/, "the name of an algorithm")), v.string()),
  v.check((digests) => Object.keys(digests).length > 0, "at least one digest"),
  v.check(
    (digests) => Object.entries(digests).every(isDigest),
    "digests in lower-case hex, each as long as its kind",
  ),
);

/** Names of subjects and artifacts: file names without directories. */
export const subjectName: Schema<string> = v.pipe(
  text(100),
  v.regex(/^[A-Za-z0-9][A-Za-z0-9._+-]*$/, "a plain file name"),
);

const statement: Schema<Statement & { _type: string }> = v.strictObject({
  _type: v.literal(STATEMENT_TYPE),
  subject: v.pipe(
    listOf<Subject>(
      v.strictObject({ name: subjectName, digest: digestSet }),
      MAX_SUBJECTS,
      ({ name }) => name,
    ),
    v.minLength(1, "at least one subject"),
  ),
  predicateType: v.pipe(text(), v.regex(/^[a-z][a-z0-9+.-]*:\S+$/, "a URI")),
  predicate: v.custom<JsonValue>((input) => input !== undefined, "a predicate"),
});

/** Reads a DSSE payload as a statement, leaving the predicate as it is; throws {@link ParseError}. */
export function parseStatement(payload: Uint8Array): Statement {
  const { subject, predicateType, predicate } = checkSchema(
    statement,
    parseStrictJson(payload, "statement"),
    "statement",
  );
  return { subject, predicateType, predicate };
}

/** The canonical bytes of a statement: sorted keys, subjects by name. */
export function formatStatement({ subject, predicateType, predicate }: Statement): Uint8Array {
  const subjects = [...subject].sort(byName).map(({ name, digest }) => ({ name, digest }));
  return utf8(formatCanonicalJson({ _type: STATEMENT_TYPE, subject: subjects, predicateType, predicate }));
}

function isDigest([algorithm, digest]: [string, string]): boolean {
  if (!/^(?:[0-9a-f]{2})+$/.test(digest)) return false;
  const length = isHashAlgorithm(algorithm) ? DIGEST_LENGTH[algorithm] : undefined;
  return length === undefined || digest.length === length * 2;
}

const isHashAlgorithm = (name: string): name is HashAlgorithm => name in DIGEST_LENGTH;
