/**
 * The errors of opening admission: what its operator wrote is wrong. What a publisher sends is refused and never thrown.
 * @module
 */

/** A list of publishers that cannot be used. */
export class AdmissionError extends Error {
  override readonly name = "AdmissionError";
  readonly code = "BP-ADMIT-013";
  readonly file: string;
  /** `file:line:column: what`, one for each problem. */
  readonly issues: readonly string[];
  readonly hint = "docs/how-to/publish-to-a-log.md shows one";

  constructor(file: string, issues: readonly string[]) {
    super(issues.join("\n"));
    this.file = file;
    this.issues = issues;
  }
}
