/**
 * The verifier's policy (`*.policy.yaml`): whose word counts for what. Every field is required; not caring is written
 * "any", and the verdict then lists the check as skipped.
 * @module
 */
import { formatHex, KEY_TYPE, ParseError, parseVkey, type KeyType, type Vkey } from "@bootproof/bytes";
import * as v from "valibot";

/** Who may publish which releases. */
export interface Publisher {
  readonly organisation: string;
  readonly key: Vkey;
  /** Release names; a final `*` stands for any ending. */
  readonly subjects: readonly string[] | "any";
}

/** Which cosignatures a checkpoint needs. */
export interface WitnessRule {
  readonly need: number;
  readonly keys: readonly Vkey[];
}

/** Verdicts of a rebuild that may count as a confirmation. */
export const CONFIRMING_VERDICTS = ["IDENTICAL", "MEASUREMENT-EQUAL"] as const;

/** Whose rebuilds count; independence is counted by organisation, not by key. */
export interface RebuildRule {
  /** How many organisations, the publisher's own not among them. */
  readonly need: number;
  readonly accept: readonly (typeof CONFIRMING_VERDICTS)[number][];
  readonly rebuilders: readonly { readonly organisation: string; readonly key: Vkey }[];
}

/** A policy with its keys read. */
export interface Policy {
  readonly publishers: readonly Publisher[];
  /** Logs whose checkpoints count; a log's key name is its origin. */
  readonly logs: readonly Vkey[];
  readonly witnesses: WitnessRule | "any";
  readonly rebuilds: RebuildRule | "any";
}

const MAX_ENTRIES = 256;
const ED25519: readonly KeyType[] = [KEY_TYPE.ed25519];
const WITNESS: readonly KeyType[] = [KEY_TYPE.cosignature, KEY_TYPE.mlDsa44];

const strict = <const E extends v.ObjectEntries>(entries: E) =>
  v.strictObject(entries, (issue) => {
    const known = Object.keys(entries).join(", ");
    if (issue.expected === "Object") return `expected a mapping with ${known}`;
    return issue.expected === "never"
      ? `unknown key; known here: ${known}`
      : 'missing key; write "any" not to ask';
  });

const key = (types: readonly KeyType[], what: string): v.GenericSchema<unknown, Vkey> =>
  v.pipe(
    v.string(`expected ${what}`),
    v.rawTransform(({ dataset, addIssue, NEVER }) => {
      const read = readKey(dataset.value);
      if (typeof read !== "string" && types.includes(read.type)) return read;
      addIssue({
        message: typeof read === "string" ? read : `expected ${what}, found one of type ${read.type}`,
      });
      return NEVER;
    }),
  );

const list = <T>(
  item: v.GenericSchema<unknown, T>,
  identity: (item: T) => string,
): v.GenericSchema<unknown, T[]> =>
  v.pipe(
    v.array(item, "expected a list"),
    v.minLength(1, "expected at least one entry"),
    v.maxLength(MAX_ENTRIES, `expected at most ${MAX_ENTRIES} entries`),
    v.check((items) => new Set(items.map(identity)).size === items.length, "an entry appears twice"),
  );

/** The same key under two names would be counted twice. */
const keyBytes = ({ publicKey }: Vkey): string => formatHex(publicKey);

const orAny = <T>(rule: v.GenericSchema<unknown, T>): v.GenericSchema<unknown, T | "any"> =>
  v.lazy((input): v.GenericSchema<unknown, T | "any"> => (input === "any" ? v.literal("any") : rule));

const organisation = v.pipe(
  v.string("expected an organisation's name"),
  v.regex(/^\S(?:[^\p{Cc}]{0,98}\S)?$/u, "expected an organisation's name of 1 to 100 letters"),
);

const need = v.pipe(
  v.number("expected a whole number"),
  v.safeInteger("expected a whole number"),
  v.minValue(1, 'expected at least 1; write "any" instead of the rule not to ask'),
);

const subject = v.pipe(
  v.string("expected a release's name"),
  v.regex(/^[a-z0-9][a-z0-9._-]*\*?$/, 'expected a release\'s name, a final * allowed; "any" alone for all'),
);

const publishers: v.GenericSchema<unknown, Publisher[]> = list<Publisher>(
  strict({
    organisation,
    key: key(ED25519, "a publisher's vkey (Ed25519)"),
    subjects: orAny(list(subject, (name) => name)),
  }),
  (publisher) => keyBytes(publisher.key),
);

const witnesses: v.GenericSchema<unknown, WitnessRule> = v.pipe(
  strict({ need, keys: list(key(WITNESS, "a witness's vkey (cosignature)"), keyBytes) }),
  v.check((rule) => rule.need <= rule.keys.length, "need is larger than the number of keys"),
);

const rebuilds: v.GenericSchema<unknown, RebuildRule> = v.pipe(
  strict({
    need,
    accept: list(
      v.picklist(CONFIRMING_VERDICTS, `expected ${CONFIRMING_VERDICTS.join(" or ")}`),
      (one) => one,
    ),
    rebuilders: list<RebuildRule["rebuilders"][number]>(
      strict({ organisation, key: key(ED25519, "a rebuilder's vkey (Ed25519)") }),
      (rebuilder) => keyBytes(rebuilder.key),
    ),
  }),
  v.check(
    (rule) => rule.need <= new Set(rule.rebuilders.map((one) => one.organisation)).size,
    "need is larger than the number of organisations",
  ),
);

const rules: v.GenericSchema<unknown, Policy> = strict({
  publishers,
  logs: list(key(ED25519, "a log's vkey (Ed25519)"), keyBytes),
  witnesses: orAny(witnesses),
  rebuilds: orAny(rebuilds),
});

/** The schema of a policy over plain values, as YAML gives them. */
export const policySchema: v.GenericSchema<unknown, Policy> = v.pipe(
  rules,
  v.check(hasOneOwnerForEachKey, "a key belongs to one organisation as publisher and another as rebuilder"),
);

/** Otherwise a publisher would confirm its own release under another organisation's name. */
function hasOneOwnerForEachKey({ publishers: publishing, rebuilds: rule }: Policy): boolean {
  if (rule === "any") return true;
  const owners = new Map(publishing.map((one) => [keyBytes(one.key), one.organisation]));
  return rule.rebuilders.every(
    (one) => (owners.get(keyBytes(one.key)) ?? one.organisation) === one.organisation,
  );
}

/** Whether a publisher may publish releases of this name. */
export function mayPublish({ subjects }: Publisher, name: string): boolean {
  if (subjects === "any") return true;
  return subjects.some((pattern) =>
    pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern,
  );
}

function readKey(text: string): Vkey | string {
  try {
    return parseVkey(text);
  } catch (error) {
    if (error instanceof ParseError) return error.message;
    throw error;
  }
}
