/**
 * The verifier's policy (`*.policy.yaml`): whose word counts for what. Every field is required; not caring is written
 * "any", and the verdict then lists the check as skipped.
 * @module
 */
import { KEY_TYPE, type KeyType, type Vkey } from "@bootproof/bytes";
import * as v from "valibot";
import {
  isWithin,
  key,
  keyBytes,
  list,
  namespaces,
  orAny,
  organisation,
  signingKey,
  strict,
  type Namespaces,
} from "./rules.ts";

/** Who may publish which releases. */
export interface Publisher {
  readonly organisation: string;
  readonly key: Vkey;
  /** Release names; a final `*` stands for any ending. */
  readonly subjects: Namespaces;
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

const ANY = 'missing key; write "any" not to ask';
const WITNESS: readonly KeyType[] = [KEY_TYPE.cosignature, KEY_TYPE.mlDsa44];

const need = v.pipe(
  v.number("expected a whole number"),
  v.safeInteger("expected a whole number"),
  v.minValue(1, 'expected at least 1; write "any" instead of the rule not to ask'),
);

const publishers: v.GenericSchema<unknown, Publisher[]> = list<Publisher>(
  strict({ organisation, key: signingKey("a publisher's"), subjects: namespaces }, ANY),
  (publisher) => keyBytes(publisher.key),
);

const witnesses: v.GenericSchema<unknown, WitnessRule> = v.pipe(
  strict({ need, keys: list(key(WITNESS, "a witness's vkey (cosignature)"), keyBytes) }, ANY),
  v.check((rule) => rule.need <= rule.keys.length, "need is larger than the number of keys"),
);

const rebuilds: v.GenericSchema<unknown, RebuildRule> = v.pipe(
  strict(
    {
      need,
      accept: list(
        v.picklist(CONFIRMING_VERDICTS, `expected ${CONFIRMING_VERDICTS.join(" or ")}`),
        (one) => one,
      ),
      rebuilders: list<RebuildRule["rebuilders"][number]>(
        strict({ organisation, key: signingKey("a rebuilder's") }, ANY),
        (rebuilder) => keyBytes(rebuilder.key),
      ),
    },
    ANY,
  ),
  v.check(
    (rule) => rule.need <= new Set(rule.rebuilders.map((one) => one.organisation)).size,
    "need is larger than the number of organisations",
  ),
);

const rules: v.GenericSchema<unknown, Policy> = strict(
  {
    publishers,
    logs: list(signingKey("a log's"), keyBytes),
    witnesses: orAny(witnesses),
    rebuilds: orAny(rebuilds),
  },
  ANY,
);

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
export const mayPublish = ({ subjects }: Publisher, name: string): boolean => isWithin(subjects, name);
