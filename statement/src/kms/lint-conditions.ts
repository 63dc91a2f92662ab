/**
 * The conditions of one statement on an attestation document: their keys, operators and values, and what they pin.
 * @module
 */
import { isNegated, readOperator } from "./condition-operator.ts";
import type { Report } from "./kms-finding.ts";
import { lintValues } from "./lint-values.ts";
import type { Comparison, PolicyStatement } from "./policy.ts";
import { pcrKey, readRecipientKey } from "./recipient-key.ts";

/** What a statement says about a document. */
export interface RecipientConditions {
  /** Whether it speaks of a document at all, in whatever spelling. */
  readonly present: boolean;
  /** Values that it demands, lower case, by register; only where nothing lets other documents through. */
  readonly pinned: ReadonlyMap<number, readonly string[]>;
  /** Registers that it compares with an operator that negates, as in a Deny. */
  readonly refused: ReadonlySet<number>;
}

/** Judges the conditions of a statement on a document. */
export function lintConditions(statement: PolicyStatement, report: Report): RecipientConditions {
  const pinned = new Map<number, string[]>();
  const refused = new Set<number>();
  let present = false;
  for (const comparison of statement.conditions) {
    const key = readRecipientKey(comparison.key);
    if (key === undefined) continue;
    present = true;
    lintKey(statement, comparison, report);
    // Under a wrong name the value is judged as well: mending the name alone would leave it.
    const { base } = readOperator(comparison.operator);
    const compares = base !== "Null" && base !== undefined;
    if (key.kind === "misspelt" && key.pcr !== undefined && compares)
      lintValues(statement, comparison, key.pcr, report);
    if (key.kind !== "pcr") continue;
    const firm = lintOperator(statement, comparison, key.pcr, report);
    if (!compares) continue;
    const good = lintValues(statement, comparison, key.pcr, report);
    if (isNegated(base)) refused.add(key.pcr);
    else if (firm && good) pin(statement, comparison, key.pcr, pinned, report);
  }
  return { present, pinned, refused };
}

function pin(
  statement: PolicyStatement,
  comparison: Comparison,
  pcr: number,
  pinned: Map<number, string[]>,
  report: Report,
): void {
  const values = [...new Set(comparison.values.map((value) => value.toLowerCase()))];
  const earlier = pinned.get(pcr);
  const both = earlier?.filter((value) => values.includes(value));
  if (both?.length === 0)
    report("BP-KMS-017", {
      message: `PCR${pcr} is compared twice with values that have none in common, so no enclave gets in`,
      fix: `keep ${pcrKey(pcr)}; ImageSha384 is PCR0 under another name`,
      statement,
      place: comparison.place,
    });
  pinned.set(pcr, both ?? values);
}

function lintKey(statement: PolicyStatement, { key, place }: Comparison, report: Report): void {
  const read = readRecipientKey(key);
  switch (read?.kind) {
    case "misspelt":
      report("BP-KMS-010", {
        message: `${JSON.stringify(key)} is no condition key of KMS, so no request ever has a value for it`,
        fix: `write ${read.meant ?? "kms:RecipientAttestation:PCR0, PCR1, PCR2, ... or kms:RecipientAttestation:ImageSha384"}`,
        statement,
        place,
      });
      break;
    case "tpm":
      report("BP-KMS-012", {
        message: `${key} is a register of an instance's NitroTPM, and an enclave's document has none`,
        fix: "for an enclave pin kms:RecipientAttestation:PCR0, PCR1 and PCR2",
        statement,
        place,
      });
      break;
    case "pcr":
      if (read.name !== key)
        report("BP-KMS-011", {
          message: `${key} works, as names of condition keys have no case, but searches for AWS's spelling miss it`,
          fix: `write ${read.name}`,
          statement,
          place,
        });
      lintRegister(statement, read.pcr, place, report);
      break;
    case undefined:
  }
}

function lintRegister(
  statement: PolicyStatement,
  pcr: number,
  place: Comparison["place"],
  report: Report,
): void {
  if (pcr === 4)
    report("BP-KMS-014", {
      message: "PCR4 is the parent instance's ID: the enclave on any other instance is refused",
      fix: "leave PCR4 away unless exactly one instance is meant; PCR3 pins the instance's role",
      statement,
      place,
    });
  if (pcr >= 16)
    report("BP-KMS-013", {
      message: `PCR${pcr} is whatever the enclave itself extends, and only a locked register is in a document`,
      fix: "make sure that the enclave extends and locks it before it asks",
      statement,
      place,
    });
  if ((pcr > 4 && pcr < 8) || (pcr > 8 && pcr < 16))
    report("BP-KMS-013", {
      message: `PCR${pcr} is zero in every enclave`,
      fix: "leave it away; an image is PCR0, PCR1 and PCR2, its signer PCR8",
      statement,
      place,
    });
}

/** Judges an operator; answers whether only documents with a listed value pass it. */
function lintOperator(
  statement: PolicyStatement,
  { operator, key, values, place }: Comparison,
  pcr: number,
  report: Report,
): boolean {
  const { set, base, ifExists } = readOperator(operator);
  const deny = statement.effect === "Deny";
  const say = (code: Parameters<Report>[0], message: string, fix: string): void =>
    report(code, { message, fix, statement, place });
  const equals = `write {"StringEqualsIgnoreCase": {"${pcrKey(pcr)}": "..."}}`;
  if (base === "Null") {
    if (!values.every((value) => /^(true|false)$/i.test(value)))
      say("BP-KMS-035", "Null is compared with something else than true or false", equals);
    if (!deny)
      say(
        "BP-KMS-034",
        `Null only asks whether there is a document: any enclave has one`,
        `beside it, ${equals}`,
      );
    return false;
  }
  if (base === undefined) {
    say("BP-KMS-035", `${operator} is no operator that compares text, and registers are text`, equals);
    return false;
  }
  // Where a Deny is loose is judged by what passes it.
  if (deny) return false;
  if (ifExists)
    say(
      "BP-KMS-031",
      `${operator} holds for a request without ${key}, that is, without any document`,
      equals,
    );
  if (set === "ForAllValues")
    say(
      "BP-KMS-032",
      `ForAllValues holds when there is no value at all, that is, without any document`,
      equals,
    );
  if (isNegated(base))
    say(
      "BP-KMS-033",
      `${operator} lets through every request that has another value, or none`,
      `${equals} to allow listed values`,
    );
  if (set === "ForAnyValue")
    say("BP-KMS-037", "ForAnyValue does nothing here: a register has one value", equals);
  return !ifExists && set !== "ForAllValues" && !isNegated(base);
}
