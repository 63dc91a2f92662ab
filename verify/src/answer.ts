/**
 * Answers with reasons. Nothing that was not checked is a yes.
 * @module
 */

/** Yes, no, or could not decide. */
export type Answer = "yes" | "no" | "undecided";

/** One question, its answer, and why, in a sentence. */
export interface Check {
  readonly name: string;
  readonly answer: Answer;
  readonly reason: string;
}

/** A question that is not asked: the policy says "any", or the statement claims nothing of the kind. */
export interface Skipped {
  readonly name: string;
  readonly reason: string;
}

/** No if any check says no, else undecided if any is or there are none, else yes. */
export function joinAnswers(checks: readonly Check[]): Answer {
  const answers = checks.map(({ answer }) => answer);
  if (answers.includes("no")) return "no";
  return answers.length === 0 || answers.includes("undecided") ? "undecided" : "yes";
}
