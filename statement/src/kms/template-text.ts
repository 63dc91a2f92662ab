/**
 * CloudFormation's intrinsic functions as the text that they will be, as far as a template tells: what is filled in later
 * stands as a variable, `${Role.Arn}`. AWS CloudFormation User Guide, "Intrinsic function reference".
 * @module
 */
import type { JsonValue } from "@bootproof/bytes";

/** The text of an intrinsic function; undefined when a value is none. */
export function textOfFunction(value: JsonValue): string | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const [entry, ...others] = Object.entries<JsonValue>(value);
  if (entry === undefined || others.length > 0) return undefined;
  const [name, argument] = entry;
  if (name !== "Ref" && !name.startsWith("Fn::")) return undefined;
  return knownText(name, argument) ?? `\${${name}}`;
}

function knownText(name: string, argument: JsonValue): string | undefined {
  const list: readonly JsonValue[] = Array.isArray(argument) ? argument : [argument];
  switch (name) {
    case "Ref":
      return typeof argument === "string" ? `\${${argument}}` : undefined;
    case "Fn::Sub":
      return typeof list[0] === "string" ? list[0] : undefined;
    case "Fn::GetAtt":
      return list.every((item) => typeof item === "string") ? `\${${list.join(".")}}` : undefined;
    case "Fn::Join": {
      const [separator, items] = list;
      if (typeof separator !== "string" || !Array.isArray(items)) return undefined;
      const texts = items.map((item: JsonValue) => (typeof item === "string" ? item : textOfFunction(item)));
      return texts.includes(undefined) ? undefined : texts.join(separator);
    }
    default:
      return undefined;
  }
}
