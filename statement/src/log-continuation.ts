/**
 * The predicate log-continuation/v1: a log of another name goes on where a frozen log ended. It is the first entry of
 * the new log, so whoever holds a checkpoint of the new log holds the old log's final tree fixed too, also when the old
 * log's key is in other hands. Its one subject is the final checkpoint, cosignatures included.
 * @module
 */
import { formatHex, parseBase64, ParseError, parseVkey, sha256, utf8 } from "@bootproof/bytes";
import * as v from "valibot";
import { checkSchema, hex, listOf, size, text, type Schema } from "./schema.ts";
import { type Statement, type Subject } from "./statement.ts";
import { LOG_CONTINUATION_TYPE } from "./type-uri.ts";

/** Keys of a log, and lines below a checkpoint, are few; an entry has room for both. */
const MAX_KEYS = 8;
const MAX_CHECKPOINT = 32_768;
const SUBJECT = "checkpoint";

/** The predicate: what the old log was when it ended. */
export interface LogContinuation {
  readonly origin: string;
  /** The keys that its checkpoints verify with. */
  readonly keys: readonly string[];
  readonly size: number;
  /** The root hash of its final tree, in hex. */
  readonly root: string;
  /** Its final checkpoint with every signature, as it was published. */
  readonly checkpoint: string;
}

const vkey: Schema<string> = v.pipe(
  v.string(),
  v.maxLength(4096, "at most 4096 characters"),
  v.check(isVkey, "a public key"),
);

const note: Schema<string> = v.pipe(
  v.string(),
  v.minLength(1, "a checkpoint"),
  v.maxLength(MAX_CHECKPOINT, `at most ${MAX_CHECKPOINT} characters`),
  v.regex(/^(?:\P{Cc}|\n)*$/u, "no control characters but line ends"),
);

const schema: Schema<LogContinuation> = v.strictObject({
  origin: text(255),
  keys: v.pipe(
    listOf<string>(vkey, MAX_KEYS, (key) => key),
    v.minLength(1, "at least one key"),
  ),
  size,
  root: hex(32),
  checkpoint: note,
});

/**
 * Reads a continuation whose type was checked; throws {@link ParseError}, also when it says of its checkpoint what that
 * does not say. Signatures are for who knows the keys.
 */
export function readLogContinuation({ subject, predicate }: Statement): Statement<LogContinuation> {
  const read = checkSchema(schema, predicate, "log continuation");
  const [expected] = subjectsOf(read);
  const [found, ...more] = subject;
  if (more.length > 0 || found?.name !== SUBJECT || found.digest["sha256"] !== expected?.digest["sha256"])
    throw new ParseError("NOT_CANONICAL", "log continuation", { expected: "its checkpoint as the subject" });
  const [origin, size, root] = read.checkpoint.split("\n");
  if (origin !== read.origin || size !== String(read.size) || root === undefined || hexOf(root) !== read.root)
    throw new ParseError("NOT_CANONICAL", "log continuation", {
      expected: "origin, size and root of its checkpoint",
    });
  return { subject, predicateType: LOG_CONTINUATION_TYPE, predicate: read };
}

/** The statement that continues a log, ready to format and sign; throws {@link ParseError} when it contradicts itself. */
export function makeLogContinuation({ origin, keys, size, root, checkpoint }: LogContinuation): Statement {
  const predicate = { origin, keys: [...keys], size, root, checkpoint };
  const statement = { subject: subjectsOf(predicate), predicateType: LOG_CONTINUATION_TYPE, predicate };
  readLogContinuation(statement);
  return statement;
}

function subjectsOf({ checkpoint }: LogContinuation): readonly Subject[] {
  return [{ name: SUBJECT, digest: { sha256: formatHex(sha256(utf8(checkpoint))) } }];
}

function isVkey(text: string): boolean {
  try {
    parseVkey(text);
    return true;
  } catch {
    return false;
  }
}

function hexOf(base64: string): string | undefined {
  try {
    return formatHex(parseBase64(base64, "root"));
  } catch {
    return undefined;
  }
}
