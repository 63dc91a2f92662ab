/**
 * A policy as IAM reads it: IAM User Guide, "Grammar of the IAM JSON policy language". What breaks the grammar is kept
 * as a fault, and the statement with it counts as one that nobody can evaluate.
 * @module
 */
import type { JsonPlaces, JsonValue } from "@bootproof/bytes";
import { KmsError } from "./kms-error.ts";
import type { Place, TextPlaces } from "./place.ts";
import { type Actions, operationsOf } from "./operation.ts";
import { textOfFunction } from "./template-text.ts";

/** One comparison of a statement's condition: all values of one key under one operator. */
export interface Comparison {
  readonly operator: string;
  readonly key: string;
  readonly values: readonly string[];
  readonly place: Place | undefined;
}

/** Whom a statement is about. */
export interface Principals {
  readonly not: boolean;
  /** `AWS`, `Service`, ... and its value; a bare `"*"` is `AWS`. */
  readonly entries: readonly { readonly type: string; readonly value: string }[];
}

/** What a statement is about, or about everything but these. */
export interface Resources {
  readonly not: boolean;
  readonly patterns: readonly string[];
}

/** A part of a policy that breaks the grammar. */
export interface PolicyFault {
  readonly message: string;
  readonly fix: string;
  readonly place: Place | undefined;
}

/** One statement. */
export interface PolicyStatement {
  /** From 0, as AWS counts. */
  readonly index: number;
  readonly sid: string | undefined;
  readonly effect: "Allow" | "Deny" | undefined;
  /** Undefined: none, as in the policy of a role or user. */
  readonly principals: Principals | undefined;
  readonly actions: Actions;
  /** The operations of KMS that the actions include. */
  readonly operations: ReadonlySet<string>;
  readonly resources: Resources | undefined;
  readonly conditions: readonly Comparison[];
  readonly faults: readonly PolicyFault[];
  readonly place: Place | undefined;
}

/** A policy: of a key, or of a role or user when its statements name no principal. */
export interface Policy {
  /** Where in a larger document it was found; undefined when it is the document. */
  readonly within: string | undefined;
  readonly version: string | undefined;
  readonly statements: readonly PolicyStatement[];
  readonly faults: readonly PolicyFault[];
}

/** A policy's JSON and where its parts stand. */
export interface LocatedJson {
  readonly value: JsonValue;
  readonly places: JsonPlaces;
  readonly lines: TextPlaces;
}

type JsonObject = Readonly<Record<string, JsonValue>>;

