/**
 * Finds policies where people have them: alone, a statement cut out of one, what `aws kms get-key-policy` prints, a
 * Terraform plan, state or configuration as JSON, a CloudFormation template as JSON.
 * @module
 */
import { ParseError, parseLocatedJson, utf8, type JsonValue } from "@bootproof/bytes";
import { KmsError } from "./kms-error.ts";
import { indexAt, TextPlaces } from "./place.ts";
import { fromTerraform, isTerraformDocument } from "./terraform-document.ts";
import { isObject, looksLikeStatement, readPolicy, type LocatedJson, type Policy } from "./policy.ts";

/** A Terraform plan of a large configuration; a key policy itself has at most 32 KiB. */
const MAX_BYTES = 16 * 2 ** 20;
/** A plan repeats a policy at most a few times; hundreds are a plan of hundreds of keys. */
const MAX_POLICIES = 1000;

/** Reads every policy in a text; throws {@link KmsError} when it is no JSON, ambiguous, or holds none. */
export function readPolicies(text: string): Policy[] {
  // PowerShell writes a byte order mark.
  const json = parseDocument(text.replace(/^\uFEFF/, ""));
  const { value } = json;
  if (isPolicy(value)) return [readPolicy(json)];
  const found: Policy[] = [];
  // A plan tells what was, too: what will be is in one place.
  const root = isObject(value) ? (value["planned_values"] ?? value) : value;
  search(root, "", json, found);
  const policies = found.filter(mentionsKms);
  if (policies.length === 0) throw noPolicy(found.length, root);
  return policies;
}

/** A policy, a list of statements, or one statement. */
function isPolicy(value: JsonValue): boolean {
  if (Array.isArray(value))
    return value.length > 0 && value.every((item: JsonValue) => looksLikeStatement(item));
  return isObject(value) && ("Statement" in value || looksLikeStatement(value));
}

function search(value: JsonValue, path: string, json: LocatedJson, found: Policy[]): void {
  if (found.length >= MAX_POLICIES) throw new KmsError("BP-KMS-003", "the document holds too many policies");
  if (typeof value !== "object" || value === null) {
    if (typeof value === "string") searchText(value, path, found);
  } else if (isPolicy(value)) found.push(readPolicy({ ...json, value }, path));
  else if (isTerraformDocument(value)) found.push(readPolicy(fromTerraform({ ...json, value }), path));
  else
    for (const [key, item] of Object.entries<JsonValue>(value))
      search(
        item,
        Array.isArray(value) ? `${path}[${key}]` : path === "" ? key : `${path}.${key}`,
        json,
        found,
      );
}

