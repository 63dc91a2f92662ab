/**
 * The list of who may publish what in a log (`publishers.yaml`), kept by the log's operator. Every field is required;
 * not limiting is written "any".
 * @module
 */
import { readYamlAs } from "@bootproof/builder/yaml-schema";
import { utf8, type Vkey } from "@bootproof/bytes";
import { BOOT_MEASUREMENT_TYPE, keyidOf, PROVENANCE_TYPE, REBUILD_TYPE } from "@bootproof/statement";
import {
  isWithin,
  keyBytes,
  namespaces,
  organisation,
  ruleList,
  ruleOrAny,
  signingKey,
  strictRule,
  type Namespaces,
} from "@bootproof/verify";
import * as v from "valibot";

import { AdmissionError } from "./admission-error.ts";

/** How much one key may add in a day (UTC). */
export interface Quota {
  readonly entriesPerDay: number;
  readonly bytesPerDay: number;
}

/** Who may publish what. */
export interface LogPublisher {
  readonly organisation: string;
  readonly key: Vkey;
  /** Names that it may speak about. */
  readonly subjects: Namespaces;
  /** Predicate types that it may use. */
  readonly may: readonly string[];
  readonly quota: Quota | "any";
}

/** Largest list that is read. */
export const MAX_PUBLISHERS_SIZE: number = 2 ** 20;

/** Words for the types whose statements are read and checked. */
const TYPES: ReadonlyMap<string, string> = new Map([
  ["release", BOOT_MEASUREMENT_TYPE],
  ["rebuild", REBUILD_TYPE],
  ["provenance", PROVENANCE_TYPE],
]);

const predicateType = v.pipe(
  v.string("expected release, rebuild, provenance or the URI of a predicate type"),
  v.check(
    (text) => TYPES.has(text) || (text.length <= 200 && /^[a-z][a-z0-9+.-]*:\S+$/.test(text)),
    "expected release, rebuild, provenance or the URI of a predicate type",
  ),
  // Two ways to write one type would be two entries of the list that mean the same.
  v.check(
    (text) => ![...TYPES.values()].includes(text),
    "write release, rebuild or provenance for the types that are checked",
  ),
);

const amount = v.pipe(
  v.number("expected a whole number"),
  v.safeInteger("expected a whole number"),
  v.minValue(1, 'expected at least 1; write "any" instead of the quota not to limit'),
);

const publisher = strictRule(
  {
    organisation,
    key: signingKey("a publisher's"),
    subjects: namespaces,
    may: v.pipe(
      ruleList(predicateType, (type) => type),
      v.transform((words) => words.map((word) => TYPES.get(word) ?? word)),
    ),
    quota: ruleOrAny(strictRule({ entriesPerDay: amount, bytesPerDay: amount })),
  },
  'missing key; for no limit of subjects or quota write "any"',
);

const publishers = strictRule({
  publishers: v.pipe(
    ruleList<LogPublisher>(publisher, ({ key }) => keyBytes(key)),
    v.check(
      (list) => new Set(list.map(({ key }) => keyidOf(key))).size === list.length,
      "two keys have one name and one key ID: an envelope could mean either",
    ),
    v.check((list) => haveOwnNames(list), "two organisations may release the same names"),
  ),
});

/** Reads the list; throws {@link AdmissionError} with every problem's line and column. */
export function parsePublishers(text: string, file = "publishers.yaml"): readonly LogPublisher[] {
  const size = utf8(text).length;
  if (size > MAX_PUBLISHERS_SIZE)
    throw new AdmissionError(file, [`${file}:1:1: more than ${MAX_PUBLISHERS_SIZE} bytes`]);
  const read = readYamlAs(publishers, text, file);
  if (!read.ok) throw new AdmissionError(file, read.issues);
  return read.value.publishers;
}

/** A name released by two organisations would be nobody's; "any" is for the operator, who answers for it. */
function haveOwnNames(list: readonly LogPublisher[]): boolean {
  const releasing = list.filter(({ may }) => may.includes(BOOT_MEASUREMENT_TYPE));
  return releasing.every((one, at) =>
    releasing.slice(0, at).every((other) => other.organisation === one.organisation || !overlap(one, other)),
  );
}

function overlap({ subjects: a }: LogPublisher, { subjects: b }: LogPublisher): boolean {
  if (a === "any" || b === "any") return false;
  // Of two patterns that share a name, the one with the shorter beginning matches the other's beginning.
  const begins = (pattern: string): string => pattern.replace(/\*$/, "");
  return a.some((x) => b.some((y) => isWithin([x], begins(y)) || isWithin([y], begins(x))));
}
