/**
 * Condition operators: IAM User Guide, "IAM JSON policy elements: Condition operators" and "Set operators".
 * @module
 */

/** An operator taken apart: `ForAllValues:StringNotEqualsIfExists`. */
export interface ConditionOperator {
  readonly set: "ForAllValues" | "ForAnyValue" | undefined;
  /** The operator's own name; undefined when it is none that compares text or tells presence. */
  readonly base: TextOperator | "Null" | undefined;
  readonly ifExists: boolean;
}

/** Operators on text. */
export type TextOperator =
  | "StringEquals"
  | "StringNotEquals"
  | "StringEqualsIgnoreCase"
  | "StringNotEqualsIgnoreCase"
  | "StringLike"
  | "StringNotLike";

const TEXT: readonly TextOperator[] = [
  "StringEquals",
  "StringNotEquals",
  "StringEqualsIgnoreCase",
  "StringNotEqualsIgnoreCase",
  "StringLike",
  "StringNotLike",
];

/** Takes an operator apart. Another spelling than IAM's is none that we know. */
export function readOperator(text: string): ConditionOperator {
  const [, prefix, rest = ""] = /^(?:(ForAllValues|ForAnyValue):)?(.*)$/s.exec(text) ?? [];
  const set = prefix === "ForAllValues" || prefix === "ForAnyValue" ? prefix : undefined;
  if (rest === "Null") return { set, base: set === undefined ? "Null" : undefined, ifExists: false };
  const ifExists = rest.endsWith("IfExists");
  const name = ifExists ? rest.slice(0, -"IfExists".length) : rest;
  return { set, base: TEXT.find((known) => known === name), ifExists };
}

/** Whether an operator asks that values differ. */
export const isNegated = (base: TextOperator): boolean => base.includes("Not");

/** Whether an operator tells upper from lower case. */
export const tellsCase = (base: TextOperator): boolean => !base.endsWith("IgnoreCase");