/** Policies often stand as text in JSON. */
function searchText(text: string, path: string, found: Policy[]): void {
  // Terraform's state has the same policy twice.
  if (path.endsWith(".minified_json") || !/^\s*\{/.test(text) || !text.includes('"Statement"')) return;
  const json = parse(text, `the text of ${path}`);
  if (isPolicy(json.value)) found.push(readPolicy(json, path));
}

// Roles' trust policies and bucket policies stand beside key policies in a plan.
const mentionsKms = ({ statements }: Policy): boolean =>
  statements.some(({ actions }) => actions.patterns.some((pattern) => /^(kms:|\*)/i.test(pattern)));

function hintWithout(root: JsonValue): string {
  if (isObject(root) && ["root_module", "resource_changes", "values"].some((key) => key in root))
    return "a policy that Terraform knows only after apply is in no plan: aws kms get-key-policy --key-id KEY";
  if (JSON.stringify(root).includes("RecipientAttestation"))
    return "give the whole statement: a condition alone does not tell who may do what";
  return "the policy of a key: aws kms get-key-policy --key-id KEY";
}

function noPolicy(others: number, root: JsonValue): KmsError {
  return new KmsError(
    "BP-KMS-003",
    others === 0 ? "the JSON holds no policy" : "no policy in the JSON speaks of KMS",
    {
      expected:
        "a key policy, a statement of one, what aws kms get-key-policy prints, or terraform show -json",
      hint: hintWithout(root),
    },
  );
}

/** A document, or statements cut out of a list, with commas between and behind them. */
function parseDocument(text: string): LocatedJson {
  try {
    return parse(text, text);
  } catch (error) {
    const cut = text.trimEnd().replace(/,$/, "");
    if (!(error instanceof KmsError) || error.code !== "BP-KMS-001" || !/^\s*\{[^]*\}$/.test(cut))
      throw error;
    try {
      const list = `[${cut}]`;
      return { ...parseLocatedJson(utf8(list), "policy", MAX_BYTES), lines: new TextPlaces(cut, 1) };
    } catch {
      // The text as it came is what the message is about.
      throw error;
    }
  }
}

function parse(text: string, what: string): LocatedJson {
  try {
    return { ...parseLocatedJson(utf8(text), "policy", MAX_BYTES), lines: new TextPlaces(text) };
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    const { offset, expected, found } = error;
    if (error.code === "DUPLICATE")
      throw new KmsError(
        "BP-KMS-002",
        "a key stands twice in one object: readers keep one, and not all the same",
        {
          offset,
          expected,
          found,
          hint: "put both values into one key, or each into a statement of its own",
        },
      );
    throw new KmsError("BP-KMS-001", notJson(what, text, offset ?? 0), {
      offset,
      expected,
      found,
      hint: hintFor(text, error),
    });
  }
}

function notJson(what: string, text: string, offset: number): string {
  const language = languageOf(what);
  if (language !== undefined) return `the policy is ${language}, not JSON`;
  const { line, column } = new TextPlaces(text).at(indexAt(text, offset));
  return `the policy is not JSON (line ${line}, column ${column})`;
}

/** What people paste instead of JSON. */
function languageOf(text: string): "Terraform (HCL)" | "CDK or other program text" | "YAML" | undefined {
  if (
    /^\s*(data|resource|locals|variable|module|provider)\b[^\n]*\{|jsonencode\(|^\s*(statement|condition)\s*\{/m.test(
      text,
    )
  )
    return "Terraform (HCL)";
  if (
    /\bnew\s+(iam\.)?Policy(Statement|Document)\b|\bimport\s.+from\s|PolicyStatement\(|\biam\.|^\s*(const|let|def|export)\s/m.test(
      text,
    )
  )
    return "CDK or other program text";
  if (/^\s*(Sid|Effect|Action|Principal|Resource)\s*=\s/m.test(text)) return "Terraform (HCL)";
  if (
    /^\s*-?\s*(Sid|Effect|Statement|Version|KeyPolicy|AWSTemplateFormatVersion|Resources)\s*:(\s|$)/m.test(
      text,
    )
  )
    return "YAML";
  return undefined;
}

function hintFor(text: string, { offset, expected }: ParseError): string {
  switch (languageOf(text)) {
    case "Terraform (HCL)":
      return "terraform plan -out plan && terraform show -json plan > plan.json, then lint plan.json";
    case "CDK or other program text":
      return "cdk synth --json > template.json, then lint template.json";
    case "YAML":
      return "give the policy as JSON: aws kms get-key-policy --key-id KEY --output json";
    case undefined:
      return hintAt(text, text.slice(indexAt(text, offset ?? 0)), expected ?? "");
  }
}

/** What people write where JSON has something else. */
function hintAt(text: string, rest: string, expected: string): string {
  if (text.trim() === "") return "the file is empty: aws kms get-key-policy --key-id KEY > policy.json";
  if (!/^\s*[[{"]/.test(text)) return "give the JSON alone, without the text around it";
  if (/^(?:\/[/*]|#)/.test(rest)) return "JSON has no comments: take them out";
  if (rest.startsWith("...")) return "give the whole policy, without the dots";
  if (rest.startsWith("'")) return "JSON has double quotation marks only";
  if (/^[\]}]/.test(rest)) return "take out the comma before the closing bracket";
  if (/^[[{"]/.test(rest) && expected.includes('","')) return "a comma is missing before this";
  if (/^[A-Za-z_<$]/.test(rest)) return "put the value, in quotation marks, in the place of the placeholder";
  if (rest.startsWith(":")) return "give the whole policy or statement, with its braces";
  return "aws kms get-key-policy --key-id KEY prints a policy as JSON";
}
