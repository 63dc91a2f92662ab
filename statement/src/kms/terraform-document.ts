/**
 * `aws_iam_policy_document` in Terraform's JSON as the policy that it becomes: Terraform AWS provider, "Data source:
 * aws_iam_policy_document".
 * @module
 */
import type { JsonValue } from "@bootproof/bytes";
import { isObject, type LocatedJson } from "./policy.ts";

const NAMES: Readonly<Record<string, string>> = {
  sid: "Sid",
  effect: "Effect",
  actions: "Action",
  not_actions: "NotAction",
  resources: "Resource",
  not_resources: "NotResource",
};

/** Blocks that are put together below. */
const BLOCKS = ["principals", "not_principals", "condition"];

function listOf(value: JsonValue | undefined): readonly JsonValue[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? (value as readonly JsonValue[]) : [value];
}

/** Without a prototype: any name is only a name. */
const empty = <T>(): Record<string, T> => Object.create(null) as Record<string, T>;

/** Whether a value is a policy document in Terraform's form. */
export function isTerraformDocument(value: JsonValue): boolean {
  // State has the finished policy beside it.
  if (!isObject(value) || typeof value["json"] === "string") return false;
  const statements = listOf(value["statement"]);
  return (
    statements.length > 0 &&
    statements.every((item) => isObject(item) && ("actions" in item || "not_actions" in item))
  );
}

/** The policy in IAM's form; its parts keep the places that they have in the text. */
export function fromTerraform({ value, places, lines }: LocatedJson): LocatedJson {
  const moved = new Map(places);
  const document = isObject(value) ? value : {};
  const statements = listOf(document["statement"]).map((item) => statementOf(item, moved));
  const version = document["version"] ?? "2012-10-17";
  return { value: { Version: version, Statement: statements }, places: moved, lines };
}

type Places = Map<object, ReadonlyMap<string, number>>;

function statementOf(item: JsonValue, places: Places): JsonValue {
  if (!isObject(item)) return item;
  const from = places.get(item);
  const made: Record<string, JsonValue> = { Effect: "Allow" };
  const at = new Map<string, number>();
  for (const [name, value] of Object.entries(item)) {
    // A plan writes null for what is not there.
    if (BLOCKS.includes(name) || value === null) continue;
    const key = NAMES[name] ?? name;
    made[key] = value;
    const place = from?.get(name);
    if (place !== undefined) at.set(key, place);
  }
  for (const [name, key] of [
    ["principals", "Principal"],
    ["not_principals", "NotPrincipal"],
  ] as const) {
    const blocks = listOf(item[name]);
    if (blocks.length > 0) made[key] = principalsOf(blocks);
  }
  const conditions = listOf(item["condition"]);
  if (conditions.length > 0) made["Condition"] = conditionOf(conditions, places);
  places.set(made, at);
  return made;
}

/** Blocks of one type are joined. */
function principalsOf(blocks: readonly JsonValue[]): JsonValue {
  const made = empty<JsonValue[]>();
  for (const block of blocks) {
    if (!isObject(block) || typeof block["type"] !== "string") return [...blocks];
    if (block["type"] === "*") return "*";
    made[block["type"]] = [...(made[block["type"]] ?? []), ...listOf(block["identifiers"])];
  }
  return made;
}

/** Blocks of one operator and key are joined: Terraform merges their values. */
function conditionOf(blocks: readonly JsonValue[], places: Places): JsonValue {
  const made = empty<Record<string, JsonValue[]>>();
  for (const block of blocks) {
    if (!isObject(block)) return [...blocks];
    const { test, variable } = block;
    if (typeof test !== "string" || typeof variable !== "string") return [...blocks];
    const keys = (made[test] ??= empty<JsonValue[]>());
    keys[variable] = [...(keys[variable] ?? []), ...listOf(block["values"])];
    const place = places.get(block)?.get("variable");
    if (place !== undefined) places.set(keys, new Map(places.get(keys)).set(variable, place));
  }
  return made;
}
