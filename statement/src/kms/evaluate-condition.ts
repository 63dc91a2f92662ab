/**
 * Evaluates conditions as IAM does: operators and keys are joined by AND, values by OR (by NOR where the operator
 * negates). IAM User Guide, "Conditions with multiple context keys or values", "Condition operators".
 * @module
 */
import { isNegated, readOperator, type TextOperator } from "./condition-operator.ts";
import type { Comparison } from "./policy.ts";
import type { Match, Matching } from "./principal.ts";
import { hasVariable, matchesWildcard } from "./wildcard.ts";

/** What is known of a condition key in a request: its value, that it has none, or nothing. */
export type ContextValue = { readonly value: string } | "absent" | "unknown";

/** Looks up a condition key. */
export type RequestContext = (key: string) => ContextValue;

/** Whether all comparisons hold; the reason is the first that decides. */
export function evaluateConditions(comparisons: readonly Comparison[], context: RequestContext): Matching {
  let undecided: Matching | undefined;
  for (const comparison of comparisons) {
    const matching = evaluateComparison(comparison, context);
    if (matching.match === "no") return matching;
    if (matching.match === "unknown") undecided ??= matching;
  }
  return (
    undecided ?? { match: "yes", reason: comparisons.length === 0 ? "no condition" : "its condition holds" }
  );
}

/** Whether one comparison holds. */
function evaluateComparison(comparison: Comparison, context: RequestContext): Matching {
  const { operator, key, values } = comparison;
  const { set, base, ifExists } = readOperator(operator);
  const found = context(key);
  const said = `${operator} ${key}`;
  if (base === undefined) return { match: "unknown", reason: `${operator} is not modelled` };
  if (values.length === 0) return { match: "unknown", reason: `${said}: no values` };
  if (found === "unknown") return { match: "unknown", reason: `${said}: the request's value is not known` };
  if (base === "Null") return evaluateNull(said, values, found === "absent");
  if (found === "absent") {
    const match = absent(base, set, ifExists);
    if (match === "unknown")
      return {
        match,
        reason: `${said}: what ForAnyValue and IfExists say together of no value is not documented`,
      };
    return {
      match,
      reason: `${said}: the request has no such value, so it ${match === "yes" ? "holds" : "fails"}`,
    };
  }
  if (values.some(hasVariable))
    return { match: "unknown", reason: `${said}: a policy variable is not modelled` };
  // Of one value, every set operator says what the plain operator says.
  const equal = values.some((value) => equals(base, value, found.value));
  const match = equal === isNegated(base) ? "no" : "yes";
  return { match, reason: `${said}: ${equal ? "the value is listed" : "the value is not listed"}` };
}

/** A key without a value: nothing equals it, everything differs from it, and `IfExists` asks no more. */
function absent(
  base: TextOperator,
  set: "ForAllValues" | "ForAnyValue" | undefined,
  ifExists: boolean,
): Match {
  if (set === "ForAllValues") return "yes";
  if (set === "ForAnyValue") return ifExists ? "unknown" : "no";
  if (ifExists) return "yes";
  return isNegated(base) ? "yes" : "no";
}

function evaluateNull(said: string, values: readonly string[], isAbsent: boolean): Matching {
  const wanted = values.map((value) => value.toLowerCase());
  if (wanted.some((value) => value !== "true" && value !== "false"))
    return { match: "unknown", reason: `${said}: neither true nor false` };
  const match: Match = wanted.includes(String(isAbsent)) ? "yes" : "no";
  return { match, reason: `${said}: the request ${isAbsent ? "has no" : "has a"} value` };
}

function equals(base: TextOperator, wanted: string, found: string): boolean {
  switch (base) {
    case "StringEquals":
    case "StringNotEquals":
      return wanted === found;
    case "StringEqualsIgnoreCase":
    case "StringNotEqualsIgnoreCase":
      return wanted.toLowerCase() === found.toLowerCase();
    case "StringLike":
    case "StringNotLike":
      return matchesWildcard(wanted, found);
  }
}
