/**
 * Values that a policy compares registers with: each must be the 96 lower-case hex digits of a SHA-384.
 * @module
 */
import { formatHex, ParseError, parseBase64, quote } from "@bootproof/bytes";
import { readOperator, tellsCase } from "./condition-operator.ts";
import type { Report } from "./kms-finding.ts";
import type { Comparison, PolicyStatement } from "./policy.ts";
import { hasVariable, hasWildcard } from "./wildcard.ts";

/** Of an image with one ramdisk: nothing was extended but the hash of nothing. */
const NO_APPLICATION =
  "21b9efbc184807662e966d34f390821309eeac6802309798826296bf3e8bec7c10edb30948c90ba67310f7b964fc500a";

/** A value as it would have to be written, when it can be told. */
const DIGEST = /^[0-9a-f]{96}$/;

/** Judges the values of one comparison; answers whether each of them can be a register's value. */
export function lintValues(
  statement: PolicyStatement,
  comparison: Comparison,
  pcr: number,
  report: Report,
): boolean {
  const { base } = readOperator(comparison.operator);
  let good = true;
  for (const value of comparison.values) {
    const found = faultOf(value, pcr, base !== undefined && base !== "Null" && tellsCase(base), base ?? "");
    if (found === undefined) continue;
    report(found.code, { ...found, statement, place: comparison.place });
    if (found.code !== "BP-KMS-028") good = false;
  }
  return good;
}

type Found = Pick<Parameters<Report>[1], "message" | "fix"> & { readonly code: Parameters<Report>[0] };

function faultOf(value: string, pcr: number, caseMatters: boolean, base: string): Found | undefined {
  const name = `PCR${pcr}`;
  const write = (text: string): string => `write ${text}`;
  if (DIGEST.test(value)) return digestFault(value, name, pcr);
  if (hasVariable(value))
    return {
      code: "BP-KMS-027",
      message: `${name} is compared with ${quote(value)}, which is filled in later`,
      fix: "lint the policy that KMS gets, with the value in it",
    };
  if (hasWildcard(value)) {
    const pattern = base.endsWith("Like");
    return {
      code: pattern ? "BP-KMS-030" : "BP-KMS-036",
      message: pattern
        ? `${name} may be anything of the pattern ${quote(value)}`
        : `${base || "the operator"} takes ${quote(value)} as it stands, not as a pattern: no enclave has it`,
      fix: "give the whole value of each release, under StringEqualsIgnoreCase",
    };
  }
  const lower = value.toLowerCase();
  if (DIGEST.test(lower)) {
    const zero = digestFault(lower, name, pcr);
    if (zero !== undefined || !caseMatters) return zero;
    return {
      code: "BP-KMS-024",
      message: `${name} is in upper case, KMS compares with lower case, and ${base} tells them apart`,
      fix: `use StringEqualsIgnoreCase, or ${write(lower)}`,
    };
  }
  return spellingFault(value, lower, name);
}

function digestFault(digest: string, name: string, pcr: number): Found | undefined {
  if (/^0+$/.test(digest))
    return {
      code: "BP-KMS-020",
      message: `${name} of all zeros is that of every enclave in debug mode, whose console can be read from outside`,
      fix: "give the value that bootproof measure nitro prints; run the enclave without --debug-mode",
    };
  if (digest === NO_APPLICATION && pcr === 2)
    return {
      code: "BP-KMS-028",
      message: "PCR2 is that of every image with a single ramdisk, so it says nothing about this one",
      fix: "keep PCR0 or PCR1, which measure the ramdisk",
    };
  return undefined;
}

function spellingFault(value: string, lower: string, name: string): Found {
  const bare = lower.replace(/^(sha-?384:|0x|pcr[0-9]{1,2}[:=])/, "").replaceAll(/[\s:-]/g, "");
  if (DIGEST.test(bare))
    return {
      code: "BP-KMS-023",
      message: `${name} has a prefix or separators, and KMS compares with 96 hex digits alone`,
      fix: `write ${bare}`,
    };
  const decoded = base64Digest(value);
  if (decoded !== undefined)
    return {
      code: "BP-KMS-022",
      message: `${name} is in base64, and KMS compares with hex`,
      fix: `write ${decoded}`,
    };
  if (/^[0-9a-f]+$/.test(bare))
    return {
      code: "BP-KMS-021",
      message: `${name} has ${bare.length} hex digits instead of 96${algorithmOf(bare.length)}: no enclave has it`,
      fix: "give the SHA-384 that bootproof measure nitro prints",
    };
  return {
    code: "BP-KMS-025",
    message: `${name} is ${value === "" ? "empty" : `compared with ${quote(value)}`}: no enclave has it`,
    fix: "give the value that bootproof measure nitro prints",
  };
}

const algorithmOf = (digits: number): string =>
  digits === 64 ? ", as a SHA-256 has" : digits === 128 ? ", as a SHA-512 has" : "";

function base64Digest(value: string): string | undefined {
  // 64 hex digits are a SHA-256, and base64 too.
  if (!/^[A-Za-z0-9+/]{64}$/.test(value) || /^[0-9a-f]*$/i.test(value)) return undefined;
  try {
    return formatHex(parseBase64(value, "register"));
  } catch (error) {
    if (error instanceof ParseError) return undefined;
    throw error;
  }
}
