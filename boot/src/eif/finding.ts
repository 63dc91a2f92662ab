/**
 * What a reader of EIFs has to say about a file besides what is in it.
 * @module
 */

/**
 * What a finding means. `ambiguous`: two readers see two files, or nobody can say which bytes count. `malformed`: the
 * format forbids it. `refused`: nobody outside of AWS knows what it measures. `notice`: one reading, and yet something
 * to know about it. Only a file with nothing but notices has a layout.
 */
export type EifSeverity = "ambiguous" | "malformed" | "refused" | "notice";

/** One thing about a file that its user should know. */
export interface EifFinding {
  /** `BP-EIF-001` and so on; each has a page. */
  readonly code: EifCode;
  readonly severity: EifSeverity;
  /** What is wrong, lower case, without a full stop. */
  readonly message: string;
  /** Where in the file. */
  readonly offset?: number | undefined;
  /** Which place of the header's table, or which section met while walking. */
  readonly section?: number | undefined;
  readonly expected?: string | undefined;
  readonly found?: string | undefined;
}

/** A stable code of a finding. */
export type EifCode = `BP-EIF-${string}`;

/** A number as findings write offsets and sizes. */
export const hexNumber = (value: number | bigint): string => `0x${value.toString(16)}`;
