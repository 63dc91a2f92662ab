/**
 * What an imported recipe does not do that its origin did: each with a code that has a page, so that nobody has to
 * find out in production.
 * @module
 */

/** Codes of what an import leaves out. */
export type ImportWarningCode =
  | "BP-ENCLAVE-101"
  | "BP-ENCLAVE-102"
  | "BP-ENCLAVE-103"
  | "BP-ENCLAVE-104"
  | "BP-ENCLAVE-105"
  | "BP-ENCLAVE-106"
  | "BP-ENCLAVE-107"
  | "BP-ENCLAVE-108"
  | "BP-ENCLAVE-109"
  | "BP-ENCLAVE-110";

/** One thing that is left out. */
export interface ImportWarning {
  readonly code: ImportWarningCode;
  readonly message: string;
}

/** A recipe made from something else. */
export interface ImportedRecipe {
  readonly text: string;
  readonly warnings: readonly ImportWarning[];
  /** What to type before the recipe can be locked. */
  readonly before: readonly string[];
}