/** Whether a value is an object. */
export const isObject = (value: JsonValue | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Whether a value has the looks of a statement. */
export const looksLikeStatement = (value: JsonValue | undefined): boolean =>
  isObject(value) && "Effect" in value && ["Action", "NotAction", "Condition"].some((key) => key in value);

/** A key policy has at most 32 KiB, and a statement that says something more than 64 bytes. */
const MAX_STATEMENTS = 500;
const POLICY_KEYS = ["Version", "Id", "Statement"];
const STATEMENT_KEYS = [
  "Sid",
  "Effect",
  "Principal",
  "NotPrincipal",
  "Action",
  "NotAction",
  "Resource",
  "NotResource",
  "Condition",
];

/** Reads a policy, a list of statements or one statement. */
export function readPolicy(json: LocatedJson, within?: string): Policy {
  const { value } = json;
  const reader = new PolicyReader(json);
  if (!isObject(value) || !("Statement" in value))
    return { within, version: undefined, statements: reader.statements(value), faults: [] };
  const faults: PolicyFault[] = [];
  reader.unknownKeys(value, POLICY_KEYS, "the policy", faults);
  const version = typeof value["Version"] === "string" ? value["Version"] : undefined;
  return { within, version, statements: reader.statements(value["Statement"] ?? null), faults };
}

class PolicyReader {
  readonly #json: LocatedJson;

  constructor(json: LocatedJson) {
    this.#json = json;
  }

  #place(of: JsonValue, key: string | number): Place | undefined {
    if (typeof of !== "object" || of === null) return undefined;
    const index = this.#json.places.get(of)?.get(String(key));
    return index === undefined ? undefined : this.#json.lines.at(index);
  }

  unknownKeys(value: JsonObject, known: readonly string[], what: string, faults: PolicyFault[]): void {
    for (const key of Object.keys(value)) {
      if (known.includes(key)) continue;
      const meant = known.find((name) => name.toLowerCase() === key.toLowerCase().replace(/s$/, ""));
      faults.push({
        message: `${what} has an element ${JSON.stringify(key)} that IAM does not know`,
        fix: meant === undefined ? `elements are ${known.join(", ")}` : `write ${meant}`,
        place: this.#place(value, key),
      });
    }
  }

  statements(value: JsonValue): PolicyStatement[] {
    const list: readonly JsonValue[] = Array.isArray(value) ? value : [value];
    if (list.length > MAX_STATEMENTS)
      throw new KmsError("BP-KMS-003", `a policy of ${list.length} statements is none`);
    return list.map((item, index) => {
      const place = Array.isArray(value) ? this.#place(value, index) : undefined;
      return this.#statement(item, index, place);
    });
  }

  #statement(value: JsonValue, index: number, place: Place | undefined): PolicyStatement {
    const faults: PolicyFault[] = [];
    const object = isObject(value) ? value : {};
    if (!isObject(value)) faults.push({ message: "a statement is not an object", fix: "write {...}", place });
    this.unknownKeys(object, STATEMENT_KEYS, "a statement", faults);
    const effect = object["Effect"];
    if (effect !== "Allow" && effect !== "Deny")
      faults.push({
        message: "a statement's Effect is neither Allow nor Deny",
        fix: 'write "Effect": "Allow" or "Deny"; case matters',
        place: this.#place(object, "Effect") ?? place,
      });
    const sid = object["Sid"];
    const actions = this.#either(object, "Action", faults, place) ?? { not: false, patterns: [] };
    return {
      index,
      sid: typeof sid === "string" ? sid : undefined,
      effect: effect === "Allow" || effect === "Deny" ? effect : undefined,
      principals: this.#principals(object, faults),
      actions,
      operations: new Set(operationsOf(actions)),
      resources: this.#either(object, "Resource", faults, undefined),
      conditions: this.#conditions(object, faults),
      faults,
      place: this.#place(object, "Sid") ?? this.#place(object, "Effect") ?? place,
    };
  }

  /** `Action` or `NotAction`, `Resource` or `NotResource`. */
  #either(
    object: JsonObject,
    name: "Action" | "Resource",
    faults: PolicyFault[],
    missingAt: Place | undefined,
  ): Resources | undefined {
    const [plain, not] = [object[name], object[`Not${name}`]];
    if (plain !== undefined && not !== undefined)
      faults.push({
        message: `a statement has both ${name} and Not${name}`,
        fix: `keep ${name}`,
        place: this.#place(object, `Not${name}`),
      });
    const value = plain ?? not;
    if (value === undefined) {
      if (name === "Action")
        faults.push({ message: "a statement names no Action", fix: "name the operations", place: missingAt });
      return undefined;
    }
    const key = plain === undefined ? `Not${name}` : name;
    return { not: plain === undefined, patterns: this.#texts(object, key, value, faults) };
  }

  #texts(of: JsonObject, key: string, value: JsonValue, faults: PolicyFault[]): string[] {
    const list: readonly JsonValue[] = Array.isArray(value) ? value : [value];
    // Which operations a template fills in has to be known; whom and what need not.
    const later = key.endsWith("Action") ? [] : list.map((item) => textOfFunction(item));
    const texts = list
      .map((item, index) => later[index] ?? item)
      .filter((item): item is string => typeof item === "string");
    if (texts.length !== list.length)
      faults.push({
        message: `${key} holds something that is not text`,
        fix: "write text",
        place: this.#place(of, key),
      });
    return texts;
  }

  #principals(object: JsonObject, faults: PolicyFault[]): Principals | undefined {
    const key = "Principal" in object ? "Principal" : "NotPrincipal";
    const value = object[key];
    if (value === undefined) return undefined;
    const not = key === "NotPrincipal";
    if (value === "*") return { not, entries: [{ type: "AWS", value: "*" }] };
    if (!isObject(value)) {
      faults.push({
        message: `${key} is neither "*" nor an object`,
        fix: `write {"AWS": "arn:aws:iam::111122223333:role/NAME"}`,
        place: this.#place(object, key),
      });
      return { not, entries: [] };
    }
    const entries = Object.entries(value).flatMap(([type, item]) =>
      this.#texts(value, type, item, faults).map((text) => ({ type, value: text })),
    );
    return { not, entries };
  }

  #conditions(object: JsonObject, faults: PolicyFault[]): Comparison[] {
    const value = object["Condition"];
    if (value === undefined) return [];
    if (!isObject(value)) {
      faults.push({
        message: "Condition is not an object",
        fix: `write {"StringEqualsIgnoreCase": {"kms:RecipientAttestation:PCR0": "..."}}`,
        place: this.#place(object, "Condition"),
      });
      return [];
    }
    return Object.entries(value).flatMap(([operator, keys]) => {
      if (isObject(keys))
        return Object.entries(keys).map(([key, values]) =>
          this.#comparison(keys, operator, key, values, faults),
        );
      faults.push({
        message: `operator ${operator} holds no condition keys`,
        fix: "write the condition keys as an object",
        place: this.#place(value, operator),
      });
      return [];
    });
  }

  #comparison(
    of: JsonObject,
    operator: string,
    key: string,
    value: JsonValue,
    faults: PolicyFault[],
  ): Comparison {
    const list: readonly JsonValue[] = Array.isArray(value) ? value : [value];
    const place = this.#place(of, key);
    const values = list.flatMap((item) => {
      // IAM takes true and 1 for "true" and "1".
      if (typeof item === "string") return [item];
      if (typeof item === "boolean" || typeof item === "number") return [String(item)];
      const later = textOfFunction(item);
      if (later !== undefined) return [later];
      faults.push({ message: `a value of ${key} is not text`, fix: "write text", place });
      return [];
    });
    if (list.length === 0)
      faults.push({ message: `${key} has no values`, fix: "give at least one value", place });
    return { operator, key, values, place };
  }
}
